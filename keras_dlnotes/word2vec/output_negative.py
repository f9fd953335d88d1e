"""Negative sampling in closed form, the noise shared by neighbours."""

from keras import ops

from keras_dlnotes.word2vec.windows import largest_divisor


class SharedNoise:
    """log sigmoid(h . v) for the true word, log sigmoid(-h . v) for noise.

    A group of neighbouring centre words shares `size` noise words, each weighted by
    `negative` / `size` a pair, so that the expectation is that of `negative` words drawn for each
    pair while all products are dense. As in the paper a noise word may be the true word.
    """

    def __init__(self, negative, size=32, group=64):
        self.negative, self.size, self.group = negative, size, group

    def groups(self, centres):
        """Into how many groups so many centre words are divided."""
        return centres // largest_divisor(centres, self.group)

    def many(self, table, hidden, windows, noise):
        """Each row of `hidden` against all words of its window."""
        chunks, _, size = hidden.shape
        ids = ops.reshape(windows.frames, (-1,))
        targets = ops.reshape(ops.take(table, ids, axis=0), (chunks, -1, size))
        right = ops.sigmoid(ops.matmul(hidden, ops.transpose(targets, (0, 2, 1))))
        push = (right - 1.0) * windows.pairs
        loss = total(log_loss(right) * windows.pairs)
        d_hidden = ops.matmul(push, targets)
        d_targets = ops.matmul(ops.transpose(push, (0, 2, 1)), hidden)
        weights = total_last(windows.pairs)
        noise_loss, d_noise_hidden, d_noise = self._noise(table, hidden, weights, noise)
        d_output = [(ids, ops.reshape(d_targets, (-1, size))), d_noise]
        return loss + noise_loss, d_hidden + d_noise_hidden, d_output

    def one(self, table, hidden, windows, present, noise):
        """Each row of `hidden` against the centre word."""
        chunks, chunk, size = hidden.shape
        ids = ops.reshape(windows.centres, (-1,))
        targets = ops.reshape(ops.take(table, ids, axis=0), (chunks, chunk, size))
        right = ops.sigmoid(total_last(hidden * targets))
        push = ((right - 1.0) * present)[:, :, None]
        loss = total(log_loss(right) * present)
        noise_loss, d_hidden, d_noise = self._noise(table, hidden, present, noise)
        d_output = [(ids, ops.reshape(push * hidden, (-1, size))), d_noise]
        return loss + noise_loss, push * targets + d_hidden, d_output

    def _noise(self, table, hidden, weights, noise):
        groups, count = noise.shape
        shape, size = hidden.shape, hidden.shape[-1]
        ids = ops.reshape(noise, (-1,))
        words = ops.reshape(ops.take(table, ids, axis=0), (groups, count, size))
        hidden = ops.reshape(hidden, (groups, -1, size))
        weights = ops.reshape(weights, (groups, -1, 1)) * (self.negative / count)
        right = ops.sigmoid(-ops.matmul(hidden, ops.transpose(words, (0, 2, 1))))
        push = (1.0 - right) * weights
        loss = total(log_loss(right) * weights)
        d_hidden = ops.reshape(ops.matmul(push, words), shape)
        d_words = ops.matmul(ops.transpose(push, (0, 2, 1)), hidden)
        return loss, d_hidden, (ids, ops.reshape(d_words, (-1, size)))


def log_loss(right):
    """-log of the probability of the right answer; the smallest number keeps it finite."""
    return -ops.log(ops.maximum(right, 1e-37))


def total_last(x):
    """The sum over the last axis, as a product: XLA on a CPU is slow at short sums."""
    totals = _row_totals(x)
    return totals if len(x.shape) == 2 else ops.reshape(totals, x.shape[:-1])


def total(x):
    """The sum of everything."""
    return ops.sum(_row_totals(x))


def _row_totals(x):
    flat = ops.reshape(x, (-1, x.shape[-1]))
    return ops.matmul(flat, ops.ones((x.shape[-1],), x.dtype))
