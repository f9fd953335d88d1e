"""Xavier initialization: the signal and its gradient keep their size, on average of both."""

from keras_dlnotes._saving import serializable
from keras_dlnotes.initializers.variance_scaling import Named, normal


@serializable
class GlorotNormal(Named):
    """Xavier initialization, normal: for tanh, sigmoid and linear units.

    Same numbers as `keras.initializers.GlorotNormal`.

    `x ~ N(0, 2 / (fan_in + fan_out))`

    Args:
        seed: Integer, or a `keras.random.SeedGenerator`. Defaults to None, a fresh one.
        input_axes: Axes of a kernel's inputs, if they are not to be guessed.
        output_axes: Axes of a kernel's outputs, if they are not to be guessed.
        mode: `"fan_avg"`, or the notes' second form, `"fan_in"`, with `N(0, 1 / fan_in)`. Also
            `"fan_out"`. Defaults to `"fan_avg"`.
        truncated: Whether draws beyond two standard deviations are drawn again, as in Keras, or the
            normal is a plain one, as in the notes. Defaults to True.
        kernel: `"conv"`, `"depthwise"` or `"transposed"`; see `compute_fans`. Defaults to `"conv"`.

    Example:
        >>> GlorotNormal(seed=1)((3, 2)).shape
        TensorShape([3, 2])

    Reference: [Glorot & Bengio, 2010](https://proceedings.mlr.press/v9/glorot10a.html)
    """

    _keys = ("seed", "input_axes", "output_axes", "mode", "truncated", "kernel")

    def __init__(
        self,
        seed=None,
        input_axes=None,
        output_axes=None,
        *,
        mode="fan_avg",
        truncated=True,
        kernel="conv",
    ):
        super().__init__(1.0, mode, normal(truncated), seed, input_axes, output_axes, kernel=kernel)
        self.truncated = truncated


@serializable
class GlorotUniform(Named):
    """Xavier initialization, uniform: for tanh, sigmoid and linear units; Keras' default.

    Same numbers as `keras.initializers.GlorotUniform`.

    `x ~ U[-limit, limit)`, `limit = sqrt(6 / (fan_in + fan_out))`

    Args:
        seed: Integer, or a `keras.random.SeedGenerator`. Defaults to None, a fresh one.
        input_axes: Axes of a kernel's inputs, if they are not to be guessed.
        output_axes: Axes of a kernel's outputs, if they are not to be guessed.
        mode: `"fan_avg"`, or the notes' second form, `"fan_in"`, with
            `limit = sqrt(3 / fan_in)`. Also `"fan_out"`. Defaults to `"fan_avg"`.
        kernel: `"conv"`, `"depthwise"` or `"transposed"`; see `compute_fans`. Defaults to `"conv"`.

    Example:
        >>> GlorotUniform(seed=1)((3, 2)).shape
        TensorShape([3, 2])

    Reference: [Glorot & Bengio, 2010](https://proceedings.mlr.press/v9/glorot10a.html)
    """

    _keys = ("seed", "input_axes", "output_axes", "mode", "kernel")

    def __init__(
        self, seed=None, input_axes=None, output_axes=None, *, mode="fan_avg", kernel="conv"
    ):
        super().__init__(1.0, mode, "uniform", seed, input_axes, output_axes, kernel=kernel)


#: The notes' names.
XavierNormal = GlorotNormal
XavierUniform = GlorotUniform
