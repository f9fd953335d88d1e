"""Softmax as a layer, which can leave masked classes out."""

import keras
from keras import ops

from keras_dlnotes import activations
from keras_dlnotes._checks import integer
from keras_dlnotes._saving import serializable
from keras_dlnotes.layers.elementwise import Elementwise


def _broadcasts(shape, target):
    """Whether `shape` broadcasts to `target` without making it larger."""
    sizes = zip(shape[::-1], target[::-1], strict=False)
    return len(shape) <= len(target) and all(a in (None, 1, b) or b is None for a, b in sizes)


def _same_sizes(shape, target):
    return len(shape) == len(target) and _broadcasts(shape, target)


@serializable
class Softmax(Elementwise):
    """Turns numbers into a probability distribution over classes.

    As `keras.layers.Softmax`. Where the mask is 0 the output is 0, also where all of it is.

    `f(x)_i = exp(x_i) / sum_j exp(x_j)`

    Args:
        axis: Integer, or list of integers. The classes. Defaults to -1.
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Call arguments:
        inputs: The logits.
        mask: 1 where a class takes part, 0 where not; broadcasts to `inputs`. A mask of time
            steps, of the shape of `inputs` without its last axis, is only passed on.

    Example:
        >>> import numpy as np
        >>> Softmax()(np.array([1.0, 1.0, 2.0]), mask=np.array([1, 1, 0])).numpy()
        array([0.5, 0.5, 0. ], dtype=float32)
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        many = isinstance(axis, (list, tuple))
        self.axis = [integer("axis", one) for one in axis] if many else integer("axis", axis)

    def call(self, inputs, mask=None):
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        if mask is not None and not _broadcasts(mask.shape, inputs.shape):
            if not _same_sizes(mask.shape, inputs.shape[:-1]):
                raise ValueError(
                    "Argument `mask` must be broadcastable to `inputs`, each of its sizes 1 or "
                    "that of `inputs`, and must not have more dimensions. Received: "
                    f"mask.shape={tuple(mask.shape)}, inputs.shape={tuple(inputs.shape)}"
                )
            # A mask of time steps, handed on by the layer before: it concerns no class.
            mask = None
        if mask is None:
            return activations.softmax(inputs, axis=axis)
        if keras.backend.standardize_dtype(mask.dtype) != "bool":
            mask = ops.cast(mask, "float32") > 0.5
        lowest = -3e4 if keras.backend.standardize_dtype(inputs.dtype) == "float16" else -1e9
        outputs = activations.softmax(ops.where(mask, inputs, lowest), axis=axis)
        return ops.where(mask, outputs, 0.0)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
