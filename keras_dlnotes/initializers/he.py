"""He initialization: the signal keeps its size although ReLU cuts off half of it."""

from keras_dlnotes._saving import serializable
from keras_dlnotes.initializers.variance_scaling import NormalByInputs, UniformByInputs


@serializable
class HeNormal(NormalByInputs):
    """He initialization, normal: for ReLU and its relatives.

    The 2 makes up for the half of the signal that ReLU cuts off. Same numbers as
    `keras.initializers.HeNormal`.

    `x ~ N(0, 2 / fan_in)`

    Args:
        seed: Integer, or a `keras.random.SeedGenerator`. Defaults to None, a fresh one.
        input_axes: Axes of a kernel's inputs, if they are not to be guessed.
        output_axes: Axes of a kernel's outputs, if they are not to be guessed.
        truncated: Whether draws beyond two standard deviations are drawn again, as in Keras, or the
            normal is a plain one, as in the notes. Defaults to True.
        kernel: `"conv"`, `"depthwise"` or `"transposed"`; see `compute_fans`. Defaults to `"conv"`.

    Example:
        >>> HeNormal(seed=1)((3, 2)).shape
        TensorShape([3, 2])

    Reference: [He et al., 2015](https://arxiv.org/abs/1502.01852)
    """

    share = 2.0


@serializable
class HeUniform(UniformByInputs):
    """He initialization, uniform: for ReLU and its relatives.

    Same numbers as `keras.initializers.HeUniform`.

    `x ~ U[-limit, limit)`, `limit = sqrt(6 / fan_in)`

    Args:
        seed: Integer, or a `keras.random.SeedGenerator`. Defaults to None, a fresh one.
        input_axes: Axes of a kernel's inputs, if they are not to be guessed.
        output_axes: Axes of a kernel's outputs, if they are not to be guessed.
        kernel: `"conv"`, `"depthwise"` or `"transposed"`; see `compute_fans`. Defaults to `"conv"`.

    Example:
        >>> HeUniform(seed=1)((3, 2)).shape
        TensorShape([3, 2])

    Reference: [He et al., 2015](https://arxiv.org/abs/1502.01852)
    """

    share = 2.0
