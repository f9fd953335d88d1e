"""Sums as products: XLA on a CPU is slow at sums over a short axis."""

from keras import ops

from keras_dlnotes.word2vec.training.compiled import fused


def total_last(x):
    """The sum over the last axis."""
    totals = _row_totals(x)
    return totals if len(x.shape) == 2 else ops.reshape(totals, x.shape[:-1])


@fused
def squares(rows):
    """The squared length of each row."""
    return total_last(rows * rows)


def total(x):
    """The sum of everything."""
    return ops.sum(_row_totals(x))


def _row_totals(x):
    flat = ops.reshape(x, (-1, x.shape[-1]))
    return ops.matmul(flat, ops.ones((x.shape[-1],), x.dtype))
