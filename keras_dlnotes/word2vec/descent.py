"""The step on a table of rows, bounded so that a large batch cannot blow it up."""

from keras import ops

from keras_dlnotes.word2vec.sums import total_last


def descend(table, updates, rate, limit=None, moving=None):
    """`table` after a step of gradient descent on some of its rows.

    A frequent word stands in a batch many times. Each of its gradients was taken where the row was
    before the batch, and their sum would overshoot. With n_i the norms of a row's steps, each of
    them is scaled by min(1, limit / sum of n_i), so the row moves by `limit` at most; a row that
    moves little is not touched. No sorting or merging is needed.

    Args:
        table: (rows, size).
        updates: List of (ids, gradients).
        rate: Learning rate.
        limit: The farthest a row may move, or `None`.
        moving: 0.0 for rows that stand still, 1.0 for the others, (rows, 1), or `None`.
    """
    scales = [rate] * len(updates)
    if limit is not None:
        norms = [ops.sqrt(total_last(rows * rows)) * rate for _, rows in updates]
        ways = ops.zeros((table.shape[0],), table.dtype)
        for (ids, _), norm in zip(updates, norms, strict=True):
            ways = ops.scatter_update(ways, ids[:, None], norm, reduction="add")
        bounds = [ops.take(ways, ids, axis=0) for ids, _ in updates]
        scales = [
            (rate * ops.minimum(1.0, limit / ops.maximum(way, 1e-30)))[:, None] for way in bounds
        ]
    for (ids, rows), scale in zip(updates, scales, strict=True):
        if moving is not None:
            rows = rows * ops.take(moving, ids, axis=0)
        table = ops.scatter_update(table, ids[:, None], rows * -scale, reduction="add")
    return table
