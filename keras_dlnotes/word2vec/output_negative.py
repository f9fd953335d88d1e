"""Negative sampling in closed form, the noise shared by neighbours."""

import numpy as np
from keras import ops

from keras_dlnotes.word2vec.compiled import fused
from keras_dlnotes.word2vec.sums import total, total_last


class SharedNoise:
    """log sigmoid(h . v) for the true word, log sigmoid(-h . v) for noise.

    A chunk of neighbouring centre words shares `size` noise words, each weighted by
    `negative` / `size` a pair, so that the expectation is that of `negative` words drawn for each
    pair while true words and noise are met in one dense product. As in the paper a noise word may
    be the true word.
    """

    def __init__(self, negative, size=16):
        self.negative, self.size = negative, size

    def gradients(self, table, hidden, words, pairs, noise):
        """Each row of `hidden` against the words it makes pairs with, and against noise.

        Args:
            table: Vectors of words, (rows, size).
            hidden: (chunks, chunk, size).
            words: Word indices, (chunks, m).
            pairs: Whether a row has to predict each word, (chunks, chunk, m), or the one word that
                stands where it stands, (chunks, chunk).
            noise: Word indices, (chunks, noise words).

        Returns the loss, the gradient of `hidden`, and a list of (ids, gradients) for the table.
        """
        chunks, _, size = hidden.shape
        true, drawn = words.shape[1], noise.shape[1]
        ids = ops.reshape(ops.concatenate([words, noise], axis=1), (-1,))
        rows = ops.reshape(ops.take(table, ids, axis=0), (chunks, true + drawn, size))
        logits = ops.matmul(hidden, ops.transpose(rows, (0, 2, 1)))
        push, loss = _push(logits, pairs, ops.convert_to_tensor(self.negative / drawn, "float32"))
        d_hidden = ops.matmul(push, rows)
        d_rows = ops.matmul(ops.transpose(push, (0, 2, 1)), hidden)
        return loss, d_hidden, [(ids, ops.reshape(d_rows, (-1, size)))]


@fused
def _push(logits, pairs, weight):
    """The derivative of the loss by the logits of true words and of noise, and the loss."""
    pairs = each_with_each(pairs)
    chunks, chunk, true = pairs.shape
    drawn = logits.shape[2] - true
    each = total_last(pairs)[:, :, None] * weight
    weights = ops.concatenate([pairs, ops.broadcast_to(each, (chunks, chunk, drawn))], axis=2)
    sign = np.repeat(np.array([1, -1], np.float32), (true, drawn))
    right = ops.sigmoid(logits * sign)
    return (right - 1.0) * sign * weights, total(weights * log_loss(right))


def each_with_each(pairs):
    """Pairs of a row and the word in its place, as pairs of all rows and all words."""
    if len(pairs.shape) == 3:
        return pairs
    return pairs[:, :, None] * ops.eye(pairs.shape[1], dtype=pairs.dtype)


def log_loss(right):
    """-log of the probability of the right answer; the smallest number keeps it finite."""
    return -ops.log(ops.maximum(right, 1e-37))
