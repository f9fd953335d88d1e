"""Checks and splits of the arrays that the recipe and the tuner are handed."""

import numpy as np

from keras_dlnotes import _checks


def as_array(data):
    """An array; of numbers, where a table has columns of several kinds of them.

    Example:
        >>> as_array(np.array([[1.5, True], [2, None]], dtype=object))
        array([[1.5, 1. ],
               [2. , nan]])
    """
    data = np.asarray(data)
    if data.dtype != object or any(isinstance(each, (str, bytes)) for each in data.flat):
        return data
    try:
        return data.astype("float64")
    except (TypeError, ValueError):
        return data


def checked_features(x):
    """`x` as float32, or an error that names what is wrong, column by column."""
    names = list(getattr(x, "columns", ()))
    x = as_array(x)
    if x.dtype.kind not in "biuf":
        # A string among other things is none; where all are strings, some may be meant as numbers.
        apart = str if x.dtype == object else complex
        wrong = np.array([isinstance(cell, apart) or not is_number(cell) for cell in x.flat])
        wrong = wrong.reshape(x.shape)
        raise ValueError(
            "Features must be numbers; give categories numbers, or each a column of its own. "
            f"Received: x of dtype {x.dtype}{_listed(wrong, names, ', no numbers in')}"
        )
    if x.ndim < 2 or not x.size:
        raise ValueError(
            "Features must have shape (examples, features), with at least one of each. "
            f"Received: x of shape {x.shape}"
        )
    with np.errstate(over="ignore"):  # told of in the next lines
        x = x.astype("float32")
    bad = ~np.isfinite(x).reshape(len(x), -1)
    if bad.any():
        raise ValueError(
            "Features must be finite, in float32; fill or drop what is missing. "
            f"Received: {_listed(bad, names, 'NaN or infinite values in')}"
        )
    return x


def is_number(cell):
    try:
        float(cell)
    except (TypeError, ValueError):
        return False
    return True


def _listed(bad, names, what):
    """The columns with something bad, by name where there are names, and how much of it."""
    if bad.ndim != 2 or not bad.any():
        return ""
    columns = np.flatnonzero(bad.any(0))
    called = names if len(names) == bad.shape[1] else range(bad.shape[1])
    listed = ", ".join(f"{called[i]} ({int(bad[:, i].sum())})" for i in columns[:10])
    return f"{what} columns {listed}" + (", ..." if len(columns) > 10 else "")


def checked_pair(x, y):
    """Features and labels of equal length."""
    x, y = checked_features(x), as_array(y)
    if y.ndim == 0 or len(x) != len(y):
        raise ValueError(
            "There must be one label for each example. "
            f"Received: {len(x)} examples, labels of shape {y.shape}"
        )
    return x, y


def split(x, y, validation=0.2, seed=None):
    """(x, y) for training and (x, y) held out.

    Args:
        x, y: Arrays of equal length.
        validation: Float in (0, 1), the share held out at random, or a pair of arrays to use.
        seed: Integer or None.
    """
    if isinstance(validation, (tuple, list)):
        if len(validation) != 2:
            _checks.fail("validation", "be a share or a pair (x, y)", len(validation))
        held_out = checked_pair(*validation)
        if held_out[0].shape[1:] != x.shape[1:]:
            raise ValueError(
                f"Held-out features must have the shape of the training's, {x.shape[1:]} each. "
                f"Received: validation features of shape {held_out[0].shape}"
            )
        return (x, y), held_out
    share = _checks.number("validation", validation, "(0, 1)")
    held = round(len(x) * share)
    if not 0 < held < len(x):
        _checks.fail("validation", f"leave some of the {len(x)} examples on each side", validation)
    order = np.random.default_rng(seed).permutation(len(x))
    return (x[order[held:]], y[order[held:]]), (x[order[:held]], y[order[:held]])


def folds(count, number, seed=None):
    """`number` pairs of index arrays (training, held out) over `count` examples."""
    _checks.integer("folds", number, 2)
    if number > count:
        _checks.fail("folds", f"be at most the number of examples, {count}", number)
    parts = np.array_split(np.random.default_rng(seed).permutation(count), number)
    for held in range(number):
        rest = [part for index, part in enumerate(parts) if index != held]
        yield np.concatenate(rest), parts[held]
