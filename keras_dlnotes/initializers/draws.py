"""Random numbers whose spread does not know the layer they are for."""

import keras

from keras_dlnotes._checks import fail, number
from keras_dlnotes._checks import seed as _seed
from keras_dlnotes._saving import serializable


def checked_seed(seed):
    """A seed as Keras' initializers take it; out of a config it may still be a dictionary."""
    return seed if isinstance(seed, dict) else _seed("seed", seed)


@serializable
class RandomNormal(keras.initializers.RandomNormal):
    """Normal draws of one spread for every layer.

    Same numbers as `keras.initializers.RandomNormal`.

    `x ~ N(mean, stddev ** 2)`

    Args:
        mean: Float. Defaults to 0.
        stddev: Float >= 0. Defaults to 0.05.
        seed: Integer, or a `keras.random.SeedGenerator`. An integer gives the same numbers with
            every call. Defaults to None, a fresh one.

    Example:
        >>> float(keras.ops.std(RandomNormal(stddev=0.5, seed=1)((100, 100))))
        0.5
    """

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        mean, stddev = number("mean", mean), number("stddev", stddev, "[0, inf)")
        super().__init__(mean=mean, stddev=stddev, seed=checked_seed(seed))

    def __call__(self, shape, dtype=None):
        return keras.random.normal(
            shape, mean=self.mean, stddev=self.stddev, dtype=dtype, seed=self.seed
        )


@serializable
class SmallNormal(RandomNormal):
    """Normal draws with a spread of 0.01: fine for two layers, too small for ten.

    Each layer shrinks what it passes on by `stddev * sqrt(fan_in)`, so signals and gradients fade
    towards 0; `HeNormal` and `GlorotNormal` choose the spread that keeps them.

    `x ~ N(mean, stddev ** 2)`

    Args:
        mean: Float. Defaults to 0.
        stddev: Float >= 0. Defaults to 0.01.
        seed: Integer, or a `keras.random.SeedGenerator`. Defaults to None, a fresh one.

    Example:
        >>> SmallNormal().stddev
        0.01
    """

    def __init__(self, mean=0.0, stddev=0.01, seed=None):
        super().__init__(mean=mean, stddev=stddev, seed=seed)


@serializable
class LargeNormal(RandomNormal):
    """Normal draws with a spread of 1: drives sigmoid and tanh units into saturation at once.

    Each layer's sums grow by `stddev * sqrt(fan_in)`; units stick at their bounds, where the
    gradient is 0, and with ReLU the signals explode.

    `x ~ N(mean, stddev ** 2)`

    Args:
        mean: Float. Defaults to 0.
        stddev: Float >= 0. Defaults to 1.
        seed: Integer, or a `keras.random.SeedGenerator`. Defaults to None, a fresh one.

    Example:
        >>> LargeNormal().stddev
        1.0
    """

    def __init__(self, mean=0.0, stddev=1.0, seed=None):
        super().__init__(mean=mean, stddev=stddev, seed=seed)


@serializable
class TruncatedNormal(keras.initializers.TruncatedNormal):
    """Normal draws, those beyond two `stddev` drawn again.

    Same numbers as `keras.initializers.TruncatedNormal`.

    Args:
        mean: Float. Defaults to 0.
        stddev: Float >= 0, the spread before truncation. Defaults to 0.05.
        seed: Integer, or a `keras.random.SeedGenerator`. Defaults to None, a fresh one.

    Example:
        >>> bool(keras.ops.max(TruncatedNormal(stddev=1.0, seed=1)((100, 100))) <= 2)
        True
    """

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        mean, stddev = number("mean", mean), number("stddev", stddev, "[0, inf)")
        super().__init__(mean=mean, stddev=stddev, seed=checked_seed(seed))

    def __call__(self, shape, dtype=None):
        return keras.random.truncated_normal(
            shape, mean=self.mean, stddev=self.stddev, dtype=dtype, seed=self.seed
        )


@serializable
class RandomUniform(keras.initializers.RandomUniform):
    """Even draws between two bounds. Same numbers as `keras.initializers.RandomUniform`.

    `x ~ U[minval, maxval)`

    Args:
        minval: Float. Defaults to -0.05.
        maxval: Float, at least `minval`. Defaults to 0.05.
        seed: Integer, or a `keras.random.SeedGenerator`. Defaults to None, a fresh one.

    Example:
        >>> bool(keras.ops.min(RandomUniform(0.0, 1.0, seed=1)((100, 100))) >= 0)
        True
    """

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        minval, maxval = number("minval", minval), number("maxval", maxval)
        if maxval < minval:
            fail("maxval", f"be at least minval={minval}", maxval)
        super().__init__(minval=minval, maxval=maxval, seed=checked_seed(seed))

    def __call__(self, shape, dtype=None):
        return keras.random.uniform(
            shape, minval=self.minval, maxval=self.maxval, dtype=dtype, seed=self.seed
        )
