"""The old rule of thumb."""

from keras_dlnotes._saving import serializable
from keras_dlnotes.initializers.variance_scaling import UniformByInputs


@serializable
class FanInUniform(UniformByInputs):
    """The old rule of thumb, which shrinks signals by sqrt(3) a layer.

    Its variance is only 1 / (3 fan_in). Keras has no name for it; it is the default of PyTorch's
    linear layers.

    `x ~ U[-limit, limit)`, `limit = 1 / sqrt(fan_in)`

    Args:
        seed: Integer, or a `keras.random.SeedGenerator`. Defaults to None, a fresh one.
        input_axes: Axes of a kernel's inputs, if they are not to be guessed.
        output_axes: Axes of a kernel's outputs, if they are not to be guessed.
        kernel: `"conv"`, `"depthwise"` or `"transposed"`; see `compute_fans`. Defaults to `"conv"`.

    Example:
        >>> FanInUniform(seed=1)((3, 2)).shape
        TensorShape([3, 2])

    Reference: [Glorot & Bengio, 2010](https://proceedings.mlr.press/v9/glorot10a.html)
    """

    share = 1.0 / 3.0
