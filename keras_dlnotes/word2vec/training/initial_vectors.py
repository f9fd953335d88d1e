"""Vectors to start from: a file of them, other vectors, or an array."""

import os

import numpy as np

from keras_dlnotes import _checks


def rows_of(source, vocabulary, size):
    """Which rows the vectors of `source` fill, and with what.

    Args:
        source: A file, `WordVectors`, or an array with a row for each word.
        vocabulary: `Vocabulary`.
        size: Numbers of a vector.
    """
    if isinstance(source, (str, os.PathLike)):
        from keras_dlnotes.word2vec.vectors import WordVectors

        source = WordVectors.load(source)
    if hasattr(source, "words"):
        known = [word for word in vocabulary.words if word in source]
        if not known:
            raise ValueError("`initial_vectors` holds no word of the vocabulary")
        rows = [vocabulary.index(word) for word in known]
        vectors = np.stack([source[word] for word in known])
    else:
        rows, vectors = slice(None), np.asarray(source, np.float32)
        if vectors.ndim != 2 or len(vectors) != len(vocabulary):
            shape = getattr(vectors, "shape", None)
            _checks.fail(
                "initial_vectors", f"have a row for each of {len(vocabulary)} words", shape
            )
    if vectors.shape[1] != size:
        _checks.fail("initial_vectors", f"have vectors of size {size}", vectors.shape)
    if not np.isfinite(vectors).all():
        raise ValueError("`initial_vectors` holds numbers that are not finite")
    return rows, vectors
