"""What several activations are made of."""

import contextlib

import keras
from keras import ops


def floats(x):
    """``x`` as a tensor of floats; symbolic tensors stay as they are."""
    if not isinstance(x, keras.KerasTensor):
        x = ops.convert_to_tensor(x)
    if "float" not in keras.backend.standardize_dtype(x.dtype):
        x = ops.cast(x, keras.config.floatx())
    return x


def saturated_tanh(x):
    """The tangent, flat from ±20 on, where it is ±1 even in float64.

    In a product with a great `x` the gradient would else pass through infinity times 0.
    """
    far = ops.abs(x) > 20
    return ops.where(far, ops.sign(x), ops.tanh(ops.where(far, 0.0, x)))


def with_gradient(value, x, slope):
    """``value``, but with the constant ``slope`` as its derivative with respect to ``x``."""
    # x - x is exactly 0, so unlike x + (value - x) this loses no digit of `value`.
    x = ops.where(ops.isinf(x), 0.0, x)
    return ops.stop_gradient(value) + slope * (x - ops.stop_gradient(x))


def remember_logits(output, logits):
    """Keras' cross-entropies on TensorFlow look for this, and then need no clipping."""
    with contextlib.suppress(AttributeError):  # Tensors of some backends take no attributes.
        output._keras_logits = logits
    return output
