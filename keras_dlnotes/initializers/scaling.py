"""Random numbers whose spread follows from the size of the layer."""

import math

import keras

from keras_dlnotes._checks import boolean, number, one_of
from keras_dlnotes._saving import serializable
from keras_dlnotes.initializers.draws import checked_seed
from keras_dlnotes.initializers.fans import KERNELS, compute_fans

MODES = ("fan_in", "fan_out", "fan_avg")
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
#: Standard deviation of a standard normal cut off at ±2.
TRUNCATED_STDDEV = 0.87962566103423978


@serializable
class VarianceScaling(keras.initializers.VarianceScaling):
    """Draws whose variance is `scale` over the number of inputs or outputs.

    What all initializers of this file are made of. Same numbers as
    `keras.initializers.VarianceScaling`, and `kernel` for the layers whose fans Keras gets wrong.

    `x ~ N(0, scale / fan)` or `U[-limit, limit)`, `limit = sqrt(3 * scale / fan)`

    Args:
        scale: Float > 0. Defaults to 1.
        mode: `"fan_in"`, `"fan_out"`, or `"fan_avg"`, their mean. Defaults to `"fan_in"`.
        distribution: `"truncated_normal"` (beyond two standard deviations drawn again, the spread
            corrected), `"untruncated_normal"`, or `"uniform"`. Defaults to `"truncated_normal"`.
        seed: Integer, or a `keras.random.SeedGenerator`. Defaults to None, a fresh one.
        input_axes: Axes of a kernel's inputs, if they are not to be guessed.
        output_axes: Axes of a kernel's outputs, if they are not to be guessed.
        kernel: `"conv"`, `"depthwise"` or `"transposed"`; see `compute_fans`. Defaults to `"conv"`.

    Example:
        >>> draw = VarianceScaling(2.0, distribution="untruncated_normal", seed=1)
        >>> print(f"{float(keras.ops.std(draw((200, 500)))):.2f}")
        0.10
    """

    def __init__(
        self,
        scale=1.0,
        mode="fan_in",
        distribution="truncated_normal",
        seed=None,
        input_axes=None,
        output_axes=None,
        *,
        kernel="conv",
    ):
        scale = number("scale", scale, "(0, inf)")
        one_of("mode", mode, MODES)
        lowered = distribution.lower() if isinstance(distribution, str) else distribution
        lowered = "truncated_normal" if lowered == "normal" else lowered
        if lowered not in DISTRIBUTIONS:
            one_of("distribution", distribution, DISTRIBUTIONS)
        one_of("kernel", kernel, KERNELS)
        super().__init__(scale=scale, mode=mode, distribution=lowered, seed=checked_seed(seed))
        self.input_axes = input_axes
        self.output_axes = output_axes
        self.kernel = kernel

    def __call__(self, shape, dtype=None):
        fan_in, fan_out = compute_fans(shape, self.kernel, self.input_axes, self.output_axes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return keras.random.uniform(shape, -limit, limit, dtype=dtype, seed=self.seed)
        if self.distribution == "untruncated_normal":
            stddev = math.sqrt(variance)
            return keras.random.normal(shape, stddev=stddev, dtype=dtype, seed=self.seed)
        stddev = math.sqrt(variance) / TRUNCATED_STDDEV
        return keras.random.truncated_normal(shape, stddev=stddev, dtype=dtype, seed=self.seed)

    def get_config(self):
        return {
            **super().get_config(),
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
            "kernel": self.kernel,
        }


class _Named(VarianceScaling):
    """One of the named choices; only what may vary stands in its config."""

    _keys = ("seed", "input_axes", "output_axes", "kernel")

    def get_config(self):
        config = super().get_config()
        return {key: config[key] if key in config else getattr(self, key) for key in self._keys}


def _normal(truncated):
    boolean("truncated", truncated)
    return "truncated_normal" if truncated else "untruncated_normal"


@serializable
class GlorotNormal(_Named):
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
        super().__init__(
            1.0, mode, _normal(truncated), seed, input_axes, output_axes, kernel=kernel
        )
        self.truncated = truncated


@serializable
class GlorotUniform(_Named):
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


@serializable
class HeNormal(_Named):
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

    _keys = ("seed", "input_axes", "output_axes", "truncated", "kernel")

    def __init__(
        self, seed=None, input_axes=None, output_axes=None, *, truncated=True, kernel="conv"
    ):
        super().__init__(
            2.0, "fan_in", _normal(truncated), seed, input_axes, output_axes, kernel=kernel
        )
        self.truncated = truncated


@serializable
class HeUniform(_Named):
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

    _keys = ("seed", "input_axes", "output_axes", "kernel")

    def __init__(self, seed=None, input_axes=None, output_axes=None, *, kernel="conv"):
        super().__init__(2.0, "fan_in", "uniform", seed, input_axes, output_axes, kernel=kernel)


@serializable
class LecunNormal(_Named):
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
            1.0, "fan_in", _normal(truncated), seed, input_axes, output_axes, kernel=kernel
        )
        self.truncated = truncated


@serializable
class LecunUniform(_Named):
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


@serializable
class FanInUniform(_Named):
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

    _keys = ("seed", "input_axes", "output_axes", "kernel")

    def __init__(self, seed=None, input_axes=None, output_axes=None, *, kernel="conv"):
        super().__init__(
            1.0 / 3.0, "fan_in", "uniform", seed, input_axes, output_axes, kernel=kernel
        )


#: The notes' names.
XavierNormal = GlorotNormal
XavierUniform = GlorotUniform
