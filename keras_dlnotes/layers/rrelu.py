"""Randomised leaky ReLU as a layer."""

import keras

from keras_dlnotes import activations
from keras_dlnotes._checks import fail, number
from keras_dlnotes._checks import seed as _seed
from keras_dlnotes._saving import serializable
from keras_dlnotes.layers.elementwise import Elementwise


@serializable
class RReLU(Elementwise):
    """Leaky ReLU whose slope is drawn anew for every element while training.

    The noise regularises; after training the mean slope takes its place. TensorFlow Addons had it
    as a function that had to be told whether the model trains; the layer knows.

    `f(x) = x if x > 0 else slope * x`, `slope ~ U[lower, upper)`, or `(lower + upper) / 2`

    Args:
        lower: Float >= 0. Least slope. Defaults to 1/8.
        upper: Float, at least `lower`. Greatest slope. Defaults to 1/3.
        seed: Integer, or a `keras.random.SeedGenerator`. Defaults to None, a fresh one.
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> RReLU(0.1, 0.3)(np.array([-10.0, 0.0, 5.0])).numpy()
        array([-2., 0., 5.], dtype=float32)

    Reference: [Xu et al., 2015](https://arxiv.org/abs/1505.00853)
    """

    def __init__(self, lower=0.125, upper=1 / 3, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.lower = number("lower", lower, "[0, inf)")
        self.upper = number("upper", upper, "[0, inf)")
        if self.upper < self.lower:
            fail("upper", f"be at least lower={self.lower}", upper)
        self.seed = _seed("seed", seed)
        generator = isinstance(seed, keras.random.SeedGenerator)
        self.seed_generator = seed if generator else keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        return activations.rrelu(
            inputs, self.lower, self.upper, training=training, seed=self.seed_generator
        )

    def get_config(self):
        return {
            **super().get_config(),
            "lower": self.lower,
            "upper": self.upper,
            "seed": self.seed,
        }
