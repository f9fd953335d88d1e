"""Clipping of gradients, dense or of merged rows."""

from keras import ops

from keras_dlnotes.optimizers._rows import Rows


def sum_of_squares(gradient):
    if isinstance(gradient, Rows):
        return ops.sum(gradient.once(ops.square(gradient.values)))
    return ops.sum(ops.square(gradient))


def scaled(gradient, factor):
    if gradient is None:
        return None
    if isinstance(gradient, Rows):
        return gradient.replace(gradient.values * ops.cast(factor, gradient.values.dtype))
    return gradient * ops.cast(factor, gradient.dtype)


def by_value(gradients, limit):
    """Every number of every gradient into ``[-limit, limit]``."""

    def clip(gradient):
        if isinstance(gradient, Rows):
            return gradient.replace(ops.clip(gradient.values, -limit, limit))
        return gradient if gradient is None else ops.clip(gradient, -limit, limit)

    return [clip(gradient) for gradient in gradients]


def by_norm(gradients, limit):
    """Every gradient for itself to a norm of at most ``limit``."""

    def clip(gradient):
        if gradient is None:
            return None
        norm = ops.sqrt(sum_of_squares(gradient))
        return scaled(gradient, limit / ops.maximum(norm, limit))

    return [clip(gradient) for gradient in gradients]


def by_global_norm(gradients, limit):
    """All gradients together to a norm of at most ``limit``; a NaN or infinity shows in all."""
    squares = [
        ops.cast(sum_of_squares(gradient), "float32")
        for gradient in gradients
        if gradient is not None
    ]
    norm = ops.sqrt(ops.sum(ops.stack(squares)))
    factor = limit / ops.maximum(norm, limit) + (norm - norm)
    return [scaled(gradient, factor) for gradient in gradients]


def rows_by_norm(values, limit):
    """Every row ``values[i]`` to a norm of at most ``limit``."""
    axes = tuple(range(1, len(values.shape)))
    squares = ops.sum(ops.square(values), axis=axes, keepdims=True)
    # At or below the limit the factor is exactly one; the square root is never taken of zero.
    return values * (limit * ops.rsqrt(ops.maximum(squares, limit * limit)))
