"""Dropout, with Keras' scaling or the notes', and alpha dropout for SELU."""

import keras
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable

#: SELU's saturation value, -scale * alpha: what a dropped unit is set to.
SATURATION = -1.0507009873554804934193349852946 * 1.6732632423543772848170429916717


class RandomMask(keras.layers.Layer):
    """What both share: a rate, a shape for the noise, a seed."""

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = _checks.number("rate", rate, "[0, 1)")
        self.noise_shape = checked_noise_shape(noise_shape)
        self.seed = _checks.seed("seed", seed)
        if self.rate > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        self._build_at_init()

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "rate": self.rate,
            "noise_shape": self.noise_shape,
            "seed": self.seed,
        }


@serializable
class Dropout(RandomMask):
    """Sets a random share of the inputs to zero while training.

    `keras.layers.Dropout`, with its numbers, and the scaling of the notes besides. With
    `keep = 1 - rate` and `m` drawn from {0, 1}, 1 with probability `keep`:

        scaling="inverted":  training  x * m / keep,   afterwards  x
        scaling="notes":     training  x * m,          afterwards  x * keep

    Both expect the same of the next layer; the first leaves prediction alone.

    Args:
        rate: Float in [0, 1). Share of the inputs dropped.
        noise_shape: Shape of the mask, for one decision to hold along some axes: (None, 1, None)
            drops a feature at all times or at none. Defaults to None, the shape of the inputs.
        seed: Integer seed, or None.
        scaling: "inverted" or "notes". Defaults to "inverted".

    Example:
        >>> layer = Dropout(0.5, seed=1, scaling="notes")
        >>> keras.ops.convert_to_numpy(layer(np.ones((1, 4)), training=False))
        array([[0.5, 0.5, 0.5, 0.5]], dtype=float32)

    Reference: [Srivastava et al., 2014](https://jmlr.org/papers/v15/srivastava14a.html)
    """

    def __init__(self, rate, noise_shape=None, seed=None, *, scaling="inverted", **kwargs):
        self.scaling = _checks.one_of("scaling", scaling, ("inverted", "notes"))
        super().__init__(rate, noise_shape, seed, **kwargs)

    def call(self, inputs, training=False):
        if self.rate == 0:
            return inputs
        keep = 1 - self.rate
        if training:
            dropped = keras.random.dropout(
                inputs, self.rate, noise_shape=self.noise_shape, seed=self.seed_generator
            )
            return dropped if self.scaling == "inverted" else dropped * keep
        return inputs if self.scaling == "inverted" else inputs * keep

    def get_config(self):
        return {**super().get_config(), "scaling": self.scaling}


@serializable
class AlphaDropout(RandomMask):
    """Dropout that keeps mean 0 and variance 1 behind a SELU.

    A dropped input becomes `s`, the value SELU saturates at, and an affine map restores the first
    two moments. `keras.layers.AlphaDropout`, with its numbers.

        s = -1.7581,  q = 1 - rate
        outputs = a * (x * m + s * (1 - m)) + b
        a = (q * (1 + rate * s^2)) ^ (-1/2),  b = -a * s * rate

    Args:
        rate: Float in [0, 1). Share of the inputs dropped.
        noise_shape: Shape of the mask; None entries follow the inputs. Defaults to None.
        seed: Integer seed, or None.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(1000, 50))
        >>> y = keras.ops.convert_to_numpy(AlphaDropout(0.3, seed=1)(x, training=True))
        >>> bool(abs(y.mean()) < 0.02 and abs(y.std() - 1) < 0.02)
        True

    Reference: [Klambauer et al., 2017](https://arxiv.org/abs/1706.02515)
    """

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        shape = ops.shape(inputs)
        if self.noise_shape is not None:
            pairs = zip(self.noise_shape, shape, strict=True)
            shape = tuple(size if wanted is None else wanted for wanted, size in pairs)
        kept = keras.random.uniform(shape, seed=self.seed_generator) >= self.rate
        kept = ops.cast(kept, inputs.dtype)
        a = ((1 - self.rate) * (1 + self.rate * SATURATION**2)) ** -0.5
        b = -a * SATURATION * self.rate
        return a * (inputs * kept + SATURATION * (1 - kept)) + b


def checked_noise_shape(shape):
    if shape is None:
        return None
    if isinstance(shape, str) or not hasattr(shape, "__iter__"):
        _checks.fail("noise_shape", "be a tuple of integers and None", shape)
    for size in shape:
        if size is not None:
            _checks.integer("noise_shape", size, 1)
    return tuple(shape)
