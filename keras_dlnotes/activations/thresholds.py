"""Units that answer one of two things, and can be trained all the same."""

from keras import ops

from keras_dlnotes._saving import serializable
from keras_dlnotes.activations._tensors import floats, with_gradient


@serializable
def step(x, *, straight_through=True, at_zero=1.0):
    """The step of a threshold unit: 1 for positive inputs, 0 for negative ones.

    For perceptrons and for units that answer yes or no. Its true derivative is 0, so nothing before
    it would ever learn; by default the gradient passes straight through instead, as if this were
    `linear`. With the loss `0.5 * (y - step(w * x)) ** 2` gradient descent is then exactly the
    perceptron rule `w += rate * (y - step(w * x)) * x`. Keras has no such activation.

    `f(x) = 1 if x > 0, at_zero if x = 0, 0 if x < 0`, `f'(x) = 1` (or 0)

    Args:
        x: Input tensor.
        straight_through: Whether the gradient passes unchanged; False gives the true gradient,
            which is 0. Defaults to True.
        at_zero: The value at 0. Defaults to 1.

    Example:
        >>> step([-3.0, 0.0, 0.5]).numpy()
        array([0., 1., 1.], dtype=float32)

    Reference: [Bengio et al., 2013](https://arxiv.org/abs/1308.3432)
    """
    x = floats(x)
    value = ops.cast(x > 0, x.dtype) + at_zero * ops.cast(ops.equal(x, 0), x.dtype)
    return with_gradient(value, x, 1.0 if straight_through else 0.0)


@serializable
def sign(x, *, straight_through=True, at_zero=0.0):
    """The sign: 1 for positive inputs, -1 for negative ones.

    As `step`, for units that answer +1 or -1. `keras.ops.sign` has the true gradient, 0, with which
    nothing can be trained; here the gradient passes straight through unless told otherwise.

    `f(x) = 1 if x > 0, at_zero if x = 0, -1 if x < 0`, `f'(x) = 1` (or 0)

    Args:
        x: Input tensor.
        straight_through: Whether the gradient passes unchanged; False gives the true gradient,
            which is 0. Defaults to True.
        at_zero: The value at 0. Defaults to 0.

    Example:
        >>> sign([-3.0, 0.0, 0.5]).numpy()
        array([-1., 0., 1.], dtype=float32)

    Reference: [Bengio et al., 2013](https://arxiv.org/abs/1308.3432)
    """
    x = floats(x)
    value = ops.cast(x > 0, x.dtype) - ops.cast(x < 0, x.dtype)
    value = value + at_zero * ops.cast(ops.equal(x, 0), x.dtype)
    return with_gradient(value, x, 1.0 if straight_through else 0.0)
