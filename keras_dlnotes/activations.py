"""Activation functions, each written out from elementary operations of `keras.ops`.

Every one takes a tensor of floats and gives one of the same shape and dtype, and both its value and
its gradient are finite for inputs of ±1e4, in float16 too. Where two branches meet at 0 the
gradient is the same on TensorFlow, JAX and PyTorch. What sets them apart from `keras.activations`
stands with each of them.

Put them into a layer as functions (`Dense(8, activation=activations.mish)`) or, once this package
is imported, by their registered name (`Dense(8, activation="keras_dlnotes>mish")`). For other
parameters than the defaults use the layer of the same name in `keras_dlnotes.layers`.
"""

import contextlib
import math

import keras
from keras import ops

from keras_dlnotes._saving import serializable

__all__ = [
    "elu",
    "gelu",
    "leaky_relu",
    "linear",
    "lisht",
    "mish",
    "relu",
    "rrelu",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "snake",
    "softmax",
    "softplus",
    "step",
    "swish",
    "tanh",
    "tanh_shrink",
    "tanhshrink",
]

# Klambauer et al. (2017), appendix A: the fixed point with mean 0 and variance 1.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def _floats(x):
    """``x`` as a tensor of floats; symbolic tensors stay as they are."""
    if not isinstance(x, keras.KerasTensor):
        x = ops.convert_to_tensor(x)
    if "float" not in keras.backend.standardize_dtype(x.dtype):
        x = ops.cast(x, keras.config.floatx())
    return x


def _minus_abs(x):
    """``-|x|`` by a branch, so that its derivative at 0 is -1 and never 0 or undecided."""
    return ops.where(x >= 0, -x, x)


def _saturated_tanh(x):
    """The tangent, flat from ±20 on, where it is ±1 even in float64.

    In a product with a great `x` the gradient would else pass through infinity times 0.
    """
    far = ops.abs(x) > 20
    return ops.where(far, ops.sign(x), ops.tanh(ops.where(far, 0.0, x)))


def _with_gradient(value, x, slope):
    """``value``, but with the constant ``slope`` as its derivative with respect to ``x``."""
    # x - x is exactly 0, so unlike x + (value - x) this loses no digit of `value`.
    x = ops.where(ops.isinf(x), 0.0, x)
    return ops.stop_gradient(value) + slope * (x - ops.stop_gradient(x))


def _remember_logits(output, logits):
    """Keras' cross-entropies on TensorFlow look for this, and then need no clipping."""
    with contextlib.suppress(AttributeError):  # Tensors of some backends take no attributes.
        output._keras_logits = logits
    return output


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
    x = _floats(x)
    value = ops.cast(x > 0, x.dtype) + at_zero * ops.cast(ops.equal(x, 0), x.dtype)
    return _with_gradient(value, x, 1.0 if straight_through else 0.0)


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
    x = _floats(x)
    value = ops.cast(x > 0, x.dtype) - ops.cast(x < 0, x.dtype)
    value = value + at_zero * ops.cast(ops.equal(x, 0), x.dtype)
    return _with_gradient(value, x, 1.0 if straight_through else 0.0)


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
def sigmoid(x):
    """The logistic function, which squeezes any number into (0, 1).

    For the probability of yes against no. Deep in a net its gradient, at most 1/4, vanishes.

    `f(x) = 1 / (1 + exp(-x))`, for negative `x` computed as `exp(x) / (1 + exp(x))`, so that no
    exponential overflows.

    Args:
        x: Input tensor.

    Example:
        >>> sigmoid([-1e4, 0.0, 1e4]).numpy()
        array([0. , 0.5, 1. ], dtype=float32)
    """
    x = _floats(x)
    small = ops.exp(_minus_abs(x))
    return _remember_logits(ops.where(x >= 0, 1.0, small) / (1.0 + small), x)


@serializable
def tanh(x):
    """The hyperbolic tangent, which squeezes any number into (-1, 1), with 0 in the middle.

    `f(x) = (exp(x) - exp(-x)) / (exp(x) + exp(-x))`

    Args:
        x: Input tensor.

    Example:
        >>> tanh([-1e4, 0.0, 0.5493061]).numpy()
        array([-1.        ,  0.        ,  0.49999994], dtype=float32)
    """
    return ops.tanh(_floats(x))


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
    x = _floats(x)
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
    x = _floats(x)
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
    x = _floats(x)
    if training:
        slope = keras.random.uniform(ops.shape(x), lower, upper, dtype=x.dtype, seed=seed)
        negative = ops.multiply(x, slope)  # An array of JAX would not multiply a symbolic tensor.
    else:
        negative = (lower + upper) / 2 * x
    return ops.where(x > 0, x, negative)


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
    x = _floats(x)
    # The unused branch must not overflow either: infinity times a gradient of 0 would be NaN.
    return ops.where(x > 0, x, alpha * ops.expm1(ops.where(x > 0, 0.0, x)))


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
        array([-1.7580993,  0.       ,  1.050701 ], dtype=float32)

    Reference: [Klambauer et al., 2017](https://arxiv.org/abs/1706.02515)
    """
    return SELU_SCALE * elu(x, alpha=SELU_ALPHA)


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
        array([-0.       ,  0.       ,  0.8413447], dtype=float32)
        >>> gelu([-1e4, 0.0, 1.0], approximate=True).numpy()
        array([-0.      ,  0.      ,  0.841192], dtype=float32)

    Reference: [Hendrycks & Gimpel, 2016](https://arxiv.org/abs/1606.08415)
    """
    x = _floats(x)
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
        array([-0.       ,  0.       ,  0.7310586], dtype=float32)

    Reference: [Ramachandran et al., 2017](https://arxiv.org/abs/1710.05941)
    """
    x = _floats(x)
    return x * sigmoid(x if beta == 1 else beta * x)


#: Keras' own name for it.
silu = swish


@serializable
def softplus(x):
    """A ReLU without the corner; its derivative is the sigmoid.

    For outputs that must be positive, a scale or a rate.

    `f(x) = log(1 + exp(x))`, computed as `max(x, 0) + log1p(exp(-|x|))`

    Args:
        x: Input tensor.

    Example:
        >>> softplus([-1e4, 0.0, 1e4]).numpy()
        array([0.000000e+00, 6.931472e-01, 1.000000e+04], dtype=float32)
    """
    x = _floats(x)
    return ops.where(x >= 0, x, 0.0) + ops.log1p(ops.exp(_minus_abs(x)))


@serializable
def mish(x):
    """The input times the tangent of its softplus; a smooth, non-monotonic relative of `swish`.

    `f(x) = x * tanh(log(1 + exp(x)))`

    Args:
        x: Input tensor.

    Example:
        >>> mish([-1e4, 0.0, 1.0]).numpy()
        array([-0.       ,  0.       ,  0.8650984], dtype=float32)

    Reference: [Misra, 2019](https://arxiv.org/abs/1908.08681)
    """
    x = _floats(x)
    return x * _saturated_tanh(softplus(x))


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
    x = _floats(x)
    powers = ops.exp(x - ops.stop_gradient(ops.max(x, axis=axis, keepdims=True)))
    return _remember_logits(powers / ops.sum(powers, axis=axis, keepdims=True), x)


@serializable
def lisht(x):
    """The input times its own hyperbolic tangent: never negative, the same on both sides.

    TensorFlow Addons had it, Keras has not.

    `f(x) = x * tanh(x)`

    Args:
        x: Input tensor.

    Example:
        >>> lisht([-1e4, 0.0, 1.0]).numpy()
        array([1.000000e+04, 0.000000e+00, 7.615942e-01], dtype=float32)

    Reference: [Roy et al., 2019](https://arxiv.org/abs/1901.05894)
    """
    x = _floats(x)
    return x * _saturated_tanh(x)


@serializable
def snake(x, frequency=1.0):
    """The input plus a periodic part: for seasons, tides and sounds, also beyond the data.

    TensorFlow Addons had it, Keras has not.

    `f(x) = x + sin(frequency * x) ** 2 / frequency`

    Args:
        x: Input tensor.
        frequency: Float, or a tensor that broadcasts against `x`. Defaults to 1.

    Example:
        >>> snake([0.0, math.pi / 2, math.pi]).numpy()
        array([0.       , 2.5707965, 3.1415927], dtype=float32)

    Reference: [Ziyin et al., 2020](https://arxiv.org/abs/2006.08195)
    """
    x = _floats(x)
    # In half precision frequency * x could overflow, and the sine of infinity is NaN.
    half = keras.backend.standardize_dtype(x.dtype) in ("float16", "bfloat16")
    wave = ops.sin(frequency * (ops.cast(x, "float32") if half else x))
    return x + ops.cast(wave * wave / frequency, x.dtype)


@serializable
def tanh_shrink(x):
    """The input without its hyperbolic tangent: small inputs all but vanish.

    For sparse codes and for denoising; `tanhshrink` in TensorFlow Addons.

    `f(x) = x - tanh(x)`

    Args:
        x: Input tensor.

    Example:
        >>> tanh_shrink([-1e4, 0.0, 1.0]).numpy()
        array([-9.9990000e+03, 0.0000000e+00, 2.3840582e-01], dtype=float32)
    """
    x = _floats(x)
    return x - ops.tanh(x)


#: The name it had in TensorFlow Addons.
tanhshrink = tanh_shrink


def _answer_to_names():
    """Lets `activation="keras_dlnotes>mish"` work: `keras.activations.get` asks one table only."""
    from keras.src.activations import ALL_OBJECTS_DICT

    for name in __all__:
        function = globals()[name]
        ALL_OBJECTS_DICT[keras.saving.get_registered_name(function)] = function


_answer_to_names()
