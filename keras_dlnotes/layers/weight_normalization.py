"""Weight normalization around a layer with a kernel."""

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._believed import Sized, counted, discounted
from keras_dlnotes._saving import serializable

#: Where a kernel's units are not its last axis.
DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)


@serializable
class WeightNormalization(Sized, keras.layers.Layer):
    """Trains length and direction of each unit's weights apart.

        kernel = g * v / |v|,  |v| over all axes but that of the units

    The wrapped layer's kernel is `v`; `g` starts as its length, so nothing changes at first. TF
    Addons had this wrapper; Keras' `SpectralNormalization` is another thing.

    Args:
        layer: A layer with a kernel, dense or convolution of any kind, an embedding, or a recurrent
            layer, of which the recurrent kernel is meant. A regularizer or constraint of the kernel
            acts on `v`.

    Example:
        >>> layer = WeightNormalization(keras.layers.Dense(3))
        >>> layer(np.ones((2, 4))).shape[-1]
        3
        >>> sorted(tuple(w.shape) for w in layer.trainable_weights)
        [(3,), (3,), (4, 3)]

    Reference: [Salimans & Kingma, 2016](https://arxiv.org/abs/1602.07868)
    """

    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(layer, keras.layers.Layer):
            _checks.fail("layer", "be a Keras layer", layer)
        self.layer = layer
        self.supports_masking = layer.supports_masking

    def build(self, input_shape):
        if not self.layer.built:
            self.layer.build(input_shape)
        self._v = _kernel(self.layer)
        if self._v is None:
            raise ValueError(
                "Argument `layer` must have a kernel or embeddings. Received: layer "
                f"'{self.layer.name}' of type {type(self.layer).__name__}, which has no kernel"
            )
        rank = len(self._v.shape)
        units = (-1,)
        if isinstance(self.layer, TRANSPOSED):
            units = (-2,)
        elif isinstance(self.layer, DEPTHWISE):
            units = (-2, -1)
        kept = {axis % rank for axis in units}
        self._axes = tuple(axis for axis in range(rank) if axis not in kept)
        shape = tuple(self._v.shape[axis] for axis in sorted(kept))
        self._broadcast = tuple(self._v.shape[a] if a in kept else 1 for a in range(rank))
        length = np.sqrt(np.sum(ops.convert_to_numpy(self._v).astype("f8") ** 2, axis=self._axes))
        self.g = self.add_weight(shape, keras.initializers.Constant(length), name="g")
        self.built = True

    def normalized_kernel(self):
        """The kernel that the layer computes with."""
        v = ops.convert_to_tensor(self._v)
        squared = ops.sum(ops.square(v), axis=self._axes, keepdims=True)
        scale = ops.reshape(ops.convert_to_tensor(self.g), self._broadcast)
        # The floor keeps value and gradient finite for a unit whose weights are all zero.
        return v * (scale * ops.rsqrt(ops.maximum(squared, 1e-24)))

    def call(self, inputs):
        # The layer reads its variables through this scope, and finds the normalized kernel in the
        # place of v. All others are handed on, since a scope hides those of an outer one; what the
        # layer changes (statistics, seeds) and its losses are taken out again.
        others = [(w, ops.cast(w, w.dtype)) for w in self.layer.variables if w is not self._v]
        mapping = [(self._v, self.normalized_kernel()), *others]
        with keras.StatelessScope(mapping, collect_losses=True) as scope:
            outputs = self.layer(inputs)
        for variable, before in others:
            after = scope.get_current_value(variable)
            if not variable.trainable and after is not None and after is not before:
                variable.assign(after)
        for loss in scope.losses:
            self.add_loss(loss)
        return outputs

    def compute_mask(self, inputs, previous_mask=None):
        return self.layer.compute_mask(inputs, previous_mask)

    def initialize(self, batch):
        """Scales `g` and the bias such that outputs on a batch have mean 0 and variance 1.

        The paper's data-dependent start. "Outputs" are those before the layer's activation.
        """
        if not self.built:
            self.build(np.shape(batch))
        activation = getattr(self.layer, "activation", None)
        try:
            if activation is not None:
                self.layer.activation = keras.activations.linear
            outputs = ops.convert_to_numpy(self(batch)).astype("float64")
        finally:
            if activation is not None:
                self.layer.activation = activation
        if getattr(self.layer, "data_format", None) == "channels_first":
            outputs = np.moveaxis(outputs, 1, -1)
        axes = tuple(range(outputs.ndim - 1))
        mean, deviation = outputs.mean(axes), np.maximum(outputs.std(axes), 1e-8)
        if deviation.shape != tuple(self.g.shape):
            raise ValueError(
                "Argument `batch` must lead to one output channel for each length in `g`. "
                f"Received: {deviation.shape} outputs, {tuple(self.g.shape)} lengths"
            )
        self.g.assign(ops.convert_to_numpy(ops.convert_to_tensor(self.g)) / deviation)
        if getattr(self.layer, "bias", None) is not None:
            bias = ops.convert_to_numpy(ops.convert_to_tensor(self.layer.bias))
            self.layer.bias.assign((bias - mean) / deviation)

    def remove(self):
        """The wrapped layer alone, which computes the same from here on: its kernel is the product.

        For a model that is to be served, or trained on without the wrapper.
        """
        if not self.built:
            raise ValueError(f"Layer '{self.name}' has no kernel before it is built")
        self._v.assign(self.normalized_kernel())
        return self.layer

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        config = {
            **super().get_config(),
            "layer": keras.saving.serialize_keras_object(self.layer),
        }
        return counted(config, "layer")

    @classmethod
    def from_config(cls, config):
        config = discounted(config, "layer")
        layer = keras.saving.deserialize_keras_object(config["layer"])
        return cls(**{**config, "layer": layer})


def _kernel(layer):
    """The variable that is normalized, if the layer has one."""
    cell = getattr(layer, "cell", None)
    named = ((cell, "recurrent_kernel"), (layer, "kernel"), (layer, "embeddings"))
    found = (getattr(owner, name, None) for owner, name in named)
    return next((variable for variable in found if variable is not None), None)
