"""Where XLA takes over from TensorFlow's kernels: sums and differences of rows, many times as fast.

XLA compiles for one number of rows. Where it is the same for each batch that number is taken;
batches of any size are filled up to a power of two, so that few programs serve all of them.
"""

import functools
import math

from keras_dlnotes import _xla

#: From how many numbers on it is worth the call.
LARGE = 2**16


def sums(values, place, count):
    """Row `i` of the `count` sums is that of the ``values`` whose place is `i`."""
    import tensorflow as tf

    def compiled():
        most = room(values)
        # A row of zeros more does not change the first sum.
        return _sums()(filled(values, most, 0), filled(place, most, 0))[:count]

    def plain():
        return tf.math.unsorted_segment_sum(values, place, count)

    return _if_large(values, compiled, plain)


def subtract(variable, ids, values):
    """Takes ``values`` from the rows ``ids`` of a variable, in place; ids may repeat."""
    import tensorflow as tf

    def compiled():
        most = room(values)
        _subtract()(variable, filled(ids, most, variable.shape[0]), filled(values, most, 0))

    def plain():
        variable.scatter_sub(tf.IndexedSlices(values, ids))

    _if_large(values, compiled, plain)


def room(rows):
    """So many rows there will be for XLA: an integer where it is known, and else a tensor."""
    import tensorflow as tf

    if rows.shape[0] is not None:
        return rows.shape[0]
    powers = tf.constant([2**i for i in range(31)])
    return powers[tf.searchsorted(powers, tf.shape(rows)[:1])[0]]


def filled(rows, most, with_what):
    """The rows, and then others; for ids those past the end of a table, which XLA leaves out."""
    import tensorflow as tf

    if rows.shape[0] is not None and rows.shape[0] == most:
        return rows
    missing = [[0, most - tf.shape(rows)[0]], *[[0, 0]] * (len(rows.shape) - 1)]
    full = tf.pad(rows, missing, constant_values=tf.cast(with_what, rows.dtype))
    return tf.ensure_shape(full, (most if isinstance(most, int) else None, *rows.shape[1:]))


def _if_large(values, compiled, plain):
    import tensorflow as tf

    if not _xla.can_fuse():
        return plain()
    if values.shape.is_fully_defined():
        return compiled() if math.prod(values.shape) >= LARGE else plain()
    return tf.cond(tf.size(values) >= LARGE, compiled, plain)


@functools.cache
def _sums():
    import tensorflow as tf

    def sums(values, place):
        return tf.math.unsorted_segment_sum(values, place, tf.shape(values)[0])

    return tf.function(sums, jit_compile=True, autograph=False)


@functools.cache
def _subtract():
    import tensorflow as tf

    def subtract(variable, ids, values):
        table = tf.convert_to_tensor(variable)
        variable.assign(tf.tensor_scatter_nd_sub(table, ids[:, None], values))

    return tf.function(subtract, jit_compile=True, autograph=False)
