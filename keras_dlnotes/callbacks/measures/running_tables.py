"""Tables that sum up what was measured over a time: how often, mean, least, largest, last.

A table is an array ``(statistics, 5, columns)``. Values that are not finite are left out of it.
"""

import numpy as np
from keras import ops

#: What a table's second axis holds, and an empty table's values.
COUNT, MEAN, MIN, MAX, LAST = range(5)
EMPTY = np.array([0.0, 0.0, np.inf, -np.inf, np.nan], "float32")


def fold(table, x):
    """On the device: a table with one more measurement ``(statistics, columns)``."""
    count, mean, low, high, last = (table[:, i] for i in range(5))
    measured = ops.isfinite(x)
    count = count + ops.cast(measured, "float32")
    known = ops.where(measured, x, mean)
    return ops.stack(
        [
            count,
            mean + (known - mean) / ops.maximum(count, 1.0),
            ops.where(measured, ops.minimum(low, x), low),
            ops.where(measured, ops.maximum(high, x), high),
            ops.where(measured, x, last),
        ],
        axis=1,
    )


def summed_up(series):
    """On the host: the table of many measurements ``(times, statistics, columns)``.

    Example:
        >>> table = summed_up(np.array([[[1.0]], [[np.nan]], [[4.0]], [[3.0]]]))
        >>> [float(x) for x in table[0, :, 0]]
        [3.0, 2.66..., 1.0, 4.0, 3.0]
    """
    if not len(series):
        return np.tile(EMPTY[:, None].astype("float64"), (series.shape[1], 1, series.shape[2]))
    measured = np.isfinite(series)
    count = measured.sum(0)
    when = np.where(measured, np.arange(len(series))[:, None, None], -1).max(0)
    last = np.take_along_axis(series, np.maximum(when, 0)[None], 0)[0]
    return np.stack(
        [
            count,
            np.where(measured, series, 0.0).sum(0) / np.maximum(count, 1),
            np.where(measured, series, np.inf).min(0),
            np.where(measured, series, -np.inf).max(0),
            np.where(when < 0, np.nan, last),
        ],
        axis=1,
    )


def merge(a, b):
    """Two tables over successive times -> one over both, in double precision."""
    if a is None:
        return b.astype("float64")
    count = a[:, COUNT] + b[:, COUNT]
    share = b[:, COUNT] / np.maximum(count, 1)
    result = np.empty(a.shape)
    result[:, COUNT] = count
    result[:, MEAN] = a[:, MEAN] * (1 - share) + b[:, MEAN] * share
    result[:, MIN] = np.minimum(a[:, MIN], b[:, MIN])
    result[:, MAX] = np.maximum(a[:, MAX], b[:, MAX])
    result[:, LAST] = np.where(b[:, COUNT] > 0, b[:, LAST], a[:, LAST])
    return result
