"""Maxout: the largest of several linear maps, an activation that is learned."""

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._believed import Sized
from keras_dlnotes._saving import serializable

#: A maximum over nothing, of an empty batch. On PyTorch Keras' `initial` leaves a GPU.
OF_NONE = {} if keras.backend.backend() == "torch" else {"initial": -np.inf}


@serializable
class Maxout(keras.layers.Layer):
    """The maximum over groups of channels.

    With `k = channels / num_units`, output `j` is the largest of the inputs `j`, `j + num_units`,
    ..., `j + (k - 1) * num_units` along the axis.

    Args:
        num_units: Integer. Outputs along the axis; must divide the number of features there.
        axis: Integer. The axis of the channels. Defaults to -1.

    Example:
        >>> keras.ops.convert_to_numpy(Maxout(2)(np.array([[1.0, 5.0, 3.0, 4.0]])))
        array([[3., 5.]], dtype=float32)

    Reference: [Goodfellow et al., 2013](https://arxiv.org/abs/1302.4389)
    """

    def __init__(self, num_units, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.num_units = _checks.size("num_units", num_units)
        self.axis = _checks.integer("axis", axis)
        self.supports_masking = True

    def build(self, input_shape):
        rank = len(input_shape)
        if not -rank <= self.axis < rank or self.axis % rank == 0:
            _checks.fail("axis", f"be an axis of the input {tuple(input_shape)}", self.axis)
        self._check_channels(input_shape)
        self.built = True

    def _check_channels(self, shape):
        """How many there are may be unknown until a tensor comes."""
        channels = shape[self.axis]
        if channels is not None and channels % self.num_units:
            requirement = f"divide the number of features, {channels}"
            _checks.fail("num_units", requirement, self.num_units)

    def call(self, inputs):
        self._check_channels(inputs.shape)
        axis = self.axis % len(inputs.shape)
        shape = ops.shape(inputs)
        pieces = shape[axis] // self.num_units
        split = (*shape[:axis], pieces, self.num_units, *shape[axis + 1 :])
        return ops.max(ops.reshape(inputs, split), axis=axis, **OF_NONE)

    def compute_mask(self, inputs, previous_mask=None):
        # A mask over the axis that is merged says nothing about the groups.
        axis = self.axis % len(inputs.shape)
        return None if previous_mask is None or axis < len(previous_mask.shape) else previous_mask

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        shape[self.axis] = self.num_units
        return tuple(shape)

    def get_config(self):
        return {**super().get_config(), "num_units": self.num_units, "axis": self.axis}


@serializable
class MaxoutDense(Sized, keras.layers.Layer):
    """A dense layer whose every unit is the largest of several linear maps.

        bias="piece":   activation(max_i (x . kernel[i] + bias[i]))
        bias="shared":  activation(max_i (x . kernel[i]) + bias)

    The second is the notes' form, sigma(max(W1 x, W2 x) + b).

    Args:
        units: Integer. Outputs.
        pieces: Integer. Linear maps for each. Defaults to 2.
        activation: Applied to the maximum. Defaults to None, which is linear.
        use_bias: Boolean. Defaults to True.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint: as in `keras.layers.Dense`.
        bias: "piece" or "shared". Defaults to "piece".

    Example:
        >>> MaxoutDense(3, pieces=4)(np.ones((2, 5))).shape[-1]
        3

    Reference: [Goodfellow et al., 2013](https://arxiv.org/abs/1302.4389)
    """

    def __init__(
        self,
        units,
        pieces=2,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        *,
        bias="piece",
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = _checks.size("units", units)
        self.pieces = _checks.size("pieces", pieces)
        self.activation = keras.activations.get(activation)
        self.use_bias = _checks.boolean("use_bias", use_bias)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.bias_form = _checks.one_of("bias", bias, ("piece", "shared"))
        self.input_spec = keras.layers.InputSpec(min_ndim=2)
        self.supports_masking = True

    def _connections(self, input_shape):
        return super()._connections(input_shape) * self.pieces * self.units

    def build(self, input_shape):
        inputs = input_shape[-1]
        initializer = self.kernel_initializer
        # One matrix for all pieces: one product. Each piece is drawn by itself, with its own fans.
        self.kernel = self.add_weight(
            (inputs, self.pieces * self.units),
            lambda shape, dtype: ops.concatenate(
                [each((inputs, self.units), dtype=dtype) for each in clones(initializer, self)],
                axis=1,
            ),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units * (self.pieces if self.bias_form == "piece" else 1),),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: inputs})
        self.built = True

    def call(self, inputs):
        outputs = ops.matmul(inputs, self.kernel)
        if self.use_bias and self.bias_form == "piece":
            outputs = outputs + self.bias
        outputs = ops.reshape(outputs, (*ops.shape(outputs)[:-1], self.pieces, self.units))
        outputs = ops.max(outputs, axis=-2, **OF_NONE)
        if self.use_bias and self.bias_form == "shared":
            outputs = outputs + self.bias
        return self.activation(outputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "pieces": self.pieces,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": keras.regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
            "bias": self.bias_form,
        }


def clones(initializer, layer):
    """The initializer once for each piece, with different seeds: equal pieces would never part."""
    if not isinstance(initializer, keras.initializers.Initializer):
        return [initializer] * layer.pieces
    config = initializer.get_config()
    if not isinstance(config.get("seed"), int):
        return [initializer.clone() for _ in range(layer.pieces)]
    return [
        type(initializer).from_config({**config, "seed": config["seed"] + piece})
        for piece in range(layer.pieces)
    ]
