"""Softmax as a layer, which can leave masked classes out."""

import keras
from keras import ops

from keras_dlnotes import activations
from keras_dlnotes._checks import integer
from keras_dlnotes._saving import serializable
from keras_dlnotes.layers.elementwise import Elementwise


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
        mask: 1 where a class takes part, 0 where not; broadcasts to `inputs`. Defaults to None.

    Example:
        >>> import numpy as np
        >>> Softmax()(np.array([1.0, 1.0, 2.0]), mask=np.array([1, 1, 0])).numpy()
        array([0.5, 0.5, 0.], dtype=float32)
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        many = isinstance(axis, (list, tuple))
        self.axis = [integer("axis", one) for one in axis] if many else integer("axis", axis)

    def call(self, inputs, mask=None):
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        if mask is None:
            return activations.softmax(inputs, axis=axis)
        self._check_broadcast(mask, inputs)
        if keras.backend.standardize_dtype(mask.dtype) != "bool":
            mask = mask > 0.5
        lowest = -3e4 if keras.backend.standardize_dtype(inputs.dtype) == "float16" else -1e9
        outputs = activations.softmax(ops.where(mask, inputs, lowest), axis=axis)
        return ops.where(mask, outputs, 0.0)

    @staticmethod
    def _check_broadcast(mask, inputs):
        sizes = zip(mask.shape[::-1], inputs.shape[::-1], strict=False)
        fits = all(m in (None, 1, i) or i is None for m, i in sizes)
        if len(mask.shape) > len(inputs.shape) or not fits:
            raise ValueError(
                "Argument `mask` must be broadcastable to `inputs`, each of its sizes 1 or that of "
                "`inputs`, and must not have more dimensions. "
                f"Received: mask.shape={tuple(mask.shape)}, inputs.shape={tuple(inputs.shape)}"
            )

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
