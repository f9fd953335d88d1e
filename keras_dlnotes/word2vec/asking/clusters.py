"""Classes of words: k-means on the sphere, as word2vec.c's -classes does it."""

import numpy as np

from keras_dlnotes import _checks


def classes(vectors, number, iterations=10):
    """The class (0 to `number` - 1) of each row of an array.

    Rows start in turn in the classes, so nothing is random; a row goes to the centre with which its
    product is largest, centres being means scaled to length 1.
    """
    _checks.integer("number", number, 1)
    rows = np.asarray(vectors, np.float32)
    chosen = np.arange(len(rows)) % number
    for _ in range(iterations):
        centres = np.zeros((number, rows.shape[1]))
        np.add.at(centres, chosen, rows)
        norms = np.linalg.norm(centres, axis=1, keepdims=True)
        centres = (centres / np.where(norms > 0, norms, 1)).astype(np.float32)
        chosen = np.concatenate(
            [(rows[i : i + 8192] @ centres.T).argmax(1) for i in range(0, len(rows), 8192)]
        )
    return chosen
