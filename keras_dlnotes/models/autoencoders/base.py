"""What all autoencoders share: an encoder, a decoder, and training against the own input."""

import keras
import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes._believed import Sized
from keras_dlnotes.models.activation import build_inside
from keras_dlnotes.models.autoencoders.mirrored import connections, convolutions, dense


class Autoencoder(Sized, keras.Model):
    """An encoder and a decoder that mirrors it, built when the input's shape is known.

    `fit(x)` trains to give back `x`; `fit(x, y)` to give `y`, a clean picture for a noisy one.
    Inputs of any rank are flattened on the way in and restored on the way out, unless
    `convolutional`.

    Args:
        code_size: Integer. Units of the code in the middle; with `convolutional` None keeps the
            last feature maps as the code.
        hidden: Integers. Units (or filters) between input and code; the decoder has them reversed.
        activation: Activation of the hidden layers, which each get a copy of a layer. Defaults to
            "relu".
        code_activation: Activation of the code. Defaults to None, which is linear.
        output_activation: Activation of the reconstruction, "sigmoid" for data in [0, 1]. Defaults
            to None, which is linear.
        tied: Boolean. Whether the decoder uses the encoder's kernels, transposed, and has only
            biases of its own. Dense only. Defaults to False.
        convolutional: Boolean. Whether `hidden` counts filters of 3 x 3 convolutions, each halving
            height and width. Defaults to False.
        corruption: Layer applied to the input while training only, or None.
        code_regularizer: Activity regularizer of the code, or None.
        seed: Integer seed for the initial weights, or None.
    """

    def __init__(
        self,
        code_size,
        hidden=(),
        activation="relu",
        code_activation=None,
        output_activation=None,
        *,
        tied=False,
        convolutional=False,
        corruption=None,
        code_regularizer=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.convolutional = _checks.boolean("convolutional", convolutional)
        if code_size is not None or not convolutional:
            code_size = _checks.size("code_size", code_size)
        self.code_size = code_size
        self.hidden = _checks.sizes("hidden", hidden)
        if convolutional and not self.hidden:
            _checks.fail("hidden", "name at least one number of filters", hidden)
        self.activation = keras.activations.get(activation)
        self.code_activation = keras.activations.get(code_activation)
        self.output_activation = keras.activations.get(output_activation)
        self.tied = _checks.boolean("tied", tied)
        if tied and convolutional:
            _checks.fail("tied", "be False for a convolutional autoencoder", tied)
        self.corruption = corruption
        self.code_regularizer = keras.regularizers.get(code_regularizer)
        self.seed = _checks.seed("seed", seed)

    # ------------------------------------------------------------------------------- the graph

    def _connections(self, input_shape):
        return connections(self, self._example(input_shape))

    def _example(self, input_shape):
        """The shape of one example, if there can be an autoencoder for it."""
        shape = tuple(input_shape[1:])
        if self.convolutional and len(shape) != 3:
            raise ValueError(
                "A convolutional autoencoder takes pictures of shape (height, width, channels). "
                f"Received: input shape {tuple(input_shape)}"
            )
        if any(size is None for size in shape):
            raise ValueError(f"Every size but the batch's must be known. Received: {input_shape}")
        return shape

    def build(self, input_shape):
        if self.built:
            return
        shape = self._example(input_shape)
        parts = convolutions(self, shape) if self.convolutional else dense(self, shape)
        self.encoder = keras.Sequential([keras.Input(shape), *parts[0]], name="encoder")
        code_shape = self.encoder.output_shape[1:]
        self.decoder = keras.Sequential([keras.Input(code_shape), *parts[1]], name="decoder")
        for layer in (*self.encoder.layers, *self.decoder.layers):
            build_inside(layer)
        if self.corruption is not None and not self.corruption.built:
            self.corruption.build(input_shape)
        self.built = True

    def call(self, inputs, training=None):
        if self.corruption is not None:
            inputs = self.corruption(inputs, training=training)
        return self.decoder(self.encoder(inputs, training=training), training=training)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    # -------------------------------------------------------------------------------- training

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        y = x if y is None else y
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(x, x if y is None else y, y_pred, sample_weight)

    # --------------------------------------------------------------------------------- its use

    def _parts(self, x):
        if not self.built:
            self.build((None, *np.shape(x)[1:]))
        return self.encoder, self.decoder

    def encode(self, x, batch_size=256):
        """The codes of `x`, as an array."""
        return self._parts(x)[0].predict(x, batch_size=batch_size, verbose=0)

    def decode(self, codes, batch_size=256):
        """What the decoder makes of `codes`, as an array."""
        if not self.built:
            raise ValueError("Nothing to decode with: fit or build the autoencoder first.")
        return self.decoder.predict(codes, batch_size=batch_size, verbose=0)

    def reconstruct(self, x, batch_size=256):
        """`x` after the way through the code; nothing is corrupted."""
        self._parts(x)
        return self.predict(x, batch_size=batch_size, verbose=0)

    def reconstruction_error(self, x, y=None, batch_size=256):
        """Mean squared error of each example: large for what is unlike the training data.

        Args:
            x: Array of inputs.
            y: What should have come out. Defaults to `x` itself.
            batch_size: Integer. Defaults to 256.
        """
        difference = self.reconstruct(x, batch_size) - np.asarray(x if y is None else y)
        return np.square(difference).reshape(len(difference), -1).mean(1)

    def get_config(self):
        return {
            "name": self.name,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
            "code_size": self.code_size,
            "hidden": list(self.hidden),
            "activation": keras.activations.serialize(self.activation),
            "code_activation": keras.activations.serialize(self.code_activation),
            "output_activation": keras.activations.serialize(self.output_activation),
            "tied": self.tied,
            "convolutional": self.convolutional,
            "corruption": keras.saving.serialize_keras_object(self.corruption),
            "code_regularizer": keras.regularizers.serialize(self.code_regularizer),
            "seed": self.seed if isinstance(self.seed, int) else None,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for key in ("dtype", "corruption"):
            if isinstance(config.get(key), dict):
                config[key] = keras.saving.deserialize_keras_object(config[key])
        return cls(**config)
