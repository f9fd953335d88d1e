"""The input and something added to it: a wave, or minus its own tangent."""

import keras
from keras import ops

from keras_dlnotes._saving import serializable
from keras_dlnotes.activations._tensors import floats


@serializable
def snake(x, frequency=1.0):
    """The input plus a periodic part: for seasons, tides and sounds, also beyond the data.

    TensorFlow Addons had it, Keras has not.

    `f(x) = x + sin(frequency * x) ** 2 / frequency`

    Args:
        x: Input tensor.
        frequency: Float, or a tensor that broadcasts against `x`. Defaults to 1.

    Example:
        >>> snake([0.0, np.pi / 2, np.pi]).numpy()
        array([0.     , 2.57080, 3.14159], dtype=float32)

    Reference: [Ziyin et al., 2020](https://arxiv.org/abs/2006.08195)
    """
    x = floats(x)
    # In half precision frequency * x could overflow, and the sine of infinity is NaN.
    half = keras.backend.standardize_dtype(x.dtype) in ("float16", "bfloat16")
    wave = ops.sin(frequency * (ops.cast(x, "float32") if half else x))
    return x + ops.cast(wave * wave / frequency, x.dtype)


@serializable
def tanh_shrink(x):
    """The input without its hyperbolic tangent: small inputs all but vanish.

    For sparse codes and for denoising; `tanhshrink` in TensorFlow Addons.

    `f(x) = x - tanh(x)`

    Args:
        x: Input tensor.

    Example:
        >>> tanh_shrink([-1e4, 0.0, 1.0]).numpy()
        array([-9.99900e+03, 0.00000e+00, 2.38406e-01], dtype=float32)
    """
    x = floats(x)
    return x - ops.tanh(x)


#: The name it had in TensorFlow Addons.
tanhshrink = tanh_shrink
