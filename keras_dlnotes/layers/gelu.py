"""GELU as a layer."""

from keras_dlnotes import activations
from keras_dlnotes._checks import boolean
from keras_dlnotes._saving import serializable
from keras_dlnotes.layers.elementwise import Elementwise


@serializable
class GELU(Elementwise):
    """The Gaussian error linear unit: the input times the probability of a normal below it.

    `keras.activations.gelu` as a layer, so that either formula can be chosen in a saved model.

    `f(x) = x * (1 + erf(x / sqrt(2))) / 2`, or approximately
    `f(x) = x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3))) / 2`

    Args:
        approximate: Whether to use the second formula. Defaults to False.
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> GELU()(np.array([-1.0, 0.0, 1.0])).numpy()
        array([-0.15866,  0.     ,  0.84134 ], dtype=float32)

    Reference: [Hendrycks & Gimpel, 2016](https://arxiv.org/abs/1606.08415)
    """

    def __init__(self, approximate=False, **kwargs):
        super().__init__(**kwargs)
        self.approximate = boolean("approximate", approximate)

    def call(self, inputs):
        return activations.gelu(inputs, approximate=self.approximate)

    def get_config(self):
        return {**super().get_config(), "approximate": self.approximate}
