"""A residual connection around any block."""

import keras

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable

CONVOLUTIONS = {3: keras.layers.Conv1D, 4: keras.layers.Conv2D, 5: keras.layers.Conv3D}


@serializable
class Residual(keras.layers.Layer):
    """Adds a block's input to its output: `activation(block(x) + skip(x))`.

    The skip is the identity where the shapes agree. Where only the last axis differs it is a linear
    map without bias, and where a convolutional block shrinks the picture, a 1 x 1 convolution with
    the strides that fit.

    Args:
        block: A layer or model, channels last.
        activation: Applied to the sum. Defaults to None, which is linear.
        projection: Boolean. Whether to project even where the shapes agree. Defaults to False.
        kernel_initializer: Of the projection. Defaults to "glorot_uniform".

    Example:
        >>> block = keras.Sequential([keras.layers.Dense(8, "relu"), keras.layers.Dense(4)])
        >>> layer = Residual(block)
        >>> layer(np.ones((2, 4))).shape[-1], layer.skip
        (4, None)

    Reference: [He et al., 2015](https://arxiv.org/abs/1512.03385)
    """

    def __init__(
        self,
        block,
        activation=None,
        projection=False,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(block, keras.layers.Layer):
            _checks.fail("block", "be a Keras layer or model", block)
        self.block = block
        self.activation = keras.activations.get(activation)
        self.projection = _checks.boolean("projection", projection)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.skip = None
        self.supports_masking = True

    def build(self, input_shape):
        input_shape = tuple(input_shape)
        if not self.block.built:
            self.block.build(input_shape)
        output_shape = tuple(self.block.compute_output_shape(input_shape))
        if self.projection or output_shape != input_shape:
            self.skip = self._projection(input_shape, output_shape)
            self.skip.build(input_shape)
        self.built = True

    def _projection(self, source, target):
        units, options = target[-1], {"use_bias": False, "name": "projection"}
        options["kernel_initializer"] = self.kernel_initializer
        if len(source) == len(target) and source[1:-1] == target[1:-1]:
            return keras.layers.Dense(units, **options)
        pairs = list(zip(source[1:-1], target[1:-1], strict=False))
        known = all(a is not None and b for a, b in pairs)
        if len(source) != len(target) or len(source) not in CONVOLUTIONS or not known:
            raise ValueError(
                f"No projection leads from the block's input shape {source} to its output shape "
                f"{target}."
            )
        strides = tuple(-(-a // b) for a, b in pairs)
        if any(-(-a // s) != b for (a, b), s in zip(pairs, strides, strict=True)):
            raise ValueError(
                f"No stride leads from the block's input shape {source} to its output shape "
                f'{target}; padding="same" in the block makes one.'
            )
        return CONVOLUTIONS[len(source)](units, 1, strides=strides, padding="same", **options)

    def call(self, inputs, training=None):
        if self.block._call_has_training_arg:
            outputs = self.block(inputs, training=training)
        else:
            outputs = self.block(inputs)
        return self.activation(outputs + (inputs if self.skip is None else self.skip(inputs)))

    def compute_output_shape(self, input_shape):
        return self.block.compute_output_shape(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "block": keras.saving.serialize_keras_object(self.block),
            "activation": keras.activations.serialize(self.activation),
            "projection": self.projection,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    @classmethod
    def from_config(cls, config):
        block = keras.saving.deserialize_keras_object(config["block"])
        return cls(**{**config, "block": block})
