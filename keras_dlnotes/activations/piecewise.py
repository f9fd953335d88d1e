"""Straight lines: linear, and with a corner ReLU and its leaky relatives."""

import keras
from keras import ops

from keras_dlnotes._saving import serializable
from keras_dlnotes.activations._tensors import floats


@serializable
def linear(x):
    """The input itself, `f(x) = x`: for outputs that are any real number.

    Args:
        x: Input tensor.

    Example:
        >>> linear([-1.0, 2.0])
        [-1.0, 2.0]
    """
    return x


@serializable
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """The rectified linear unit: positive inputs pass, negative ones do not.

    The first choice for hidden layers. Its gradient at 0 is 0 on every backend.

    `f(x) = max(x, 0)`; with all arguments `f(x) = negative_slope * (x - threshold)` up to
    `threshold`, above it `f(x) = min(x, max_value)`.

    Args:
        x: Input tensor.
        negative_slope: Float. Slope up to the threshold. Defaults to 0.
        max_value: Float, the largest value given, or None for no bound. Defaults to None.
        threshold: Float. Inputs up to here count as negative. Defaults to 0.

    Example:
        >>> relu([-2.0, 0.0, 3.0]).numpy()
        array([0., 0., 3.], dtype=float32)
        >>> relu([-2.0, 0.0, 3.0], negative_slope=0.5, max_value=2.0).numpy()
        array([-1., 0., 2.], dtype=float32)

    Reference: [Nair & Hinton, 2010](https://dl.acm.org/doi/10.5555/3104322.3104425)
    """
    x = floats(x)
    if negative_slope == 0 and max_value is None and threshold == 0:
        return ops.relu(x)
    # Asking `x <= threshold` and not `x > threshold` lets NaN through, so that it is seen.
    below = 0.0 if negative_slope == 0 else negative_slope * (x - threshold)
    value = ops.where(x <= threshold, below, x)
    return value if max_value is None else ops.where(value >= max_value, max_value, value)


@serializable
def leaky_relu(x, negative_slope=0.01):
    """ReLU with a small slope for negative inputs, so that no unit dies.

    The slope is 0.01 as its authors have it (0.001 and 0.1 are common too), whereas that of
    `keras.activations.leaky_relu` is 0.2.

    `f(x) = x if x > 0 else negative_slope * x`

    Args:
        x: Input tensor.
        negative_slope: Float. Slope for negative inputs. Defaults to 0.01.

    Example:
        >>> leaky_relu([-2.0, 0.0, 3.0]).numpy()
        array([-0.02,  0.  ,  3.  ], dtype=float32)

    Reference: [Maas et al., 2013](https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf)
    """
    x = floats(x)
    # TensorFlow's kernel is fast and keeps the slope in float32. JAX' has another gradient at 0.
    if keras.backend.backend() == "tensorflow" and x.dtype != "float64":
        return ops.leaky_relu(x, negative_slope)
    return ops.where(x > 0, x, negative_slope * x)


@serializable
def rrelu(x, lower=0.125, upper=1 / 3, training=False, seed=None):
    """Leaky ReLU whose slope is drawn anew for every element while training.

    The noise regularises; afterwards the mean slope takes its place. As the activation of a layer
    it cannot know whether the model is being trained and uses the mean slope: put
    `keras_dlnotes.layers.RReLU` behind the layer instead. TensorFlow Addons had it, Keras has not.

    `f(x) = x if x > 0 else slope * x`, `slope ~ U[lower, upper)`, or `(lower + upper) / 2`

    Args:
        x: Input tensor.
        lower: Float. Least slope. Defaults to 1/8.
        upper: Float. Greatest slope. Defaults to 1/3.
        training: Whether to draw the slopes. Defaults to False.
        seed: Integer, or a `keras.random.SeedGenerator`. Defaults to None, a fresh one.

    Example:
        >>> rrelu([-2.0, 0.0, 3.0], lower=0.1, upper=0.3).numpy()
        array([-0.4,  0. ,  3. ], dtype=float32)

    Reference: [Xu et al., 2015](https://arxiv.org/abs/1505.00853)
    """
    x = floats(x)
    if training:
        slope = keras.random.uniform(ops.shape(x), lower, upper, dtype=x.dtype, seed=seed)
        negative = ops.multiply(x, slope)  # An array of JAX would not multiply a symbolic tensor.
    else:
        negative = (lower + upper) / 2 * x
    return ops.where(x > 0, x, negative)
