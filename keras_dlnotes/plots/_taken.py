"""What the pictures take: results of other rooms, histories, labels; and one error for the rest."""

import numpy as np

from keras_dlnotes import _checks


def result(name, value, attribute, origin):
    """`value`, which must be what `origin` gives: that has this attribute."""
    if not hasattr(value, attribute):
        _checks.fail(name, f"be what {origin}", value)
    return value


def metrics(name, history):
    """A Keras history or its dictionary, as a dict of arrays with a number an epoch."""
    values = getattr(history, "history", history)
    if not isinstance(values, dict) or not values:
        _checks.fail(name, "be a Keras history or its dictionary, with a metric at least", history)
    return {key: np.asarray(row, "float64") for key, row in values.items()}


def known_metric(values, metric):
    """The values of a metric, or an error that names those there are."""
    if metric not in list(values):
        known = ", ".join(map(repr, values))
        raise ValueError(f"Argument `metric` must be one of {known}. Received: metric={metric!r}")
    return values[metric]


def numbers(name, values, *shape):
    """A float64 array, finite and not empty, with an axis for each of the words of `shape`."""
    values = np.asarray(values)
    if values.dtype.kind not in "biuf" or values.ndim != len(shape) or not values.size:
        wanted = ", ".join(shape) + "," * (len(shape) == 1)
        raise ValueError(
            f"Argument `{name}` must be numbers of shape ({wanted}). "
            f"Received: an array of shape {values.shape} and type {values.dtype}"
        )
    if not np.all(np.isfinite(values)):
        raise ValueError(f"Argument `{name}` must be finite. Received: NaN or infinite values")
    return values.astype("float64")


def classes(names=None, **labels):
    """Class numbers 0, 1, ... for each of the labels, and the names of the classes.

    Labels may be such numbers, in one column or not; a column for each class, of which the largest
    counts; or anything else that can be sorted, such as strings: the classes are what occurs then.
    """
    labels = {name: _one_each(name, values) for name, values in labels.items()}
    joined = np.concatenate(list(labels.values()))
    if joined.dtype.kind in "iu" and joined.min() >= 0:
        count = max(int(joined.max()) + 1, 0 if names is None else len(names))
        known = np.arange(count)
    else:
        known = np.unique(joined)
    if names is None:
        names = [str(each) for each in known]
    names = list(names.values() if isinstance(names, dict) else names)
    if len(names) != len(known):
        _checks.fail("names", f"hold a name for each of the {len(known)} classes", names)
    return [np.searchsorted(known, values) for values in labels.values()], names


def _one_each(name, values):
    values = np.asarray(values)
    if values.ndim == 2 and values.shape[1] > 1:
        values = values.argmax(1)
    values = values.ravel()
    if not values.size:
        _checks.fail(name, "hold one label at least", values)
    if values.dtype.kind == "b":
        return values.astype(int)
    if values.dtype.kind == "f":
        if not np.all(values == np.round(values)):
            _checks.fail(name, "hold classes, or a column for each of them", values)
        return values.astype(int)
    return values.astype(str) if values.dtype.kind in "OS" else values
