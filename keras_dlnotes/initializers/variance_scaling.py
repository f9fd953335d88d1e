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

    What `GlorotNormal` and its relatives are made of. Same numbers as
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


class Named(VarianceScaling):
    """One of the choices that have a name; only what may vary stands in its config."""

    _keys = ("seed", "input_axes", "output_axes", "kernel")

    def get_config(self):
        config = super().get_config()
        return {key: config[key] if key in config else getattr(self, key) for key in self._keys}


def normal(truncated):
    boolean("truncated", truncated)
    return "truncated_normal" if truncated else "untruncated_normal"


class NormalByInputs(Named):
    """Normal draws of variance `share` over the number of inputs."""

    _keys = ("seed", "input_axes", "output_axes", "truncated", "kernel")

    def __init__(
        self, seed=None, input_axes=None, output_axes=None, *, truncated=True, kernel="conv"
    ):
        super().__init__(
            self.share, "fan_in", normal(truncated), seed, input_axes, output_axes, kernel=kernel
        )
        self.truncated = truncated


class UniformByInputs(Named):
    """Uniform draws of variance `share` over the number of inputs."""

    def __init__(self, seed=None, input_axes=None, output_axes=None, *, kernel="conv"):
        super().__init__(
            self.share, "fan_in", "uniform", seed, input_axes, output_axes, kernel=kernel
        )
