"""LeCun initialization: the signal keeps its size."""

from keras_dlnotes._saving import serializable
from keras_dlnotes.initializers.variance_scaling import Named, normal


@serializable
class LecunNormal(Named):
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

    _keys = ("seed", "input_axes", "output_axes", "truncated", "kernel")

    def __init__(
        self, seed=None, input_axes=None, output_axes=None, *, truncated=True, kernel="conv"
    ):
        super().__init__(
            1.0, "fan_in", normal(truncated), seed, input_axes, output_axes, kernel=kernel
        )
        self.truncated = truncated


@serializable
class LecunUniform(Named):
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

    _keys = ("seed", "input_axes", "output_axes", "kernel")

    def __init__(self, seed=None, input_axes=None, output_axes=None, *, kernel="conv"):
        super().__init__(1.0, "fan_in", "uniform", seed, input_axes, output_axes, kernel=kernel)
