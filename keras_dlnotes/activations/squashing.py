"""Any number into a bounded range: sigmoid, tanh, and softmax for several at once.

The backends' own kernels are right out to the ends of every dtype, and a third of the time that the
formulas take as several operations.
"""

from keras import ops

from keras_dlnotes._saving import serializable
from keras_dlnotes.activations._tensors import floats, remember_logits


@serializable
def sigmoid(x):
    """The logistic function, which squeezes any number into (0, 1).

    For the probability of yes against no. Deep in a net its gradient, at most 1/4, vanishes.

    `f(x) = 1 / (1 + exp(-x))`, without an exponential that overflows.

    Args:
        x: Input tensor.

    Example:
        >>> sigmoid([-1e4, 0.0, 1e4]).numpy()
        array([0. , 0.5, 1. ], dtype=float32)
    """
    x = floats(x)
    return remember_logits(ops.sigmoid(x), x)


@serializable
def tanh(x):
    """The hyperbolic tangent, which squeezes any number into (-1, 1), with 0 in the middle.

    `f(x) = (exp(x) - exp(-x)) / (exp(x) + exp(-x))`

    Args:
        x: Input tensor.

    Example:
        >>> tanh([-1e4, 0.0, 0.5493061]).numpy().round(4)
        array([-1. ,  0. ,  0.5], dtype=float32)
    """
    return ops.tanh(floats(x))


@serializable
def softmax(x, axis=-1):
    """Turns numbers into a probability distribution over classes.

    `f(x)_i = exp(x_i) / sum_j exp(x_j)`, after taking off the greatest `x_j`, which changes nothing
    but that nothing overflows.

    Args:
        x: Input tensor.
        axis: Integer, or tuple of integers. The classes. Defaults to -1.

    Example:
        >>> softmax([[0.0, 0.6931472, 0.0], [1e4, 1e4, -1e4]]).numpy()
        array([[0.25, 0.5 , 0.25],
               [0.5 , 0.5 , 0.  ]], dtype=float32)
    """
    x = floats(x)
    if isinstance(axis, (tuple, list)):  # Keras takes no negative ones of several.
        axis = tuple(one % len(x.shape) for one in axis)
    return remember_logits(ops.softmax(x, axis=axis), x)
