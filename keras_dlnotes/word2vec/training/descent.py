"""The step on a table of rows, bounded so that a large batch cannot blow it up."""

from keras import ops

from keras_dlnotes import _replicas
from keras_dlnotes.word2vec.training.sums import squares


def descend(table, updates, rate, reach=None, moving=None):
    """`table` after a step of gradient descent on some of its rows.

    Args:
        table: (rows, size).
        updates: List of (ids, gradients, curvatures), see `bounded`.
        rate: Learning rate.
        reach: The farthest a row may move, or `None`.
        moving: 0.0 for rows that stand still, 1.0 for the others, (rows, 1), or `None`.
    """
    for ids, rows in bounded(table.shape[0], updates, rate, reach):
        if moving is not None:
            rows = rows * ops.take(moving, ids, axis=0)
        table = ops.scatter_update(table, ids[:, None], rows * -rate, reduction="add")
    return table


def bounded(size, updates, rate, reach):
    """The gradients of a batch, made so short that a step of `rate` on them does not overshoot.

    A frequent word stands in a batch many times. word2vec takes its gradients one after another,
    each where those before have led; here all were taken where the row was before the batch.

    Rows that meet everything in the batch come as one gradient each, with its curvature. On a
    parabola small steps one after another leave exp(-x) of the gradient, with x the rate times the
    curvature (that of all replicas, if there are several); so together they lead (1 - exp(-x)) / x
    as far as the gradient does.

    Others come once for each time they were met. With n_i the lengths of a row's steps, each of
    them is scaled by min(1, reach / sum of n_i), so the row moves by `reach` at most; a row that
    moves little is not touched. No sorting or merging is needed.

    Args:
        size: Rows of the table.
        updates: List of (ids, gradients, curvatures). With curvatures, the traces of the loss'
            second derivatives by the rows, an id occurs once; with `None` as often as may be.
        rate: Learning rate.
        reach: The farthest a row may move, or `None`.

    Returns a list of (ids, gradients).
    """
    updates = [(ids, _settled(rows, bends, rate)) for ids, rows, bends in updates]
    if reach is None:
        return updates
    ways = ops.zeros((size,), "float32")
    for ids, rows in updates:
        lengths = rate * ops.sqrt(squares(rows))
        ways = ops.scatter_update(ways, ids[:, None], lengths, reduction="add")
    share = ops.minimum(1.0, reach / ops.maximum(ways, 1e-30))
    return [(ids, rows * ops.take(share, ids, axis=0)[:, None]) for ids, rows in updates]


def _settled(rows, curvatures, rate):
    """Gradients as long as the way that small steps on a parabola lead."""
    if curvatures is None:
        return rows
    x = ops.maximum(rate * _replicas.total(curvatures), 1e-6)
    return rows * (-ops.expm1(-x) / x)[:, None]


class CompiledDescent:
    """`descend` on TensorFlow's variables.

    Args:
        reach: The farthest a row may move.
    """

    def __init__(self, reach):
        import tensorflow as tf

        def update(variable, updates, rate, moving):
            table = tf.convert_to_tensor(variable)
            variable.assign(descend(table, updates, rate, reach, moving))

        self.update = tf.function(update, jit_compile=True, autograph=False)

    def __call__(self, variable, updates, rate, moving=None):
        self.update(variable.value, updates, rate, moving)
