"""Normalisation by a batch's own statistics, with its gradient in closed form.

For every channel, over the ``n`` numbers that share it:

    mean = sum(x) / n                 variance = sum((x - mean)^2) / n
    x_hat = (x - mean) / sqrt(variance + epsilon)
    y = gamma * x_hat + beta

    dbeta = sum(dy)                   dgamma = sum(dy * x_hat)
    dx = gamma / sqrt(variance + epsilon) * (dy - dbeta / n - x_hat * dgamma / n)

Autodiff through the first three lines walks back through both means; the last two need ``x``, two
sums and one more pass, and keep nothing of the size of ``x`` but ``x`` itself.
"""

import math

import keras
from keras import ops

from keras_dlnotes import _replicas

BACKEND = keras.backend.backend()


def normalize(x, gamma, beta, axis, epsilon, mask=None, synchronized=False):
    """Returns ``(y, mean, variance)``, all in the dtype of ``gamma``.

    The statistics are those of this batch (of the positions where ``mask`` is True, of all replicas
    when ``synchronized``) and count as constants: no gradient flows back through them on their own.
    """
    layout = _Layout(x, axis)
    if mask is None:
        fused = _fused(x, layout) if not synchronized else None
        return _differentiable(
            lambda x, gamma, beta: _forward(
                x, gamma, beta, layout, epsilon, None, synchronized, fused
            ),
            lambda x, gamma, beta: _formula(x, gamma, beta, layout, epsilon, None, synchronized),
        )(x, gamma, beta)
    weights = ops.cast(ops.expand_dims(ops.cast(mask, "bool"), -1), gamma.dtype)
    return _differentiable(
        lambda x, gamma, beta, weights: _forward(
            x, gamma, beta, layout, epsilon, weights, synchronized, None
        ),
        lambda x, gamma, beta, weights: _formula(
            x, gamma, beta, layout, epsilon, weights, synchronized
        ),
    )(x, gamma, beta, weights)


def _differentiable(with_gradient, formula):
    if BACKEND in ("tensorflow", "jax"):
        return ops.custom_gradient(with_gradient)
    return formula  # PyTorch: its autograd goes through the formula.


def _fused(x, layout):
    """TensorFlow's own kernels where they can be used, else None."""
    if BACKEND != "tensorflow":
        return None
    from keras_dlnotes.layers import _fused_tensorflow

    return _fused_tensorflow if _fused_tensorflow.applies(x, layout.axis) else None


def _mean(x, axis, keepdims=False):
    # keras.ops.mean takes float64 through float32 on PyTorch.
    return ops.sum(x, axis, keepdims=keepdims) / ops.cast(ops.shape(x)[axis], x.dtype)


class _Layout:
    """Which axes are summed, and the shape that a channel's numbers broadcast in.

    Means are taken in parts: over a few neighbouring rows, over each example, over the batch. Short
    sums lose a tenth of the digits that one sum over a hundred thousand float32 numbers loses; and
    XLA unrolls a sum of up to 14 rows and computes the channels side by side, where it walks a
    longer one channel by channel, two to six times as slowly.
    """

    def __init__(self, x, axis):
        rank = len(x.shape)
        self.axis = axis % rank
        self.axes = [i for i in range(rank) if i != self.axis]
        self.shape = [1] * rank
        self.shape[self.axis] = -1
        self.parts = self._parts(x.shape) if self.axis == rank - 1 > 1 else None

    @staticmethod
    def _parts(shape):
        """``(rows, parts an example, channels)``; None where no number of rows divides it."""
        if not all(isinstance(size, int) for size in shape[1:]):
            return None
        inner = math.prod(shape[1:-1])
        for rows in (8, 7, 6, 5, 4, 14, 13, 12, 11, 10, 9):
            if inner and inner % rows == 0:
                return rows, inner // rows, shape[-1]
        return None

    def count(self, x):
        sizes = [ops.shape(x)[i] for i in self.axes]
        known = [size for size in sizes if isinstance(size, int)]
        count = 1.0
        for size in known:
            count *= size
        for size in sizes:
            if not isinstance(size, int):
                count = count * ops.cast(size, "float32")
        return count

    def mean(self, x):
        if self.parts:
            rows, parts, channels = self.parts
            x = _mean(ops.reshape(x, (-1, rows, channels)), 1)
            return _mean(_mean(ops.reshape(x, (-1, parts, channels)), 1), 0)
        for i in sorted(self.axes, key=lambda i: (i != 1, i)):
            x = _mean(x, i, keepdims=True)
        return ops.reshape(x, (-1,))

    def spread(self, channel):
        return ops.reshape(channel, self.shape)


def _statistics(x, layout, weights, synchronized):
    """``(n, mean, variance)``, each per channel; ``x`` already has the dtype to sum in."""
    count = ops.cast(layout.count(x), x.dtype)
    if weights is None:
        n = count
        mean = layout.mean(x)
        variance = layout.mean(ops.square(x - layout.spread(mean)))
    else:
        # Masked numbers may be anything, NaN included, so they are replaced, not multiplied.
        keep = ops.broadcast_to(weights, ops.shape(x)) > 0
        n = count * layout.mean(ops.cast(keep, x.dtype)) + keras.config.epsilon()
        mean = layout.mean(ops.where(keep, x, 0.0)) * count / n
        centred = ops.where(keep, x - layout.spread(mean), 0.0)
        variance = layout.mean(ops.square(centred)) * count / n
    if synchronized:
        from keras_dlnotes.layers._synchronized import merge

        n, mean, variance = merge(n, mean, variance)
    return n, mean, variance


def _formula(x, gamma, beta, layout, epsilon, weights, synchronized):
    x = ops.cast(x, gamma.dtype)
    _, mean, variance = _statistics(x, layout, weights, synchronized)
    factor = gamma * ops.rsqrt(variance + epsilon)
    y = (x - layout.spread(mean)) * layout.spread(factor) + layout.spread(beta)
    return y, ops.stop_gradient(mean), ops.stop_gradient(variance)


def _forward(x, gamma, beta, layout, epsilon, weights, synchronized, fused):
    dtype = gamma.dtype
    n, mean, variance = _statistics(ops.cast(x, dtype), layout, weights, synchronized)
    rstd = ops.rsqrt(variance + epsilon)
    if fused:
        y = fused.forward(x, mean, variance, gamma, beta, epsilon)
    else:
        centred = ops.cast(x, dtype) - layout.spread(mean)
        y = centred * layout.spread(gamma * rstd) + layout.spread(beta)

    def gradient(*upstream):
        dy = upstream[0]
        dy = dy[0] if isinstance(dy, (tuple, list)) else dy  # JAX hands all outputs in one tuple.
        if fused:
            return fused.backward(dy, x, mean, variance, gamma, epsilon)
        dx, dgamma, dbeta = _backward(
            dy, ops.cast(x, dtype), n, mean, rstd, gamma, layout, weights, synchronized
        )
        without = () if weights is None else (ops.zeros_like(weights),)
        return (ops.cast(dx, x.dtype), dgamma, dbeta, *without)

    return (y, mean, variance), gradient


def _backward(dy, x, n, mean, rstd, gamma, layout, weights, synchronized):
    count = ops.cast(layout.count(x), x.dtype)
    dbeta = layout.mean(dy) * count
    dgamma = layout.mean(dy * (x - layout.spread(mean))) * count * rstd
    total_dbeta, total_dgamma = dbeta, dgamma
    if synchronized:
        total_dbeta, total_dgamma = _replicas.total(dbeta), _replicas.total(dgamma)
    # dx is dy times one number a channel, plus x times another, plus a third.
    factor = gamma * rstd
    slope = -factor * rstd * total_dgamma / n
    constant = -factor * total_dbeta / n - slope * mean
    through_statistics = x * layout.spread(slope) + layout.spread(constant)
    if weights is not None:
        through_statistics = ops.where(weights > 0, through_statistics, 0.0)
    return dy * layout.spread(factor) + through_statistics, dgamma, dbeta
