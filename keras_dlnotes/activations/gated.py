"""The input times a gate that the input itself opens: gelu, swish, mish, lisht."""

import math

from keras import ops

from keras_dlnotes._saving import serializable
from keras_dlnotes.activations._tensors import floats, saturated_tanh
from keras_dlnotes.activations.smooth import softplus
from keras_dlnotes.activations.squashing import sigmoid


@serializable
def gelu(x, approximate=False):
    """The Gaussian error linear unit: the input times the probability of a normal below it.

    The usual activation of transformers.

    `f(x) = x * (1 + erf(x / sqrt(2))) / 2`, or approximately
    `f(x) = x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3))) / 2`

    Args:
        x: Input tensor.
        approximate: Whether to use the second formula. Defaults to False.

    Example:
        >>> gelu([-1e4, 0.0, 1.0]).numpy()
        array([-0.     ,  0.     ,  0.84134], dtype=float32)
        >>> gelu([-1e4, 0.0, 1.0], approximate=True).numpy()
        array([-0.     ,  0.     ,  0.84119], dtype=float32)

    Reference: [Hendrycks & Gimpel, 2016](https://arxiv.org/abs/1606.08415)
    """
    x = floats(x)
    if not approximate:
        return 0.5 * x * (1.0 + ops.erf(x * math.sqrt(0.5)))
    # From |x| = 10 on the tangent is ±1 even in float64, while x ** 3 would overflow in float16.
    inner = ops.clip(x, -10.0, 10.0)
    inner = math.sqrt(2.0 / math.pi) * (inner + 0.044715 * inner * inner * inner)
    return 0.5 * x * (1.0 + ops.tanh(inner))


@serializable
def swish(x, *, beta=1.0):
    """The input times its own sigmoid, also known as SiLU.

    A smooth ReLU that dips below 0 a little; the greater `beta`, the more like ReLU.

    `f(x) = x / (1 + exp(-beta * x))`

    Args:
        x: Input tensor.
        beta: Float. How sharp the bend is; Keras has 1 only. Defaults to 1.

    Example:
        >>> swish([-1e4, 0.0, 1.0]).numpy()
        array([-0.     ,  0.     ,  0.73106], dtype=float32)

    Reference: [Ramachandran et al., 2017](https://arxiv.org/abs/1710.05941)
    """
    x = floats(x)
    return x * sigmoid(x if beta == 1 else beta * x)


#: Keras' own name for it.
silu = swish


@serializable
def mish(x):
    """The input times the tangent of its softplus; a smooth, non-monotonic relative of `swish`.

    `f(x) = x * tanh(log(1 + exp(x)))`

    Args:
        x: Input tensor.

    Example:
        >>> mish([-1e4, 0.0, 1.0]).numpy()
        array([-0.     ,  0.     ,  0.86510], dtype=float32)

    Reference: [Misra, 2019](https://arxiv.org/abs/1908.08681)
    """
    x = floats(x)
    # Where the tangent is 1 even in float64, no gradient may pass it: a great x times 0.
    return x * ops.tanh(softplus(ops.where(x > 20, 20.0, x)))


@serializable
def lisht(x):
    """The input times its own hyperbolic tangent: never negative, the same on both sides.

    TensorFlow Addons had it, Keras has not.

    `f(x) = x * tanh(x)`

    Args:
        x: Input tensor.

    Example:
        >>> lisht([-1e4, 0.0, 1.0]).numpy()
        array([1.00000e+04, 0.00000e+00, 7.61594e-01], dtype=float32)

    Reference: [Roy et al., 2019](https://arxiv.org/abs/1901.05894)
    """
    x = floats(x)
    return x * saturated_tanh(x)
