"""Leaky ReLU as a layer."""

from keras_dlnotes import activations
from keras_dlnotes._checks import number
from keras_dlnotes._saving import serializable
from keras_dlnotes.layers.elementwise import Elementwise


@serializable
class LeakyReLU(Elementwise):
    """ReLU with a small slope for negative inputs, so that no unit dies.

    Arguments, default and numbers of `keras.layers.LeakyReLU`. The slope 0.3 is Keras' choice for
    the layer; its authors, and `activations.leaky_relu`, have 0.01.

    `f(x) = x if x > 0 else negative_slope * x`

    Args:
        negative_slope: Float >= 0. Slope for negative inputs. Defaults to 0.3.
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> LeakyReLU(0.01)(np.array([-10.0, 0.0, 5.0])).numpy()
        array([-0.1,  0. ,  5. ], dtype=float32)

    Reference: [Maas et al., 2013](https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf)
    """

    def __init__(self, negative_slope=0.3, **kwargs):
        super().__init__(**kwargs)
        self.negative_slope = number("negative_slope", negative_slope, "[0, inf)")

    def call(self, inputs):
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)

    def get_config(self):
        return {**super().get_config(), "negative_slope": self.negative_slope}
