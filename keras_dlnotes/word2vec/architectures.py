"""Skip-gram and CBOW: what predicts, what is predicted, and the way back of the gradients."""

from keras import ops

from keras_dlnotes.word2vec.compiled import fused
from keras_dlnotes.word2vec.sums import total_last


class SkipGram:
    """Each centre word predicts every word of its window.

    `gradients` returns the loss summed over pairs, the number of pairs, and what changes in the two
    tables: lists of (ids, rows), where an id may occur many times.
    """

    predicts_windows = True

    def gradients(self, embeddings, output, head, windows, draw):
        chunks, chunk = windows.centres.shape
        ids = ops.reshape(windows.centres, (-1,))
        hidden = ops.reshape(ops.take(embeddings, ids, axis=0), (chunks, chunk, -1))
        loss, d_hidden, d_output = head.gradients(
            output, hidden, windows.frames, windows.pairs, draw
        )
        d_hidden = ops.reshape(d_hidden, (chunks * chunk, -1))
        return loss, ops.sum(windows.pairs), [(ids, d_hidden)], d_output


class ContinuousBagOfWords:
    """The mean (or sum) of the window's vectors predicts the centre word.

    With the mean, word2vec.c and gensim pass the whole gradient to every word of the window instead
    of its share. `shared=True` is the gradient proper, `False` is theirs.
    """

    predicts_windows = False

    def __init__(self, mean=True, shared=False):
        self.mean, self.shared = mean, shared

    def gradients(self, embeddings, output, head, windows, draw):
        chunks, frame = windows.frames.shape
        ids = ops.reshape(windows.frames, (-1,))
        context = ops.reshape(ops.take(embeddings, ids, axis=0), (chunks, frame, -1))
        present, means = _means(windows.pairs)
        hidden = ops.matmul(means if self.mean else windows.pairs, context)
        loss, d_hidden, d_output = head.gradients(output, hidden, windows.centres, present, draw)
        back = means if self.mean == self.shared else windows.pairs
        d_context = ops.matmul(ops.transpose(back, (0, 2, 1)), d_hidden)
        d_context = ops.reshape(d_context, (chunks * frame, -1))
        return loss, ops.sum(present), [(ids, d_context)], d_output


@fused
def _means(pairs):
    """Whether a window holds a word at all, and each word's share in its mean."""
    sizes = total_last(pairs)
    return ops.cast(sizes > 0, "float32"), pairs / ops.maximum(sizes, 1.0)[:, :, None]
