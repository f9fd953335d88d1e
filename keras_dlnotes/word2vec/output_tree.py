"""Hierarchical softmax in closed form: the tree's top as one product, deep nodes by chunks."""

from keras import ops

from keras_dlnotes.word2vec.output_negative import log_loss, total
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
        order = None
        if single:
            words = ops.reshape(words, (-1,))
            order = ops.argsort(ops.take(self.layout.ranks, words, axis=0))
            words = ops.reshape(
                ops.take(words, order, axis=0), (-1, largest_divisor(words.shape[0], CHUNK))
            )
        size = PIECE if single else WIDE_PIECE
        deep = self.layout.pieces(words, size, sort=not single, static=static)
        return words, order, deep

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
            back = ops.take(ops.reshape(d_hidden, (-1, size)), ops.argsort(order), axis=0)
            d_hidden = ops.reshape(back, shape)
        return loss, d_hidden, updates

    def _top(self, table, hidden, words, pairs):
        signs = ops.take(self.signs, ops.take(self.slots, words, axis=0), axis=0)
        turns, visits = _passed(pairs, signs)
        nodes, size = table[: self.top], hidden.shape[-1]
        flat = ops.reshape(hidden, (-1, size))
        turns, visits = (ops.reshape(x, (-1, self.top)) for x in (turns, visits))
        loss, push = _push(ops.matmul(flat, ops.transpose(nodes)), turns, visits)
        d_hidden = ops.reshape(ops.matmul(push, nodes), hidden.shape)
        d_nodes = ops.matmul(ops.transpose(push), flat)
        return loss, d_hidden, (ops.arange(self.top, dtype="int32"), d_nodes)

    def _deep(self, table, hidden, pairs, ids, owners, signs):
        chunks, chunk, size = hidden.shape
        rows = ops.reshape(ops.take(table, ops.reshape(ids, (-1,)), axis=0), (*ids.shape, size))
        near = ops.take(hidden, owners, axis=0)
        turns, visits = _passed(ops.take(pairs, owners, axis=0), signs)
        loss, push = _push(ops.matmul(near, ops.transpose(rows, (0, 2, 1))), turns, visits)
        d_near = ops.reshape(ops.matmul(push, rows), (-1, chunk * size))
        d_hidden = ops.segment_sum(d_near, owners, num_segments=chunks)
        d_rows = ops.matmul(ops.transpose(push, (0, 2, 1)), near)
        update = ops.reshape(ids, (-1,)), ops.reshape(d_rows, (-1, size))
        return loss, ops.reshape(d_hidden, hidden.shape), update


def _passed(pairs, signs):
    """How often each row passes each node: the sum of signs, and the sum of visits."""
    if len(pairs.shape) == 2:
        turns = signs * pairs[:, :, None]
        return turns, ops.abs(turns)
    return ops.matmul(pairs, signs), ops.matmul(pairs, ops.abs(signs))


def _push(logits, turns, visits):
    """The loss, and its derivative by the logits."""
    zeros = (visits + turns) * 0.5  # How often branch 0 is taken.
    right = ops.sigmoid(logits)
    # -log sigmoid(x) for branch 0, -log sigmoid(-x) = x - log sigmoid(x) for branch 1.
    loss = total(visits * log_loss(right) + (visits - zeros) * logits)
    return loss, visits * right - zeros
