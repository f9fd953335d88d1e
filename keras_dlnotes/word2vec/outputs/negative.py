"""Negative sampling in closed form, the noise shared by neighbours."""

import numpy as np
from keras import ops

from keras_dlnotes.word2vec.training.compiled import fused
from keras_dlnotes.word2vec.training.sums import total, total_last
from keras_dlnotes.word2vec.training.windows import chunk_of, largest_divisor

#: How many neighbouring rows share their noise where each predicts one word.
SHARE = 64


def sharing(length, single):
    """How many neighbouring words of a segment share their noise; `single`: see `SHARE`."""
    return largest_divisor(length, SHARE) if single else chunk_of(length)


class SharedNoise:
    """log sigmoid(h . v) for the true word, log sigmoid(-h . v) for noise.

    Neighbouring centre words share `size` noise words, each weighted by `negative` / `size` a pair,
    so that the expectation is that of `negative` words drawn for each pair while noise is met in
    dense products. As in the paper a noise word may be the true word.
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
            noise: Word indices, (groups of neighbouring rows, noise words).

        Returns the loss, the gradient of `hidden`, and a list of (ids, gradients, curvatures or
        `None`) for the table, see `bounded`.
        """
        weight = ops.convert_to_tensor(self.negative / noise.shape[1], "float32")
        how = self._windows if len(pairs.shape) == 3 else self._words
        return how(table, hidden, words, pairs, noise, weight)

    def _windows(self, table, hidden, words, pairs, noise, weight):
        chunks, _, size = hidden.shape
        ids = ops.reshape(ops.concatenate([words, noise], axis=1), (-1,))
        rows = ops.reshape(ops.take(table, ids, axis=0), (chunks, -1, size))
        logits = ops.matmul(hidden, ops.transpose(rows, (0, 2, 1)))
        push, loss = _push(logits, pairs, weight)
        d_hidden = ops.matmul(push, rows)
        d_rows = ops.matmul(ops.transpose(push, (0, 2, 1)), hidden)
        return loss, d_hidden, [(ids, ops.reshape(d_rows, (-1, size)), None)]

    def _words(self, table, hidden, words, pairs, noise, weight):
        # A row and its word meet number by number, rows and their noise in a product.
        shape, size, groups = hidden.shape, hidden.shape[-1], noise.shape[0]
        flat, true = ops.reshape(hidden, (-1, size)), ops.reshape(words, (-1,))
        pairs, drawn = ops.reshape(pairs, (-1,)), ops.reshape(noise, (-1,))
        hidden, rows = (
            ops.reshape(x, (groups, -1, size)) for x in (flat, ops.take(table, drawn, axis=0))
        )
        logits = ops.matmul(hidden, ops.transpose(rows, (0, 2, 1)))
        push, away = _push_away(logits, ops.reshape(pairs, (groups, -1)), weight)
        d_hidden = ops.reshape(ops.matmul(push, rows), (-1, size))
        d_rows = ops.reshape(ops.matmul(ops.transpose(push, (0, 2, 1)), hidden), (-1, size))
        d_flat, d_true, loss = _pull(flat, ops.take(table, true, axis=0), pairs, d_hidden)
        return (
            loss + away,
            ops.reshape(d_flat, shape),
            [(true, d_true, None), (drawn, d_rows, None)],
        )


@fused
def _push(logits, pairs, weight):
    """The derivative of the loss by the logits of true words and of noise, and the loss."""
    chunks, chunk, true = pairs.shape
    drawn = logits.shape[2] - true
    each = total_last(pairs)[:, :, None] * weight
    weights = ops.concatenate([pairs, ops.broadcast_to(each, (chunks, chunk, drawn))], axis=2)
    sign = ops.convert_to_tensor(np.repeat(np.array([1, -1], np.float32), (true, drawn)))
    right = ops.sigmoid(logits * sign)
    return (right - 1.0) * sign * weights, total(weights * log_loss(right))


@fused
def _push_away(logits, pairs, weight):
    """The same for noise alone, of rows that predict one word each."""
    right, weights = ops.sigmoid(-logits), (pairs * weight)[:, :, None]
    return (1.0 - right) * weights, total(weights * log_loss(right))


@fused
def _pull(hidden, rows, pairs, d_hidden):
    """The same for true words alone, as gradients of `hidden`, added to those known, and rows."""
    right = ops.sigmoid(total_last(hidden * rows))
    push = ((right - 1.0) * pairs)[:, None]
    return d_hidden + push * rows, push * hidden, ops.sum(pairs * log_loss(right))


def log_loss(right):
    """-log of the probability of the right answer; the smallest number keeps it finite."""
    return -ops.log(ops.maximum(right, 1e-37))
