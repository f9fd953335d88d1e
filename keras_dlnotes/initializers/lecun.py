"""LeCun initialization: the signal keeps its size."""

from keras_dlnotes._saving import serializable
from keras_dlnotes.initializers.variance_scaling import NormalByInputs, UniformByInputs


@serializable
class LecunNormal(NormalByInputs):
    """Variance 1 / fan_in, normal: what SELU asks for.

    Same numbers as `keras.initializers.LecunNormal`.

    `x ~ N(0, 1 / fan_in)`

    Args:
        seed: Integer, or a `keras.random.SeedGenerator`. Defaults to None, a fresh one.
        input_axes: Axes of a kernel's inputs, if they are not to be guessed.
        output_axes: Axes of a kernel's outputs, if they are not to be guessed.
        truncated: Whether draws beyond two standard deviations are drawn again, as in Keras, or the
            normal is a plain one, as in the notes. Defaults to True.
        kernel: `"conv"`, `"depthwise"` or `"transposed"`; see `compute_fans`. Defaults to `"conv"`.

    Example:
        >>> LecunNormal(seed=1)((3, 2)).shape
        TensorShape([3, 2])

    Reference: [LeCun et al., 1998, Efficient BackProp](https://doi.org/10.1007/3-540-49430-8_2)
    """

    share = 1.0


@serializable
class LecunUniform(UniformByInputs):
    """Variance 1 / fan_in, uniform.

    Same numbers as `keras.initializers.LecunUniform`.

    `x ~ U[-limit, limit)`, `limit = sqrt(3 / fan_in)`

    Args:
        seed: Integer, or a `keras.random.SeedGenerator`. Defaults to None, a fresh one.
        input_axes: Axes of a kernel's inputs, if they are not to be guessed.
        output_axes: Axes of a kernel's outputs, if they are not to be guessed.
        kernel: `"conv"`, `"depthwise"` or `"transposed"`; see `compute_fans`. Defaults to `"conv"`.

    Example:
        >>> LecunUniform(seed=1)((3, 2)).shape
        TensorShape([3, 2])

    Reference: [LeCun et al., 1998, Efficient BackProp](https://doi.org/10.1007/3-540-49430-8_2)
    """

    share = 1.0
