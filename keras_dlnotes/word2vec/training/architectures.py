"""Skip-gram and CBOW: what predicts, what is predicted, and the way back of the gradients."""

from keras import ops

from keras_dlnotes.word2vec.training.neighbours import neighbours, window_shares, window_sums
from keras_dlnotes.word2vec.training.windows import Windows


class SkipGram:
    """Each centre word predicts every word of its window.

    `gradients` returns the loss summed over pairs, the number of pairs, and what changes in the two
    tables: lists of (ids, gradients, curvatures or `None`) as `bounded` takes them.
    """

    predicts_windows = True

    def gradients(self, embeddings, output, head, tokens, sentences, widths, draw):
        windows = Windows(tokens, sentences, widths)
        chunks, chunk = windows.centres.shape
        ids = ops.reshape(windows.centres, (-1,))
        hidden = ops.reshape(ops.take(embeddings, ids, axis=0), (chunks, chunk, -1))
        loss, d_hidden, d_output = head.gradients(
            output, hidden, windows.frames, windows.pairs, draw
        )
        d_hidden = ops.reshape(d_hidden, (chunks * chunk, -1))
        return loss, ops.sum(windows.pairs), [(ids, d_hidden, None)], d_output


class ContinuousBagOfWords:
    """The mean (or sum) of the window's vectors predicts the centre word.

    With the mean, word2vec.c and gensim pass the whole gradient to every word of the window instead
    of its share. `shared=True` is the gradient proper, `False` is theirs.
    """

    predicts_windows = False

    def __init__(self, mean=True, shared=False):
        self.mean, self.shared = mean, shared

    def gradients(self, embeddings, output, head, tokens, sentences, widths, draw):
        length = widths.shape[1]
        window = (tokens.shape[1] - length) // 2
        ids = ops.reshape(tokens, (-1,))
        context = ops.reshape(ops.take(embeddings, ids, axis=0), (*tokens.shape, -1))
        near, present, means = neighbours(sentences, widths)
        hidden = window_sums(context, means if self.mean else near)
        centres = tokens[:, window : window + length]
        loss, d_hidden, d_output = head.gradients(output, hidden, centres, present, draw)
        d_context = window_shares(d_hidden, means if self.mean == self.shared else near)
        d_context = ops.reshape(d_context, (-1, d_context.shape[2]))
        return loss, ops.sum(present), [(ids, d_context, None)], d_output
