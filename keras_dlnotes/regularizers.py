"""Penalties on weights (`kernel_regularizer`, `bias_regularizer`) and on outputs
(`activity_regularizer`)."""

import math

import keras
from keras import ops

from keras_dlnotes import _replicas
from keras_dlnotes._checks import number
from keras_dlnotes._saving import serializable

__all__ = ["L1", "L1L2", "L2", "KLSparsity"]


def _wide(x):
    """As a tensor, in float32 if in half precision: sums of squares soon pass 65504."""
    x = ops.convert_to_tensor(x)
    half = keras.backend.standardize_dtype(x.dtype) in ("float16", "bfloat16")
    return ops.cast(x, "float32") if half else x


def _size(x):
    """``|x|`` whose gradient at 0 is 0 on every backend; that of JAX' own is 1."""
    return x * ops.stop_gradient(ops.sign(x))


@serializable
class L1(keras.regularizers.Regularizer):
    """The sum of absolute values: drives what is not needed to exactly 0.

    As `keras.regularizers.L1`; in half precision the sum is in float32 and cannot overflow.

    `l1 * sum(|x|)`

    Args:
        l1: Float >= 0. How strong. Defaults to 0.01.

    Example:
        >>> L1(0.5)([[1.0, -3.0]]).numpy()
        np.float32(2.0)
    """

    def __init__(self, l1=0.01):
        self.l1 = number("l1", 0.01 if l1 is None else l1, "[0, inf)")

    def __call__(self, x):
        return self.l1 * ops.sum(_size(_wide(x)))

    def get_config(self):
        return {"l1": self.l1}


@serializable
class L2(keras.regularizers.Regularizer):
    """The sum of squares, weight decay: keeps everything small.

    As `keras.regularizers.L2`; in half precision the sum is in float32 and cannot overflow.

    `l2 * sum(x ** 2)`

    Args:
        l2: Float >= 0. How strong; the notes' `lambda / 2`. Defaults to 0.01.

    Example:
        >>> L2(0.5)([[1.0, -3.0]]).numpy()
        np.float32(5.0)
    """

    def __init__(self, l2=0.01):
        self.l2 = number("l2", 0.01 if l2 is None else l2, "[0, inf)")

    def __call__(self, x):
        return self.l2 * ops.sum(ops.square(_wide(x)))

    def get_config(self):
        return {"l2": self.l2}


@serializable
class L1L2(keras.regularizers.Regularizer):
    """Both at once, the elastic net.

    As `keras.regularizers.L1L2`; in half precision the sums are in float32 and cannot overflow.

    `l1 * sum(|x|) + l2 * sum(x ** 2)`

    Args:
        l1: Float >= 0. How strong the absolute values count. Defaults to 0.
        l2: Float >= 0. How strong the squares count. Defaults to 0.

    Example:
        >>> L1L2(0.5, 0.25)([[1.0, -3.0]]).numpy()
        np.float32(4.5)

    Reference: [Zou & Hastie, 2005](https://doi.org/10.1111/j.1467-9868.2005.00503.x)
    """

    def __init__(self, l1=0.0, l2=0.0):
        self.l1 = number("l1", 0.0 if l1 is None else l1, "[0, inf)")
        self.l2 = number("l2", 0.0 if l2 is None else l2, "[0, inf)")

    def __call__(self, x):
        x = _wide(x)
        return self.l1 * ops.sum(_size(x)) + self.l2 * ops.sum(ops.square(x))

    def get_config(self):
        return {"l1": self.l1, "l2": self.l2}


@serializable
class KLSparsity(keras.regularizers.Regularizer):
    """Keeps every unit's mean activation near a small target: for sparse autoencoders.

    For activations in (0, 1), those of sigmoid units:
    `Dense(64, "sigmoid", activity_regularizer=KLSparsity(rho=0.05, beta=3.0))`. The mean of a unit
    is taken over the batch and, in convolutions, over all places; under `tf.distribute` weights
    learn by the mean over all replicas, while logs show the mean of the replicas' own penalties.
    Keras has no such regularizer.

    `beta * sum_j(rho * log(rho / m_j) + (1 - rho) * log((1 - rho) / (1 - m_j)))`, `m_j` being the
    mean of unit `j`, which is the last axis.

    **As an activity regularizer** it adds exactly this to the loss, whatever the batch size. Keras
    divides what an activity regularizer returns by the batch size, which suits sums over the batch;
    this one is made of means, so called with outputs it returns the batch size times the formula.
    Called with a variable, as a kernel or bias regularizer, it returns the formula itself, which
    `penalty` gives for anything.

    Args:
        rho: Float in (0, 1). The mean activation wanted. Defaults to 0.05.
        beta: Float >= 0. How strong. Defaults to 1.

    Example:
        >>> KLSparsity(rho=0.5, beta=2.0).penalty([[0.3, 0.6], [0.1, 0.4]]).numpy()
        np.float32(0.44629)
        >>> dense = keras.layers.Dense(8, "sigmoid", activity_regularizer=KLSparsity())
        >>> y = dense(ops.ones((32, 3)))
        >>> bool(ops.isclose(dense.losses[0], KLSparsity().penalty(y)))
        True

    Reference: [Ng, 2011, Sparse autoencoder](https://web.stanford.edu/class/cs294a/sparseAutoencoder.pdf)
    """

    def __init__(self, rho=0.05, beta=1.0):
        self.rho = number("rho", rho, "(0, 1)")
        self.beta = number("beta", beta, "[0, inf)")

    def __call__(self, x):
        penalty = self.penalty(x)
        if isinstance(x, keras.Variable) or len(x.shape) == 0:
            return penalty
        return penalty * ops.cast(ops.shape(x)[0], penalty.dtype)

    def penalty(self, x):
        """The formula, for activations of any shape whose last axis are the units."""
        of_a_batch = not isinstance(x, keras.Variable)
        x = _wide(x)
        x = ops.reshape(x, (-1, x.shape[-1] if len(x.shape) else 1))
        # Of an empty batch, which a replica may get, the mean is taken to be 0.
        rows = ops.cast(ops.shape(x)[0], x.dtype)
        penalty = self._of(ops.divide_no_nan(ops.sum(x, axis=0), rows))
        if not of_a_batch or _replicas.count() == 1:
            return penalty

        def slope():
            n = _replicas.total(rows)
            mean = ops.divide_no_nan(_replicas.total(ops.sum(x, axis=0)), n)
            inside = ops.logical_and(
                mean > keras.config.epsilon(), 1.0 - mean > keras.config.epsilon()
            )
            by_mean = ops.where(inside, (mean - self.rho) / (mean * (1.0 - mean)), 0.0)
            # Keras weighs the penalty of each replica with 1 / count.
            return ops.broadcast_to(self.beta * by_mean * _replicas.count() / n, ops.shape(x))

        return _replicas.with_gradient(penalty, x, slope)

    def _of(self, mean):
        mean = ops.clip(mean, keras.config.epsilon(), 1.0 - keras.config.epsilon())
        rho = self.rho
        on = rho * (math.log(rho) - ops.log(mean))
        off = (1.0 - rho) * (math.log1p(-rho) - ops.log1p(-mean))
        return self.beta * ops.sum(on + off)

    def get_config(self):
        return {"rho": self.rho, "beta": self.beta}
