"""The full softmax in closed form: what the two others approximate, at the cost of every word."""

from keras import ops

from keras_dlnotes.word2vec.training.sums import squares, total_last


class FullSoftmax:
    """log softmax(h . table) of the true word; every row of the table moves in every step."""

    def gradients(self, table, hidden, words, pairs, _):
        """See `SharedNoise.gradients`."""
        if len(pairs.shape) == 2:
            words, pairs = ops.reshape(words, (-1, 1)), ops.reshape(pairs, (-1, 1, 1))
        size, classes = hidden.shape[-1], table.shape[0]
        flat = ops.reshape(hidden, (-1, size))
        logs = ops.log_softmax(ops.matmul(flat, ops.transpose(table)))
        # How often each row of `hidden` has to predict each word.
        chunks, chunk, frame = pairs.shape
        row = ops.reshape(ops.arange(chunks * chunk, dtype="int32"), (chunks, chunk, 1))
        word = ops.broadcast_to(words[:, None, :], (chunks, chunk, frame))
        cell = ops.reshape(row * classes + word, (-1, 1))
        wanted = ops.zeros((chunks * chunk * classes,), hidden.dtype)
        wanted = ops.scatter_update(wanted, cell, ops.reshape(pairs, (-1,)), reduction="add")
        wanted = ops.reshape(wanted, (-1, classes))
        loss = -ops.sum(total_last(wanted * logs))
        shares, visits = ops.exp(logs), total_last(wanted)[:, None]
        push = shares * visits - wanted
        d_hidden = ops.reshape(ops.matmul(push, table), hidden.shape)
        d_table = ops.matmul(ops.transpose(push), flat)
        bends = ops.matmul(squares(flat)[None, :], shares * (1.0 - shares) * visits)[0]
        return loss, d_hidden, [(ops.arange(classes, dtype="int32"), d_table, bends)]
