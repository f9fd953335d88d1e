"""Noise for denoising: added while training, absent afterwards."""

import keras
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable


class Corruption(keras.layers.Layer):
    """What the corruptions share: a seed, and that they pass everything on after training."""

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = _checks.seed("seed", seed)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        self._build_at_init()

    def corrupt(self, inputs):
        raise NotImplementedError

    def call(self, inputs, training=False):
        return self.corrupt(inputs) if training else inputs

    def uniform(self, inputs):
        return keras.random.uniform(ops.shape(inputs), dtype="float32", seed=self.seed_generator)

    def compute_output_shape(self, input_shape):
        return input_shape


@serializable
class GaussianCorruption(Corruption):
    """Adds normal noise while training: `x + stddev * n`.

    `keras.layers.GaussianNoise` with its numbers, and without its limit of 1.

    Args:
        stddev: Float in [0, inf).
        seed: Integer seed, or None.

    Example:
        >>> layer = GaussianCorruption(0.5, seed=1)
        >>> bool((layer(np.ones((2, 3)), training=False) == 1).numpy().all())
        True
    """

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.stddev = _checks.number("stddev", stddev, "[0, inf)")

    def corrupt(self, inputs):
        noise = keras.random.normal(
            ops.shape(inputs),
            stddev=self.stddev,
            dtype=self.compute_dtype,
            seed=self.seed_generator,
        )
        return inputs + noise

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


@serializable
class MaskingCorruption(Corruption):
    """Sets a random share of the inputs to zero while training, without scaling the rest.

    Unlike dropout it does not keep the mean: the net is to notice that something is missing.

    Args:
        rate: Float in [0, 1). Share of the inputs masked.
        seed: Integer seed, or None.

    Example:
        >>> y = MaskingCorruption(0.5, seed=1)(np.ones((100, 100)), training=True)
        >>> sorted(set(keras.ops.convert_to_numpy(y).ravel().tolist()))
        [0.0, 1.0]

    Reference: [Vincent et al., 2010](https://www.jmlr.org/papers/v11/vincent10a.html), section 3.3
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate = _checks.number("rate", rate, "[0, 1)")

    def corrupt(self, inputs):
        # Chosen, not multiplied, so that an infinite input can be masked too.
        return ops.where(self.uniform(inputs) < self.rate, ops.zeros_like(inputs), inputs)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


@serializable
class SaltAndPepperCorruption(Corruption):
    """Sets a random share of the inputs to their lowest or highest value while training.

    Args:
        rate: Float in [0, 1). Share of the inputs hit, half of them each way.
        seed: Integer seed, or None.
        low, high: Floats. The two values. Default to 0 and 1.

    Example:
        >>> y = SaltAndPepperCorruption(0.5, seed=1)(np.full((100, 100), 0.5), training=True)
        >>> sorted(set(keras.ops.convert_to_numpy(y).ravel().tolist()))
        [0.0, 0.5, 1.0]

    Reference: [Vincent et al., 2010](https://www.jmlr.org/papers/v11/vincent10a.html), section 3.3
    """

    def __init__(self, rate, seed=None, *, low=0.0, high=1.0, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate = _checks.number("rate", rate, "[0, 1)")
        self.low, self.high = _checks.number("low", low), _checks.number("high", high)
        if not self.low < self.high:
            _checks.fail("high", f"be above low={self.low}", high)

    def corrupt(self, inputs):
        drawn = self.uniform(inputs)
        low, high = (ops.full_like(inputs, value) for value in (self.low, self.high))
        salted = ops.where(drawn < self.rate, high, inputs)
        return ops.where(drawn < self.rate / 2, low, salted)

    def get_config(self):
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
            "low": self.low,
            "high": self.high,
        }
