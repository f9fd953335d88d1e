"""Gradients of lookups: rows of a table, each id once.

TensorFlow hands the gradient of a lookup over as ``IndexedSlices`` (JAX, where asked, as ``BCOO``)
in which an id stands as often as it was looked up. Anything but a plain sum has to see one row a
looked-up id, so duplicates are added up here before anything is squared or clipped.
"""

import keras
from keras import ops

from keras_dlnotes import _replicas, _xla
from keras_dlnotes.optimizers import _fused_rows

BACKEND = keras.backend.backend()


class Rows:
    """The gradient of some rows of a table.

    Attributes:
        ids: Which rows, ``(n,)``.
        values: Their gradients, ``(n, ...)``.
        shape: The shape of the table.
        first: None if every id stands once. Otherwise ``(n, 1, ...)`` with 1 at each id's first
            place and 0 at its repetitions, which carry the same (complete) sum.
        merged: False as long as ids may repeat, each with its own part of the sum.
        most: How many rows there can be: an integer where that is known beforehand, else a tensor
            of merged rows, and None of others.
    """

    def __init__(self, ids, values, shape, first=None, merged=True, most=None):
        self.ids = ids
        self.values = values
        self.shape = shape
        self.first = first
        self.merged = merged
        self.most = ids.shape[0] if most is None else most

    def replace(self, values):
        """The same rows with other values."""
        return Rows(self.ids, values, self.shape, self.first, self.merged, self.most)

    def once(self, values):
        """``values`` of these rows with repetitions put to zero, ready for a sum over rows."""
        return values if self.first is None else values * ops.cast(self.first, values.dtype)


def is_sparse(gradient):
    """Whether the gradient is of rows, merged or not."""
    return isinstance(gradient, Rows) or type(gradient).__name__ in ("IndexedSlices", "BCOO")


def with_shape(gradient, shape):
    """The same gradient, knowing the shape of its table also while a graph is built."""
    if BACKEND == "tensorflow" and not isinstance(gradient, Rows):
        import tensorflow as tf

        return tf.IndexedSlices(gradient.values, gradient.indices, tf.constant(tuple(shape)))
    return gradient


def summed(gradients):
    """The sums of all replicas' gradients; None stays None."""
    if _replicas.count() == 1:
        return gradients
    sums = iter(_replicas.total([gradient for gradient in gradients if gradient is not None]))
    sums = [None if gradient is None else next(sums) for gradient in gradients]
    return [
        with_shape(one, gradient.shape) if is_sparse(gradient) else one
        for one, gradient in zip(sums, gradients, strict=True)
    ]


def unmerged(gradient):
    """The backend's gradient of rows as ``Rows`` in which ids may still repeat."""
    shape = tuple(gradient.shape)
    if BACKEND == "jax":
        return Rows(
            ops.convert_to_tensor(gradient.indices)[:, 0], gradient.data, shape, merged=False
        )
    # Made by hand, its parts may be plain sequences.
    ids, values = map(ops.convert_to_tensor, (gradient.indices, gradient.values))
    return Rows(ids, values, shape, merged=False)


def dense(rows):
    """The gradient of the whole table."""
    values, ids = rows.once(rows.values), rows.ids
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.ensure_shape(tf.math.unsorted_segment_sum(values, ids, rows.shape[0]), rows.shape)
    return ops.segment_sum(values, ids, num_segments=rows.shape[0])


def native(rows):
    """Merged rows as the backend's own gradient of rows."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.IndexedSlices(rows.once(rows.values), rows.ids, tf.constant(rows.shape))
    from jax.experimental.sparse import BCOO

    return BCOO((rows.once(rows.values), rows.ids[:, None]), shape=rows.shape)


def merge(rows):
    """Adds up the gradients of equal ids."""
    if rows.merged:
        return rows
    if BACKEND == "tensorflow" and not _xla.inside():
        import tensorflow as tf

        ids, place = tf.unique(rows.ids)
        sums = _fused_rows.sums(rows.values, place, tf.size(ids))
        return Rows(ids, sums, rows.shape, most=_fused_rows.room(rows.ids))
    # XLA wants shapes it knows beforehand, and the number of distinct ids is not. So every
    # occurrence keeps its place and gets the complete sum of its id.
    count = ops.shape(rows.ids)[0]
    order = ops.argsort(rows.ids)
    ordered = ops.take(rows.ids, order)
    fresh = ops.concatenate([ops.ones((1,), "bool"), ordered[1:] != ordered[:-1]])[:count]
    place = ops.cumsum(ops.cast(fresh, "int32")) - 1
    sums = ops.segment_sum(ops.take(rows.values, order, axis=0), place, num_segments=count)
    first = ops.reshape(fresh, (-1,) + (1,) * (len(rows.shape) - 1))
    return Rows(ordered, ops.take(sums, place, axis=0), rows.shape, first)


def padded(rows):
    """Ids and values of merged rows, as many as there can be: ids past the table's end fill up."""
    return _fused_rows.filled(rows.ids, rows.most, rows.shape[0]), _fused_rows.filled(
        rows.values, rows.most, 0
    )


def read(variable):
    """A plain tensor; Keras leaves a variable a variable where TensorFlow takes it for one."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.convert_to_tensor(variable)
    return ops.convert_to_tensor(variable)


def backend_variable(variable):
    """The backend's own variable, which Keras' optimizers hand out by turns with Keras'."""
    return variable.value if isinstance(variable, keras.Variable) else variable


def gather(variable, ids):
    """Reads rows without reading the table."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.gather(backend_variable(variable), ids)
    return ops.take(ops.convert_to_tensor(variable), ids, axis=0)


def write(optimizer, variable, rows, values):
    """Overwrites the rows of ``variable``; repeated ids must carry equal values."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        optimizer.assign(variable, tf.IndexedSlices(values, rows.ids))
    else:
        whole = ops.convert_to_tensor(variable)
        optimizer.assign(variable, ops.scatter_update(whole, rows.ids[:, None], values))


def subtract(optimizer, variable, rows, values):
    """Subtracts from the rows of ``variable``, each row once."""
    values = rows.once(values)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        if _xla.can_fuse():
            _fused_rows.subtract(backend_variable(variable), rows.ids, values)
        else:
            optimizer.assign_sub(variable, tf.IndexedSlices(values, rows.ids))
    else:
        optimizer.assign_sub(variable, dense(Rows(rows.ids, values, rows.shape)))
