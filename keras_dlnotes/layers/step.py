"""The threshold units, step and sign, as layers."""

from keras_dlnotes import activations
from keras_dlnotes._checks import boolean, number
from keras_dlnotes._saving import serializable
from keras_dlnotes.layers.elementwise import Elementwise


class _Threshold(Elementwise):
    def __init__(self, straight_through, at_zero, **kwargs):
        super().__init__(**kwargs)
        self.straight_through = boolean("straight_through", straight_through)
        self.at_zero = number("at_zero", at_zero, "[-1, 1]")

    def get_config(self):
        return {
            **super().get_config(),
            "straight_through": self.straight_through,
            "at_zero": self.at_zero,
        }


@serializable
class Step(_Threshold):
    """The step of a threshold unit: 1 for positive inputs, 0 for negative ones.

    For perceptrons. The true derivative is 0, so by default the gradient passes straight through,
    with which a perceptron can be trained by gradient descent. Keras has no such layer.

    `f(x) = 1 if x > 0, at_zero if x = 0, 0 if x < 0`, `f'(x) = 1` (or 0)

    Args:
        straight_through: Whether the gradient passes unchanged; False gives the true gradient,
            which is 0. Defaults to True.
        at_zero: Float in [-1, 1]. The value at 0. Defaults to 1.
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> Step()(np.array([-3.0, 0.0, 0.5])).numpy()
        array([0., 1., 1.], dtype=float32)

    Reference: [Bengio et al., 2013](https://arxiv.org/abs/1308.3432)
    """

    def __init__(self, straight_through=True, at_zero=1.0, **kwargs):
        super().__init__(straight_through, at_zero, **kwargs)

    def call(self, inputs):
        return activations.step(
            inputs, straight_through=self.straight_through, at_zero=self.at_zero
        )


@serializable
class Sign(_Threshold):
    """The sign: 1 for positive inputs, -1 for negative ones.

    As `Step`, for units that answer +1 or -1.

    `f(x) = 1 if x > 0, at_zero if x = 0, -1 if x < 0`, `f'(x) = 1` (or 0)

    Args:
        straight_through: Whether the gradient passes unchanged; False gives the true gradient,
            which is 0. Defaults to True.
        at_zero: Float in [-1, 1]. The value at 0. Defaults to 0.
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> Sign()(np.array([-3.0, 0.0, 0.5])).numpy()
        array([-1., 0., 1.], dtype=float32)

    Reference: [Bengio et al., 2013](https://arxiv.org/abs/1308.3432)
    """

    def __init__(self, straight_through=True, at_zero=0.0, **kwargs):
        super().__init__(straight_through, at_zero, **kwargs)

    def call(self, inputs):
        return activations.sign(
            inputs, straight_through=self.straight_through, at_zero=self.at_zero
        )
