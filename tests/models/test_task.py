import numpy as np
import pytest

from keras_dlnotes.models.task import detect


@pytest.mark.parametrize(
    ("y", "name", "outputs", "loss"),
    [
        ([0, 1, 1], "binary", 1, "BinaryCrossentropy"),
        ([[0.0], [1.0]], "binary", 1, "BinaryCrossentropy"),
        ([True, False], "binary", 1, "BinaryCrossentropy"),
        ([0, 1, 2, 1], "multiclass", 3, "SparseCategoricalCrossentropy"),
        ([0.0, 3.0, 2.0, 1.0], "multiclass", 4, "SparseCategoricalCrossentropy"),
        ([[0, 1, 0], [0, 0, 1]], "multiclass_one_hot", 3, "CategoricalCrossentropy"),
        ([[1, 1, 0], [0, 0, 1]], "binary", 3, "BinaryCrossentropy"),
        ([0.5, 1.5, 2.0], "regression", 1, "MeanSquaredError"),
        ([[0.5, 1.0], [2.0, 3.0]], "regression", 2, "MeanSquaredError"),
    ],
)
def test_detects(y, name, outputs, loss):
    found = detect(np.array(y))
    assert (found.name, found.outputs, found.loss) == (name, outputs, loss)


def test_a_named_task_wins():
    assert detect(np.array([3, 700, 41]), "regression").name == "regression"
    assert detect(np.array([0, 1, 1]), "multiclass").outputs == 2


@pytest.mark.parametrize(
    ("y", "task", "message"),
    [
        ([], "auto", r"an array of shape \(0,\)"),
        (["cat", "dog"], "auto", "for example"),
        ([1, 1j], "auto", "Labels must be numbers; .* y of dtype complex128"),
        ([1.0, np.nan], "auto", "Received: 1 NaN or infinite"),
        ([1, 1, 1], "auto", "nothing to learn. Received: 1"),
        ([-1, 1, 1], "auto", "2 different, from -1 to 1"),
        ([3, 700, 41], "auto", "3 different, from 3 to 700"),
        ([0.5, 1.0], "multiclass", r"Received: \[0.5, 1.0\]"),
        ([0, 1, 2], "binary", "for task 'binary'"),
        ([[1, 1, 0], [0, 0, 1]], "multiclass_one_hot", r"shape \(2, 3\)"),
        ([[[1]]], "auto", r"shape \(1, 1, 1\)"),
        ([0, 1], "ranking", "Received: task='ranking'"),
    ],
)
def test_refuses(y, task, message):
    with pytest.raises(ValueError, match=message):
        detect(np.array(y), task)
