"""Swish as a layer."""

from keras_dlnotes import activations
from keras_dlnotes._checks import number
from keras_dlnotes._saving import serializable
from keras_dlnotes.layers.elementwise import Elementwise


@serializable
class Swish(Elementwise):
    """The input times its own sigmoid; with `beta=1` also known as SiLU.

    `keras.activations.swish` as a layer, and with the paper's `beta`.

    `f(x) = x / (1 + exp(-beta * x))`

    Args:
        beta: Float. How sharp the bend is: 0 gives `x / 2`, a great one ReLU. Defaults to 1.
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> Swish()(np.array([-1.0, 0.0, 1.0])).numpy()
        array([-0.26894,  0.     ,  0.73106 ], dtype=float32)

    Reference: [Ramachandran et al., 2017](https://arxiv.org/abs/1710.05941)
    """

    def __init__(self, beta=1.0, **kwargs):
        super().__init__(**kwargs)
        self.beta = number("beta", beta)

    def call(self, inputs):
        return activations.swish(inputs, beta=self.beta)

    def get_config(self):
        return {**super().get_config(), "beta": self.beta}
