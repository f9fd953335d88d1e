"""The data a loss is looked at on: what is taken, and batches of it that lie on the device."""

import collections.abc

import keras
from keras import ops, tree

from keras_dlnotes import _checks

FORMS = (
    "be (x, y) or (x, y, sample_weight) as arrays of equal length, or an iterable that ends of "
    "such batches (a tf.data.Dataset, a PyDataset)"
)


def prepared(model, data, batch_size):
    """`Batches`; a model that nobody has called yet is built by the first of them."""
    if not isinstance(model, keras.Model):
        _checks.fail("model", "be a Keras model", model)
    batches = Batches(data, batch_size)
    if not model.built:
        model(batches.example[0])
    return batches


def checked_examples(name, x):
    """Refuses what is no structure of arrays, such as a data set, and arrays of no example."""
    for leaf in tree.flatten(x):
        read_once = isinstance(leaf, (collections.abc.Iterator, keras.utils.PyDataset))
        if read_once or hasattr(leaf, "element_spec"):
            _checks.fail(name, "be an array, or a structure of arrays", x)
        if 0 in (getattr(leaf, "shape", None) or ()):
            _checks.fail(name, "hold one example at least", x)


class Batches:
    """The data on the device: full batches stacked, and what is left over.

    Args:
        data: ``(x, y)`` or ``(x, y, sample_weight)`` as arrays, or an iterable of such batches
            (a ``tf.data.Dataset``, a ``keras.utils.PyDataset``), which is read once.
        batch_size: Rows a batch of arrays.
    """

    def __init__(self, data, batch_size):
        batches = list(_split(data, batch_size))
        if not batches:
            raise ValueError("Argument `data` must hold at least one batch. Received none.")
        shapes = [_shapes(batch) for batch in batches]
        full = next((k for k, s in enumerate(shapes) if s != shapes[0]), len(batches))
        #: Batches of one shape in one tensor each, for a loop in the compiled code.
        self.stacked = tree.map_structure(
            lambda *leaves: None if leaves[0] is None else ops.stack(leaves), *batches[:full]
        )
        self.rest = batches[full:]
        self.count = full
        self.rows = [_rows(batch) for batch in batches]
        self.total = sum(self.rows)
        self.example = batches[0]

    def tensors(self):
        return [self.stacked, self.rest]

    def reduce(self, function, start, tensors):
        """``start + sum of rows * function(batch)``, looped in the compiled code."""
        stacked, rest = tensors
        total = start
        if self.count == 1:
            total = _added(total, function(_picked(stacked, 0)), self.rows[0])
        else:

            def body(k, so_far):
                return _added(so_far, function(_picked(stacked, k)), self.rows[0])

            total = ops.fori_loop(0, self.count, body, total)
        for batch, rows in zip(rest, self.rows[self.count :], strict=True):
            total = _added(total, function(batch), rows)
        return total


def _split(data, batch_size):
    """Batches as triples of tensors, floats as ``floatx``."""
    for triple in _triples(data, batch_size):
        triple = triple if isinstance(triple, (tuple, list)) else (triple,)
        batch = tree.map_structure(_tensor, (*triple, None, None)[:3])
        if any(leaf is None or not len(leaf.shape) for leaf in tree.flatten(batch[0])):
            _checks.fail("data", FORMS, data)
        yield batch


def _triples(data, batch_size):
    if isinstance(data, (tuple, list)) and len(data) in (1, 2, 3):
        return _slices(data, batch_size)
    if isinstance(data, keras.utils.PyDataset):
        if data.num_batches is None:
            _checks.fail("data", FORMS, data)
        return (data[k] for k in range(data.num_batches))
    endless = hasattr(data, "cardinality") and int(data.cardinality()) == -1
    no_batches = isinstance(data, str) or hasattr(data, "shape")
    if endless or no_batches or not isinstance(data, collections.abc.Iterable):
        _checks.fail("data", FORMS, data)
    return data


def _slices(data, batch_size):
    arrays = [leaf for leaf in tree.flatten(tuple(data)) if leaf is not None]
    lengths = {leaf.shape[0] if getattr(leaf, "shape", ()) else None for leaf in arrays}
    if len(lengths) != 1 or None in lengths:
        _checks.fail("data", FORMS, data)
    for at in range(0, lengths.pop(), batch_size):
        yield tree.map_structure(
            lambda leaf, at=at: None if leaf is None else leaf[at : at + batch_size], tuple(data)
        )


def _tensor(x):
    if x is None:
        return None
    kind = str(getattr(x, "dtype", "float"))
    if "float" in kind and not ops.is_tensor(x):
        return ops.convert_to_tensor(x, dtype=keras.config.floatx())
    return ops.convert_to_tensor(x)


def _shapes(batch):
    return [None if leaf is None else tuple(leaf.shape) for leaf in tree.flatten(batch)]


def _rows(batch):
    return int(tree.flatten(batch[0])[0].shape[0])


def _picked(stacked, k):
    return tree.map_structure(lambda leaf: None if leaf is None else leaf[k], stacked)


def _added(total, value, rows):
    return tree.map_structure(lambda t, v: t + rows * v, total, value)
