import numpy as np
import pytest

from keras_dlnotes.models.data import checked_features, checked_pair, folds, split

X, Y = np.arange(20.0).reshape(10, 2), np.arange(10)


class Table:
    """As much of a data frame as tells its columns' names."""

    columns = ("age", "colour")

    def __init__(self, rows):
        self.rows = np.array(rows, object)

    def __array__(self, dtype=None, copy=None):
        return self.rows.astype(dtype or object)


def test_split_keeps_pairs_together_and_loses_none():
    (x, y), (x_held, y_held) = split(X, Y, 0.3, seed=1)
    assert len(y_held) == 3
    assert sorted([*y, *y_held]) == list(Y)
    np.testing.assert_array_equal(x[:, 0], 2 * y)
    np.testing.assert_array_equal(x_held[:, 0], 2 * y_held)


def test_tables_of_numbers_of_several_kinds_are_numbers():
    """As a data frame with a column of True and False gives them."""
    table = np.array([[1.5, True], [2, False]], dtype=object)
    x, y = checked_pair(table, np.array([1, True], dtype=object))
    np.testing.assert_array_equal(x, [[1.5, 1], [2, 0]])
    np.testing.assert_array_equal(y, [1, 1])


def test_folds_hold_out_each_example_once():
    pairs = list(folds(10, 3, seed=0))
    assert sorted(np.concatenate([held for _, held in pairs])) == list(range(10))
    assert all(not set(train) & set(held) for train, held in pairs)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: checked_features("a"), "Features must be numbers; .* Received: x of dtype <U1$"),
        (lambda: checked_features([["a"]]), r"dtype <U1, no numbers in columns 0 \(1\)$"),
        (lambda: checked_features([["a", 1.5]] * 3), r"no numbers in columns 0 \(3\)$"),
        (
            lambda: checked_features(np.array([[1, "2"]], object)),
            r"Received: x of dtype object, no numbers in columns 1 \(1\)$",
        ),
        (lambda: checked_features(Table([[1, "a"], [2, "b"]])), r"in columns colour \(2\)$"),
        (
            lambda: checked_features(Table([[1, np.nan]])),
            r"in columns colour \(1\)$",
        ),
        (
            lambda: checked_features([[1, 1j]]),
            "Features must be numbers; .* Received: x of dtype complex128",
        ),
        (lambda: checked_features([[1e300]]), r"finite, in float32; .* columns 0 \(1\)$"),
        (lambda: checked_features([[1, {}]]), "Received: x of dtype object"),
        (lambda: checked_features([[1.0, None]]), r"in columns 1 \(1\)"),
        (lambda: checked_features(np.zeros((0, 3))), r"Received: x of shape \(0, 3\)"),
        (lambda: checked_features(np.zeros(3)), r"Received: x of shape \(3,\)"),
        (
            lambda: checked_features([[1, np.nan, np.inf], [1, np.nan, 2]]),
            r"in columns 1 \(2\), 2 \(1\)",
        ),
        (lambda: checked_pair(X, Y[:3]), r"10 examples, labels of shape \(3,\)"),
        (lambda: split(X, Y, (X[:, :1], Y)), r"\(2,\) each. Received: .* shape \(10, 1\)"),
        (lambda: split(X, Y, 0.01), "Received: validation=0.01"),
        (lambda: split(X, Y, 1.0), "Received: validation=1.0"),
        (lambda: list(folds(10, 1)), "Received: folds=1"),
        (lambda: list(folds(3, 4)), "Received: folds=4"),
    ],
)
def test_rejects(call, message):
    with pytest.raises(ValueError, match=message):
        call()
