"""Hierarchical softmax in closed form: the tree's top as one product, deep nodes by chunks."""

from keras import ops

from keras_dlnotes.word2vec.outputs.negative import log_loss
from keras_dlnotes.word2vec.outputs.tree_groups import TreeGroups, near_groups
from keras_dlnotes.word2vec.outputs.tree_layout import TreeLayout
from keras_dlnotes.word2vec.outputs.tree_tables import TreeTables
from keras_dlnotes.word2vec.training.compiled import fused
from keras_dlnotes.word2vec.training.sums import squares, total
from keras_dlnotes.word2vec.training.windows import cut, largest_divisor

#: Words of a chunk, where each row predicts one word and the words are sorted along the tree.
CHUNK = 16
#: Deep nodes of a piece there, and where each row predicts a window.
PIECE, WIDE_PIECE = 16, 32


class TreePaths:
    """log sigmoid(sign * h . node) for every node on the true word's path.

    The first `top` nodes meet every hidden vector in one product. Of the deeper ones a chunk of
    hidden vectors meets those that lie on a path of its words. Where every hidden vector predicts
    one word (CBOW), they are first sorted along the leaves of the tree, so that the words of a
    chunk share most of their paths. Where it predicts a window, its words stand side by side.
    """

    def __init__(self, tree, top=127):
        tables = TreeTables(tree, top)
        self.top = tables.top
        self.slots = ops.convert_to_tensor(tables.slots)
        self.signs = ops.convert_to_tensor(tables.signs)
        self.layout, self.groups = TreeLayout(tables), TreeGroups(tables)

    def entries(self, tokens, length, window, single, static):
        """What `gradients` needs to know about the words of a step, see `Windows`.

        `single`: whether each row predicts one word. `static` gives room for the longest paths, for
        compilers that must know shapes beforehand.
        """
        centres, frames = cut(tokens, length, window)
        if not single:
            deep = self.groups.pieces(tokens, WIDE_PIECE, static)
            if deep is not None:
                near = near_groups(tokens.shape[0], length, window)
                deep = (*map(ops.convert_to_tensor, near), *deep)
            return frames, None, deep
        ranks = ops.reshape(ops.take(self.layout.ranks, centres, axis=0), (-1,))
        order = ops.argsort(ranks)
        words = ops.take(ops.reshape(centres, (-1,)), order, axis=0)
        chunk = largest_divisor(words.shape[0], CHUNK)
        ranks, words = (
            ops.reshape(x, (-1, chunk)) for x in (ops.take(ranks, order, axis=0), words)
        )
        return words, order, self.layout.pieces(ranks, PIECE, static)

    def gradients(self, table, hidden, words, pairs, entries):
        """See `SharedNoise.gradients`."""
        words, order, deep = entries
        if order is None:
            loss, d_hidden, updates = self._top(table, hidden, words, pairs)
            if deep is not None:
                more, d_deep, below = self._groups(table, hidden, pairs, *deep)
                loss, d_hidden, updates = loss + more, d_hidden + d_deep, [*updates, below]
            return loss, d_hidden, updates
        shape, size = hidden.shape, hidden.shape[-1]
        flat = ops.take(ops.reshape(hidden, (-1, size)), order, axis=0)
        hidden = ops.reshape(flat, (*words.shape, size))
        pairs = ops.reshape(ops.take(ops.reshape(pairs, (-1,)), order, axis=0), words.shape)
        loss, d_hidden, updates = self._top(table, hidden, words, pairs)
        if deep is not None:
            more, d_deep, below = self._chunks(table, hidden, pairs, *deep)
            loss, d_hidden, updates = loss + more, d_hidden + d_deep, [*updates, below]
        places = ops.arange(order.shape[0], dtype="int32")
        back = ops.scatter_update(ops.zeros_like(places), order[:, None], places)
        flat = ops.take(ops.reshape(d_hidden, (-1, size)), back, axis=0)
        return loss, ops.reshape(flat, shape), updates

    def _top(self, table, hidden, words, pairs):
        signs = ops.take(self.signs, ops.take(self.slots, words, axis=0), axis=0)
        ids = ops.arange(self.top, dtype="int32")
        nodes, size = ops.take(table, ids, axis=0), hidden.shape[-1]
        flat = ops.reshape(hidden, (-1, size))
        logits = ops.reshape(ops.matmul(flat, ops.transpose(nodes)), (*pairs.shape[:2], self.top))
        if len(pairs.shape) == 2:
            loss, push, bend = _top_one(logits, pairs, signs)
        else:
            both = ops.concatenate([signs, ops.abs(signs)], axis=2)
            loss, push, bend = _top_many(logits, ops.matmul(pairs, both))
        push, bend = (ops.reshape(x, (-1, self.top)) for x in (push, bend))
        d_hidden = ops.reshape(ops.matmul(push, nodes), hidden.shape)
        bends = ops.matmul(squares(flat)[None, :], bend)[0]
        return loss, d_hidden, [(ids, ops.matmul(ops.transpose(push), flat), bends)]

    def _chunks(self, table, hidden, pairs, ids, owners, signs):
        """Deep nodes where each hidden vector predicts one word."""
        chunks, chunk, size = hidden.shape
        near = ops.take(hidden, owners, axis=0)
        ids, rows = _rows(table, ids)
        logits = ops.matmul(near, ops.transpose(rows, (0, 2, 1)))
        loss, push = _push_one(logits, ops.take(pairs, owners, axis=0), signs)
        d_near = ops.reshape(ops.matmul(push, rows), (-1, chunk * size))
        d_hidden = _sums(d_near, owners, ops.zeros((chunks, chunk * size), d_near.dtype))
        d_rows = ops.matmul(ops.transpose(push, (0, 2, 1)), near)
        below = ids, ops.reshape(d_rows, (-1, size)), None
        return loss, ops.reshape(d_hidden, hidden.shape), below

    def _groups(self, table, hidden, pairs, near, near_pairs, ids, owners, signs):
        """Deep nodes where each hidden vector predicts a window."""
        size, flat = hidden.shape[-1], ops.reshape(pairs, (-1,))
        pairs = ops.take(ops.pad(flat, ((0, 1),)), near_pairs, axis=0)
        turns = ops.matmul(ops.take(pairs, owners, axis=0), signs)
        places = ops.take(near, owners, axis=0)
        flat = ops.reshape(hidden, (-1, size))
        near = ops.take(flat, places, axis=0)
        ids, rows = _rows(table, ids)
        logits = ops.matmul(near, ops.transpose(rows, (0, 2, 1)))
        loss, push = _push_turns(logits, turns)
        d_near = ops.reshape(ops.matmul(push, rows), (-1, size))
        d_hidden = _sums(d_near, ops.reshape(places, (-1,)), ops.zeros_like(flat))
        d_rows = ops.matmul(ops.transpose(push, (0, 2, 1)), near)
        below = ids, ops.reshape(d_rows, (-1, size)), None
        return loss, ops.reshape(d_hidden, hidden.shape), below


def _rows(table, ids):
    """Flat ids, and their rows as blocks."""
    flat = ops.reshape(ids, (-1,))
    return flat, ops.reshape(ops.take(table, flat, axis=0), (-1, ids.shape[1], table.shape[1]))


@fused
def _sums(rows, owners, zeros):
    """The sum of the rows of each owner."""
    return ops.scatter_update(zeros, owners[:, None], rows, reduction="add")


@fused
def _top_one(logits, pairs, signs):
    """The loss and its two derivatives by the logits, of rows that predict one word each."""
    visits = ops.abs(signs) * pairs[:, :, None]
    return *_push(logits, signs * pairs[:, :, None], visits), _bend(logits, visits)


@fused
def _top_many(logits, both):
    """The same of rows that predict many words: sums of signs, and of their magnitudes."""
    turns, visits = both[:, :, : logits.shape[2]], both[:, :, logits.shape[2] :]
    return *_push(logits, turns, visits), _bend(logits, visits)


@fused
def _push_one(logits, pairs, signs):
    """The loss and its first derivative, of rows that predict one word each."""
    return _push(logits, signs * pairs[:, :, None], ops.abs(signs) * pairs[:, :, None])


@fused
def _push_turns(logits, turns):
    """The same where no node is on two paths."""
    return _push(logits, turns, ops.abs(turns))


def _push(logits, turns, visits):
    zeros = (visits + turns) * 0.5  # How often branch 0 is taken.
    right = ops.sigmoid(logits)
    # -log sigmoid(x) for branch 0, -log sigmoid(-x) = x - log sigmoid(x) for branch 1.
    loss = total(visits * log_loss(right) + (visits - zeros) * logits)
    return loss, visits * right - zeros


def _bend(logits, visits):
    right = ops.sigmoid(logits)
    return visits * right * (1.0 - right)
