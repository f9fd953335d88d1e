"""From files of text to the blocks of numbers that a corpus file is written from."""

import os

import numpy as np

from keras_dlnotes.word2vec.text import reading
from keras_dlnotes.word2vec.text.selection import checked
from keras_dlnotes.word2vec.vocabulary import select


def encoded(files, errors, table, verbose):
    """All blocks of all files as numbers, under a progress bar."""
    bar, done = None, 0
    if verbose:
        import keras

        bar = keras.utils.Progbar(sum(os.path.getsize(path) for path in files), unit_name="byte")
    for path in files:
        report = None if bar is None else (lambda position, done=done: bar.update(done + position))
        for block in reading.blocks(path, errors, report=report):
            yield table.encode(block)
        yield np.zeros(0, np.int32), np.zeros(1, np.int64)  # A file's end ends a sentence.
        done += os.path.getsize(path)
    if bar is not None:
        bar.update(bar.target, finalize=True)


def chooser(table, vocabulary, errors, **rules):
    """What picks the vocabulary once everything is counted."""
    if vocabulary is None:
        checked(**rules)

        def choose(counts):
            return select(table.words(errors), counts, **rules)

        return choose

    def encode(counts):
        missing = -1 if vocabulary.unknown is None else vocabulary.indices[vocabulary.unknown]
        get = vocabulary.indices.get
        words = table.words(errors)
        return vocabulary, np.array([get(word, missing) for word in words], np.int32)

    return encode
