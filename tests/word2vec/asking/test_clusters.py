"""Classes of words: k-means against word2vec.c's loop, and on clusters that are plain to see."""

import numpy as np
import pytest

from keras_dlnotes.word2vec.asking.clusters import classes


def by_loops(rows, number, iterations=10):
    """What word2vec.c writes in four nested loops."""
    chosen = [n % number for n in range(len(rows))]
    for _ in range(iterations):
        centres = np.zeros((number, rows.shape[1]))
        sizes = np.ones(number)  # It starts counting at one, which the scaling below undoes.
        for row, label in zip(rows, chosen, strict=True):
            centres[label] += row
            sizes[label] += 1
        centres /= sizes[:, None]
        centres /= np.sqrt((centres**2).sum(1))[:, None]
        chosen = [max(range(number), key=lambda k, row=row: centres[k] @ row) for row in rows]
    return chosen


def test_classes_are_those_of_word2vec():
    rows = np.random.default_rng(1).normal(size=(60, 5))
    assert classes(rows, 4).tolist() == by_loops(rows, 4)


def test_directions_are_told_apart():
    generator = np.random.default_rng(2)
    truth = generator.integers(0, 3, 300)
    rows = np.eye(3)[truth] * generator.uniform(0.1, 9, (300, 1)) + generator.normal(
        size=(300, 3), scale=0.01
    )
    found = classes(rows, 3)
    assert len({*zip(truth.tolist(), found.tolist(), strict=True)}) == 3


def test_more_classes_than_words():
    assert classes(np.ones((2, 3)), 5).shape == (2,)
    with pytest.raises(ValueError, match="`number` must be an integer of at least 1"):
        classes(np.ones((2, 3)), 0)
