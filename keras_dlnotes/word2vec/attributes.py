"""What is known of words beside their vectors: how often they occur, and whatever else."""

import numpy as np

from keras_dlnotes import _checks

NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)


class Attributes:
    """Values of words under a name, row by row, in one array a name.

    Words without a value have 0, an empty string or None, by what the others have.
    """

    def __init__(self, length, arrays=()):
        self.length = length
        self.arrays = dict(arrays)
        for name, array in self.arrays.items():
            if array.shape != (length,):
                raise ValueError(
                    f"There must be one {name} a word. Received: {length} words and {name}s of "
                    f"shape {array.shape}"
                )

    def set(self, name, row, value):
        if name == "count":
            value = _checks.integer("val", value, 0)
        number = isinstance(value, NUMBERS)
        dtype = np.asarray(value).dtype if number else np.dtype(object)
        array = self.arrays.get(name)
        if array is None:
            nothing = 0 if number else "" if isinstance(value, str) else None
            array = np.full(self.length, nothing, dtype)
        self.arrays[name] = array.astype(np.promote_types(array.dtype, dtype), copy=False)
        self.arrays[name][row] = value

    def grown(self, more):
        """The same with so many words more, which have no values yet."""
        arrays = {
            name: np.concatenate([array, np.full(more, _nothing(array), array.dtype)])
            for name, array in self.arrays.items()
        }
        return Attributes(self.length + more, arrays)

    def taken(self, rows):
        """Those of some words."""
        return Attributes(len(rows), {name: array[rows] for name, array in self.arrays.items()})

    def plain(self):
        """Arrays that a file without pickle can hold."""
        return {name: _plain(name, array) for name, array in self.arrays.items()}


def _nothing(array):
    if array.dtype.kind in "biuf":
        return 0
    return "" if all(isinstance(value, str) for value in array) else None


def _plain(name, array):
    if array.dtype != object:
        return array
    if all(isinstance(value, str) for value in array):
        return np.array(array.tolist(), np.str_)
    raise ValueError(f"Attribute {name!r} holds more than numbers and strings: no file can keep it")
