"""Snake as a layer, with a frequency that may be learnt."""

import keras

from keras_dlnotes import activations
from keras_dlnotes._believed import Sized
from keras_dlnotes._checks import boolean, fail, number
from keras_dlnotes._saving import serializable
from keras_dlnotes.layers.elementwise import Elementwise


@serializable
class Snake(Sized, Elementwise):
    """The input plus a periodic part: for seasons, tides and sounds, also beyond the data.

    TensorFlow Addons had it as a function with a fixed frequency; here each feature may learn its
    own, as in the paper. Keras has no such layer.

    `f(x) = x + sin(frequency * x) ** 2 / frequency`

    Args:
        frequency: Float > 0, the frequency, or where learning starts. Defaults to 1.
        learnable: Whether every entry of the last axis learns a frequency of its own, as the
            weight `frequencies`. Defaults to False.
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> Snake()(np.array([0.0, np.pi / 2, np.pi])).numpy()
        array([0.     , 2.57080, 3.14159], dtype=float32)

    Reference: [Ziyin et al., 2020](https://arxiv.org/abs/2006.08195)
    """

    def __init__(self, frequency=1.0, learnable=False, **kwargs):
        super().__init__(**kwargs)
        self.frequency = number("frequency", frequency, "(0, inf)")
        self.learnable = boolean("learnable", learnable)
        self.frequencies = None
        self.built = not self.learnable

    def build(self, input_shape):
        if self.learnable:
            if input_shape[-1] is None:
                fail("input_shape", "end in a known size for `learnable=True`", tuple(input_shape))
            self.frequencies = self.add_weight(
                name="frequencies",
                shape=(input_shape[-1],),
                initializer=keras.initializers.Constant(self.frequency),
            )
        self.built = True

    def call(self, inputs):
        return activations.snake(inputs, self.frequencies if self.learnable else self.frequency)

    def get_config(self):
        return {
            **super().get_config(),
            "frequency": self.frequency,
            "learnable": self.learnable,
        }
