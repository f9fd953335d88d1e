"""The activations without parameters as layers."""

from keras_dlnotes import activations
from keras_dlnotes._saving import serializable
from keras_dlnotes.layers.elementwise import Elementwise


@serializable
class Linear(Elementwise):
    """The input itself, `f(x) = x`.

    A place-holder where an activation is chosen by name; `keras.layers.Identity` by another name.

    Args:
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> Linear()(np.array([-1.0, 2.0])).numpy()
        array([-1., 2.], dtype=float32)
    """

    def call(self, inputs):
        return activations.linear(inputs)


@serializable
class LiSHT(Elementwise):
    """The input times its own hyperbolic tangent, `f(x) = x * tanh(x)`.

    Never negative and the same on both sides. TensorFlow Addons had it, Keras has not.

    Args:
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> LiSHT()(np.array([-1.0, 0.0, 1.0])).numpy()
        array([0.76159, 0.     , 0.76159], dtype=float32)

    Reference: [Roy et al., 2019](https://arxiv.org/abs/1901.05894)
    """

    def call(self, inputs):
        return activations.lisht(inputs)


@serializable
class Mish(Elementwise):
    """The input times the tangent of its softplus, `f(x) = x * tanh(log(1 + exp(x)))`.

    `keras.activations.mish` as a layer.

    Args:
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> Mish()(np.array([-1.0, 0.0, 1.0])).numpy().round(4)
        array([-0.3034,  0.    ,  0.8651], dtype=float32)

    Reference: [Misra, 2019](https://arxiv.org/abs/1908.08681)
    """

    def call(self, inputs):
        return activations.mish(inputs)


@serializable
class SELU(Elementwise):
    """The scaled ELU, which drives a layer's outputs towards mean 0 and variance 1.

    Only with `LecunNormal` weights before it, and `AlphaDropout` instead of `Dropout` after it.

    `f(x) = scale * x if x > 0 else scale * alpha * (exp(x) - 1)`, `scale = 1.05070098...`,
    `alpha = 1.67326324...`

    Args:
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> SELU()(np.array([-1.0, 0.0, 1.0])).numpy()
        array([-1.11133,  0.     ,  1.05070 ], dtype=float32)

    Reference: [Klambauer et al., 2017](https://arxiv.org/abs/1706.02515)
    """

    def call(self, inputs):
        return activations.selu(inputs)


@serializable
class Sigmoid(Elementwise):
    """The logistic function, `f(x) = 1 / (1 + exp(-x))`, which gives a number in (0, 1).

    Args:
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> Sigmoid()(np.array([-1.0, 0.0, 1.0])).numpy()
        array([0.26894, 0.5       , 0.73106 ], dtype=float32)
    """

    def call(self, inputs):
        return activations.sigmoid(inputs)


@serializable
class Softplus(Elementwise):
    """A ReLU without the corner, `f(x) = log(1 + exp(x))`: for outputs that must be positive.

    Args:
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> Softplus()(np.array([-1.0, 0.0, 1.0])).numpy()
        array([0.31326, 0.69315, 1.31326], dtype=float32)
    """

    def call(self, inputs):
        return activations.softplus(inputs)


@serializable
class Tanh(Elementwise):
    """The hyperbolic tangent, which gives a number in (-1, 1).

    `f(x) = (exp(x) - exp(-x)) / (exp(x) + exp(-x))`

    Args:
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> Tanh()(np.array([-1.0, 0.0, 1.0])).numpy()
        array([-0.76159,  0.     ,  0.76159], dtype=float32)
    """

    def call(self, inputs):
        return activations.tanh(inputs)


@serializable
class TanhShrink(Elementwise):
    """The input without its hyperbolic tangent, `f(x) = x - tanh(x)`: small inputs all but vanish.

    TensorFlow Addons had it as `tanhshrink`.

    Args:
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> TanhShrink()(np.array([-1.0, 0.0, 1.0])).numpy()
        array([-0.23841,  0.     ,  0.23841], dtype=float32)
    """

    def call(self, inputs):
        return activations.tanh_shrink(inputs)
