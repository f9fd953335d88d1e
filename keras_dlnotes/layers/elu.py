"""ELU as a layer."""

from keras_dlnotes import activations
from keras_dlnotes._checks import number
from keras_dlnotes._saving import serializable
from keras_dlnotes.layers.elementwise import Elementwise


@serializable
class ELU(Elementwise):
    """The exponential linear unit: below 0 it bends smoothly towards `-alpha`.

    As `keras.layers.ELU`.

    `f(x) = x if x > 0 else alpha * (exp(x) - 1)`

    Args:
        alpha: Float >= 0. Minus the value for very negative inputs. Defaults to 1.
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> ELU(alpha=2.0)(np.array([-0.6931472, 0.0, 5.0])).numpy()
        array([-1., 0., 5.], dtype=float32)

    Reference: [Clevert et al., 2016](https://arxiv.org/abs/1511.07289)
    """

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = number("alpha", alpha, "[0, inf)")

    def call(self, inputs):
        return activations.elu(inputs, alpha=self.alpha)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha}
