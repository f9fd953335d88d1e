"""Smooth relatives of ReLU that are made of exponentials."""

from keras import ops

from keras_dlnotes._saving import serializable
from keras_dlnotes.activations._tensors import floats

# Klambauer et al. (2017), appendix A: the fixed point with mean 0 and variance 1.
SELU_ALPHA = 1.6732632423543772

SELU_SCALE = 1.0507009873554805


@serializable
def elu(x, alpha=1.0):
    """The exponential linear unit: below 0 it bends smoothly towards `-alpha`.

    Its mean is nearer to 0 than that of ReLU, which speeds up learning.

    `f(x) = x if x > 0 else alpha * (exp(x) - 1)`

    Args:
        x: Input tensor.
        alpha: Float. Minus the value for very negative inputs. Defaults to 1.

    Example:
        >>> elu([-1e4, -0.6931472, 0.0, 3.0]).numpy()
        array([-1. , -0.5,  0. ,  3. ], dtype=float32)

    Reference: [Clevert et al., 2016](https://arxiv.org/abs/1511.07289)
    """
    x = floats(x)
    return ops.elu(x) if alpha == 1 else _scaled_elu(x, 1.0, alpha)


@serializable
def selu(x):
    """The scaled ELU, which drives every layer's outputs towards mean 0 and variance 1.

    Only with `LecunNormal` weights, and with `AlphaDropout` instead of `Dropout`.

    `f(x) = scale * x if x > 0 else scale * alpha * (exp(x) - 1)`, `scale = 1.05070098...`,
    `alpha = 1.67326324...`

    Args:
        x: Input tensor.

    Example:
        >>> selu([-1e4, 0.0, 1.0]).numpy()
        array([-1.75810,  0.     ,  1.05070 ], dtype=float32)

    Reference: [Klambauer et al., 2017](https://arxiv.org/abs/1706.02515)
    """
    return _scaled_elu(floats(x), SELU_SCALE, SELU_SCALE * SELU_ALPHA)


def _scaled_elu(x, right, left):
    """ELU times one number above 0 and another one below."""
    right, left = (ops.convert_to_tensor(factor, x.dtype) for factor in (right, left))
    return ops.elu(x) * ops.where(x > 0, right, left)


@serializable
def softplus(x):
    """A ReLU without the corner; its derivative is the sigmoid.

    For outputs that must be positive, a scale or a rate.

    `f(x) = log(1 + exp(x))`, without an exponential that overflows.

    Args:
        x: Input tensor.

    Example:
        >>> softplus([-1e4, 0.0, 1e4]).numpy()
        array([0.00000e+00, 6.93147e-01, 1.00000e+04], dtype=float32)
    """
    return ops.softplus(floats(x))
