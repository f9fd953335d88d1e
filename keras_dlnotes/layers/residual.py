"""A residual connection around any block."""

import keras
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._believed import Sized, counted, discounted
from keras_dlnotes._saving import serializable

CONVOLUTIONS = {3: keras.layers.Conv1D, 4: keras.layers.Conv2D, 5: keras.layers.Conv3D}


@serializable
class Residual(Sized, keras.layers.Layer):
    """Adds a block's input to its output: `activation(block(x) + skip(x))`.

    The skip is the identity where the shapes agree. Where only the channels differ it is a linear
    map without bias, and where a convolutional block shrinks the picture, a 1 x 1 convolution with
    the strides that fit. Sizes that are not known are found out by trying one that is.

    Args:
        block: A layer or model with one output.
        activation: Applied to the sum. Defaults to None, which is linear.
        projection: Boolean. Whether to project even where the shapes agree. Defaults to False.
        kernel_initializer: Of the projection. Defaults to "glorot_uniform".
        data_format: "channels_last", "channels_first" or None for Keras' setting.
            Defaults to None.

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
        *,
        data_format=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(block, keras.layers.Layer):
            _checks.fail("block", "be a Keras layer or model", block)
        self.block = block
        self.activation = keras.activations.get(activation)
        self.projection = _checks.boolean("projection", projection)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        choices = (None, "channels_last", "channels_first")
        self.data_format = _checks.one_of("data_format", data_format, choices)
        self.skip = None
        self.supports_masking = True

    def build(self, input_shape):
        input_shape = tuple(input_shape)
        if not self.block.built:
            self.block.build(input_shape)
        target = self._block_shape(input_shape)
        source, known = self._known(input_shape)
        if self.projection or target != input_shape or known != source:
            self.skip = self._projection(source, known, input_shape, target)
            self.skip.build(input_shape)
        self.built = True

    def _block_shape(self, shape):
        target = self.block.compute_output_shape(shape)
        if not isinstance(target, (tuple, list)) or any(
            isinstance(n, (tuple, dict)) for n in target
        ):
            _checks.fail("block", "have exactly one output", self.block)
        return tuple(target)

    def _known(self, shape):
        """The block's shapes before and after, with a size tried out where one is not known."""
        source = (shape[0], *(64 if size is None else size for size in shape[1:]))
        return source, self._block_shape(source)

    def _projection(self, source, target, *shapes):
        rank = len(source)
        first = (self.data_format or keras.config.image_data_format()) == "channels_first"
        channels = 1 if first and rank > 2 else rank - 1
        options = {
            "use_bias": False,
            "name": "projection",
            "kernel_initializer": self.kernel_initializer,
            "dtype": self.dtype_policy,
        }
        if rank != len(target) or not (rank == 2 or rank in CONVOLUTIONS):
            self._refuse("No projection", *shapes)
        pairs = [(source[i], target[i]) for i in range(1, rank) if i != channels]
        if channels == rank - 1 and all(a == b for a, b in pairs):
            return keras.layers.Dense(target[-1], **options)
        strides = tuple(-(-a // b) if b else 0 for a, b in pairs)
        if any(not s or -(-a // s) != b for (a, b), s in zip(pairs, strides, strict=True)):
            self._refuse("No stride", *shapes, '; padding="same" in the block makes one')
        return CONVOLUTIONS[rank](
            target[channels],
            1,
            strides=strides,
            padding="same",
            data_format="channels_first" if first else "channels_last",
            **options,
        )

    def _refuse(self, what, source, target, hint=""):
        raise ValueError(
            f"Argument `block` must turn its input into one that a projection can follow. {what} "
            f"leads from the block's input shape to its output shape{hint}. "
            f"Received: {source} to {target}"
        )

    def call(self, inputs):
        # Whether it is training the block learns from Keras, as inside any model.
        skip = inputs if self.skip is None else self.skip(inputs)
        return ops.cast(self.activation(ops.add(self.block(inputs), skip)), self.compute_dtype)

    def compute_mask(self, inputs, previous_mask=None):
        # Steps that were dropped or merged are no longer those that the mask speaks of.
        source, target = self._known(tuple(inputs.shape))
        return previous_mask if source[1] == target[1] else None

    def compute_output_shape(self, input_shape):
        return self._block_shape(tuple(input_shape))

    def get_config(self):
        config = {
            **super().get_config(),
            "block": keras.saving.serialize_keras_object(self.block),
            "activation": keras.activations.serialize(self.activation),
            "projection": self.projection,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "data_format": self.data_format,
        }
        return counted(config, "block")

    @classmethod
    def from_config(cls, config):
        config = discounted(config, "block")
        block = keras.saving.deserialize_keras_object(config["block"])
        return cls(**{**config, "block": block})
