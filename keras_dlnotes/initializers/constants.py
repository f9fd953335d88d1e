"""The same number everywhere."""

import numbers

import keras
import numpy as np
from keras import ops

from keras_dlnotes._checks import fail
from keras_dlnotes._saving import serializable


@serializable
class Zeros(keras.initializers.Initializer):
    """All zeros: right for biases, and for kernels the classic mistake.

    With equal weights all units of a layer compute the same, get the same gradient and stay the
    same for ever. As `keras.initializers.Zeros`.

    Example:
        >>> Zeros()((2,)).numpy()
        array([0., 0.], dtype=float32)
    """

    def __call__(self, shape, dtype=None):
        return ops.zeros(shape, dtype=keras.backend.standardize_dtype(dtype))


@serializable
class Constant(keras.initializers.Initializer):
    """One number everywhere, or an array that broadcasts to the shape.

    As `keras.initializers.Constant`. For kernels it fails as `Zeros` does.

    Args:
        value: A number, or an array of numbers. Defaults to 0.

    Example:
        >>> Constant(0.5)((2,)).numpy()
        array([0.5, 0.5], dtype=float32)
    """

    def __init__(self, value=0.0):
        if not isinstance(value, (numbers.Real, np.ndarray, list, tuple)) and not (
            ops.is_tensor(value)
        ):
            fail("value", "be a number or an array of numbers", value)
        if isinstance(value, numbers.Real) and np.isnan(value):
            fail("value", "be a number, not NaN", value)
        self.value = value

    def __call__(self, shape, dtype=None):
        dtype = keras.backend.standardize_dtype(dtype)
        # Not a broadcast: PyTorch would give a view of one number, into which nothing can load.
        return ops.cast(ops.convert_to_tensor(self.value), dtype) * ops.ones(shape, dtype=dtype)

    def get_config(self):
        return {"value": keras.saving.serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["value"]))
