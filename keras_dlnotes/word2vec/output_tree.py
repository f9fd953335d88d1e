"""Hierarchical softmax in closed form: the tree's top as one product, deep nodes by chunks."""

from keras import ops

from keras_dlnotes.word2vec.compiled import fused
from keras_dlnotes.word2vec.output_negative import log_loss
from keras_dlnotes.word2vec.sums import total
from keras_dlnotes.word2vec.tree_layout import TreeLayout
from keras_dlnotes.word2vec.tree_tables import TreeTables
from keras_dlnotes.word2vec.windows import largest_divisor

#: Words of a chunk, where each row predicts one word and the words are sorted along the tree.
CHUNK = 16
#: Deep nodes of a piece there, and where each row predicts a window.
PIECE, WIDE_PIECE = 16, 64


class TreePaths:
    """log sigmoid(sign * h . node) for every node on the true word's path.

    The first `top` nodes meet every hidden vector in one product. Of the deeper ones a chunk of
    hidden vectors meets those that lie on a path of its words, each node once however many paths
    share it. Where every hidden vector predicts one word (CBOW), they are first sorted along the
    leaves of the tree, so that the words of a chunk share most of their paths.
    """

    def __init__(self, tree, top=127):
        tables = TreeTables(tree, top)
        self.top = tables.top
        self.slots = ops.convert_to_tensor(tables.slots)
        self.signs = ops.convert_to_tensor(tables.signs)
        self.layout = TreeLayout(tables)

    def entries(self, words, single, static):
        """What `gradients` needs to know about `words`, (chunks, m).

        `single`: whether each row predicts one word. `static` gives room for the longest paths, for
        compilers that must know shapes beforehand.
        """
        ranks, order = ops.take(self.layout.ranks, words, axis=0), None
        if single:
            ranks = ops.reshape(ranks, (-1,))
            order = ops.argsort(ranks)
            words = ops.take(ops.reshape(words, (-1,)), order, axis=0)
            chunk = largest_divisor(words.shape[0], CHUNK)
            ranks, words = (
                ops.reshape(x, (-1, chunk)) for x in (ops.take(ranks, order, axis=0), words)
            )
        rising = ranks if single else ops.sort(ranks, axis=1)
        size = PIECE if single else WIDE_PIECE
        return words, order, self.layout.pieces(ranks, rising, size, static)

    def gradients(self, table, hidden, words, pairs, entries):
        """See `SharedNoise.gradients`."""
        words, order, deep = entries
        shape, size = hidden.shape, hidden.shape[-1]
        if order is not None:
            flat = ops.take(ops.reshape(hidden, (-1, size)), order, axis=0)
            hidden = ops.reshape(flat, (*words.shape, size))
            pairs = ops.reshape(ops.take(ops.reshape(pairs, (-1,)), order, axis=0), words.shape)
        loss, d_hidden, top = self._top(table, hidden, words, pairs)
        updates = [top]
        if deep is not None:
            deep_loss, deep_hidden, below = self._deep(table, hidden, pairs, *deep)
            loss, d_hidden = loss + deep_loss, d_hidden + deep_hidden
            updates.append(below)
        if order is not None:
            places = ops.arange(order.shape[0], dtype="int32")
            back = ops.scatter_update(ops.zeros_like(places), order[:, None], places)
            flat = ops.take(ops.reshape(d_hidden, (-1, size)), back, axis=0)
            d_hidden = ops.reshape(flat, shape)
        return loss, d_hidden, updates

    def _top(self, table, hidden, words, pairs):
        signs = ops.take(self.signs, ops.take(self.slots, words, axis=0), axis=0)
        ids = ops.arange(self.top, dtype="int32")
        nodes, size = ops.take(table, ids, axis=0), hidden.shape[-1]
        flat = ops.reshape(hidden, (-1, size))
        logits = ops.reshape(ops.matmul(flat, ops.transpose(nodes)), (*pairs.shape[:2], self.top))
        loss, push = _push(logits, pairs, signs)
        push = ops.reshape(push, (-1, self.top))
        d_hidden = ops.reshape(ops.matmul(push, nodes), hidden.shape)
        return loss, d_hidden, (ids, ops.matmul(ops.transpose(push), flat))

    def _deep(self, table, hidden, pairs, ids, owners, signs):
        (chunks, chunk, size), piece = hidden.shape, ids.shape[1]
        ids = ops.reshape(ids, (-1,))
        rows = ops.reshape(ops.take(table, ids, axis=0), (-1, piece, size))
        near = ops.take(hidden, owners, axis=0)
        logits = ops.matmul(near, ops.transpose(rows, (0, 2, 1)))
        loss, push = _push(logits, ops.take(pairs, owners, axis=0), signs)
        d_near = ops.reshape(ops.matmul(push, rows), (-1, chunk * size))
        d_hidden = _sums(d_near, owners, ops.zeros((chunks, chunk * size), d_near.dtype))
        d_rows = ops.matmul(ops.transpose(push, (0, 2, 1)), near)
        return loss, ops.reshape(d_hidden, hidden.shape), (ids, ops.reshape(d_rows, (-1, size)))


@fused
def _sums(rows, owners, zeros):
    """The sum of the rows of each owner."""
    return ops.scatter_update(zeros, owners[:, None], rows, reduction="add")


@fused
def _push(logits, pairs, signs):
    """The loss, and its derivative by the logits."""
    if len(pairs.shape) == 2:
        turns = signs * pairs[:, :, None]
        visits = ops.abs(turns)
    else:
        turns, visits = ops.matmul(pairs, signs), ops.matmul(pairs, ops.abs(signs))
    zeros = (visits + turns) * 0.5  # How often branch 0 is taken.
    right = ops.sigmoid(logits)
    # -log sigmoid(x) for branch 0, -log sigmoid(-x) = x - log sigmoid(x) for branch 1.
    loss = total(visits * log_loss(right) + (visits - zeros) * logits)
    return loss, visits * right - zeros
