"""The multilayer perceptron, with the initializer that suits its activation."""

import itertools
import json
import math

import keras

from keras_dlnotes import _checks, initializers
from keras_dlnotes._believed import Sized, believe, written
from keras_dlnotes._saving import serializable
from keras_dlnotes.layers._batches import array, batches
from keras_dlnotes.layers.batch_normalization import BatchNormalization
from keras_dlnotes.layers.dropout import AlphaDropout, Dropout
from keras_dlnotes.layers.maxout import MaxoutDense
from keras_dlnotes.layers.min_max_scaling import MinMaxScaling
from keras_dlnotes.layers.residual import Residual
from keras_dlnotes.layers.standardization import Standardization
from keras_dlnotes.models.activation import layer_for_one_block, plain_name

#: Which variance keeps a signal alive through which activation; all others get Glorot's. The names
#: are those of functions and layers alike, without capitals and underscores.
INITIALIZERS = {
    **dict.fromkeys(
        ["relu", "leakyrelu", "prelu", "elu", "gelu", "swish", "silu", "mish"], "HeNormal"
    ),
    **dict.fromkeys(["sigmoid", "tanh", "softmax", "linear"], "GlorotUniform"),
    "selu": "LecunNormal",
}
SCALINGS = {"standardize": Standardization, "min_max": MinMaxScaling}


def initializer_for(activation, seed=None):
    """The initializer that suits an activation: He for ReLUs, LeCun for SELU, else Xavier.

    Example:
        >>> type(initializer_for("relu")).__name__, type(initializer_for("tanh")).__name__
        ('HeNormal', 'GlorotUniform')
    """
    name = plain_name(activation).rsplit(">", 1)[-1].lower().replace("_", "")
    kind = INITIALIZERS.get(name, "GlorotUniform")
    return getattr(initializers, kind)(seed=seed)


@serializable
class MLP(Sized, keras.Sequential):
    """Dense layers of any depth and width, each block put together as the notes teach.

    A block is: dense layer, batch normalization, activation, dropout. The kernel's initializer
    follows from the activation, the kind of dropout too (alpha dropout for SELU). It is a
    `keras.Sequential`: everything that works on one works here.

    Args:
        outputs: Integer. Units of the last layer.
        hidden: Integers. Units of each hidden layer. Defaults to (128, 64).
        activation: Name, function or layer, of which each block gets a copy. Activation of the
            hidden layers. Defaults to "relu".
        output_activation: Name or function. Defaults to None: the outputs are linear, as losses
            with `from_logits=True` want them.
        kernel_initializer: "auto" chooses by the activation. Defaults to "auto".
        batch_normalization: Boolean. Defaults to False.
        dropout: Float in [0, 1). Share of the hidden units dropped. Defaults to 0.
        l1, l2: Floats in [0, inf). Penalties on the kernels. Default to 0.
        block: "dense", "maxout" (the largest of `pieces` linear maps, no activation besides) or
            "residual" (the block's input is added to its output, projected where widths differ).
            Defaults to "dense".
        pieces: Integer. Linear maps of a maxout block. Defaults to 2.
        scaling: None, "standardize" or "min_max": a first layer that scales the features; call
            `model.adapt(x_train)` before training. Defaults to None.
        input_shape: Shape of one example. Without it the model is built by its first batch. More
            than one dimension is flattened.
        seed: Integer. Each layer derives its own from it. Defaults to None.

    Example:
        >>> model = MLP(3, hidden=(32, 16), dropout=0.2, input_shape=(8,), seed=1)
        >>> model.output_shape, model.count_params()
        ((None, 3), 867)
    """

    def __init__(
        self,
        outputs,
        hidden=(128, 64),
        activation="relu",
        output_activation=None,
        *,
        kernel_initializer="auto",
        batch_normalization=False,
        dropout=0.0,
        l1=0.0,
        l2=0.0,
        block="dense",
        pieces=2,
        scaling=None,
        input_shape=None,
        seed=None,
        name=None,
        **kwargs,
    ):
        connections = kwargs.pop("connections", None)  # From a config, see `Sized`.
        activation = keras.activations.get(activation)
        if input_shape is not None:
            input_shape = list(_checks.sizes("input_shape", tuple(input_shape)))
        self._own_config = {
            "outputs": _checks.size("outputs", outputs),
            "hidden": list(_checks.sizes("hidden", hidden)),
            "activation": keras.activations.serialize(activation),
            "output_activation": keras.activations.serialize(
                keras.activations.get(output_activation)
            ),
            "kernel_initializer": kernel_initializer,
            "batch_normalization": _checks.boolean("batch_normalization", batch_normalization),
            "dropout": _checks.number("dropout", dropout, "[0, 1)"),
            "l1": _checks.number("l1", l1, "[0, inf)"),
            "l2": _checks.number("l2", l2, "[0, inf)"),
            "block": _checks.one_of("block", block, ("dense", "maxout", "residual")),
            "pieces": _checks.size("pieces", pieces, 2),
            "scaling": _checks.one_of("scaling", scaling, (None, *SCALINGS)),
            "input_shape": input_shape,
            "seed": seed if seed is None else _checks.integer("seed", seed, 0),
        }
        super().__init__(name=name, **kwargs)
        if input_shape is not None:
            believe(self._connections((None, *input_shape)), connections)
            self.add(keras.Input(tuple(input_shape)))
        if input_shape is None or len(input_shape) > 1:
            self.add(keras.layers.Flatten(name="flatten"))
        if scaling is not None:
            self.add(SCALINGS[scaling](name="scaling"))
        for index, units in enumerate(hidden):
            for layer in self._block(index, units, activation):
                self.add(layer)
        self.add(self._dense(keras.layers.Dense, outputs, output_activation, "outputs", 0))
        self._made = self._identities()

    def _identities(self):
        return tuple(id(layer) for layer in self.layers)

    def _connections(self, input_shape):
        config = self._own_config
        widths = [math.prod(input_shape[1:]), *config["hidden"], config["outputs"]]
        maps = {"dense": 1, "maxout": config["pieces"], "residual": 2}[config["block"]]
        return maps * sum(a * b for a, b in itertools.pairwise(widths))

    @property
    def scaling(self):
        """The layer that scales the features, or None."""
        return next((layer for layer in self.layers if layer.name == "scaling"), None)

    def adapt(self, data, batch_size=8192, steps=None):
        """Fits the scaling to data in the model's own shape; without scaling it does nothing.

        Args:
            data, batch_size, steps: As for `keras_dlnotes.layers.Standardization.adapt`.
        """
        if self.scaling is not None:
            rows = (array(batch) for batch in batches(data, batch_size))
            self.scaling.adapt((row.reshape(len(row), -1) for row in rows), steps=steps)

    def _seed(self, index):
        seed = self._own_config["seed"]
        return None if seed is None else seed + index

    def _dense(self, kind, units, activation, name, index, **more):
        config = self._own_config
        initializer = config["kernel_initializer"]
        if isinstance(initializer, str) and initializer == "auto":
            initializer = initializer_for(activation, self._seed(index))
        regularizer = None
        if config["l1"] or config["l2"]:
            regularizer = keras.regularizers.L1L2(config["l1"], config["l2"])
        if kind is keras.layers.Dense and name == "outputs":
            more["activation"] = activation
        return kind(
            units,
            kernel_initializer=initializer,
            kernel_regularizer=regularizer,
            name=name,
            **more,
        )

    def _block(self, index, units, activation):
        config, number = self._own_config, index + 1
        maxout = config["block"] == "maxout"
        kind = MaxoutDense if maxout else keras.layers.Dense
        # Batch normalization brings a shift of its own, so a bias before it would be idle.
        more = {"pieces": config["pieces"]} if maxout else {}
        more["use_bias"] = maxout or not config["batch_normalization"]
        layers = [self._dense(kind, units, activation, f"dense_{number}", number, **more)]
        if config["batch_normalization"]:
            layers.append(BatchNormalization(name=f"normalization_{number}"))
        if not maxout:
            layers.append(layer_for_one_block(activation, f"activation_{number}"))
        if config["dropout"]:
            kind = AlphaDropout if "selu" in str(config["activation"]) else Dropout
            layers.append(
                kind(config["dropout"], seed=self._seed(100 + index), name=f"dropout_{number}")
            )
        if config["block"] == "residual":
            # Only a projection has weights of its own: a linear map.
            initializer = initializers.GlorotUniform(seed=self._seed(200 + index))
            block = keras.Sequential(layers)
            layers = [Residual(block, kernel_initializer=initializer, name=f"residual_{number}")]
        return layers

    def get_config(self):
        config = {"name": self.name, **self._own_config}
        if hasattr(self, "input_shape"):
            # With an `input_shape` the constructor builds, before a build config could be read.
            config["connections"] = self._connections(self.input_shape)
        if self._identities() != self._made:
            # By `add` and `pop` it has become another net than its arguments say.
            config["layers"] = _saved(self.layers)
            config["connections"] = config.get("connections", 0) + written(config["layers"])
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        layers = config.pop("layers", None)
        believe(written(layers), config.get("connections"))
        model = cls(**config)
        # A subclass may have added the same ones in its constructor, and know them by name.
        if layers is not None and _configs(layers) != _configs(_saved(model.layers)):
            while model.layers:
                model.pop(rebuild=False)
            for number, layer in enumerate(layers, 1):
                layer = keras.saving.deserialize_keras_object(layer, custom_objects=custom_objects)
                model.add(layer, rebuild=number == len(layers))
        return model


def _saved(layers):
    return [keras.saving.serialize_keras_object(layer) for layer in layers]


def _configs(layers):
    """What makes saved layers equal, whether they were built or not."""
    return json.dumps([[layer["class_name"], layer["config"]] for layer in layers], sort_keys=True)
