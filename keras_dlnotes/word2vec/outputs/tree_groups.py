"""Which deep nodes of a Huffman tree neighbouring words of a text meet, as blocks of one shape."""

import numpy as np
from keras import ops

from keras_dlnotes.word2vec.outputs.tree_layout import rounded, steps
from keras_dlnotes.word2vec.training.compiled import fused
from keras_dlnotes.word2vec.training.windows import chunk_of

#: Predicted words of a group.
GROUP = 8


class TreeGroups:
    """The nodes below the tree's top on the paths of `GROUP` words that stand side by side.

    Whatever has one of them in its window stands near by too, so the nodes of a group meet a few
    hidden vectors, most of which have to do with them. Rows of different words are not shared: deep
    down they are seldom the same.

    Args:
        tables: `TreeTables`.
    """

    def __init__(self, tables):
        ranks = tables.ranks
        self.counts = ops.convert_to_tensor(tables.counts[ranks])
        self.starts = ops.convert_to_tensor(tables.starts[ranks])
        self.nodes = ops.convert_to_tensor(tables.nodes)
        self.turns = ops.convert_to_tensor(tables.turns)
        self.most = int(tables.counts.max())

    def pieces(self, tokens, size, static):
        """The deep nodes of each group of words, cut into pieces of `size` nodes.

        Args:
            tokens: Predicted words, (segments, m).
            size: Nodes of a piece.
            static: See `TreeLayout.pieces`.

        Returns `None` if the tree has no deep node, else nodes (pieces, size), the group of each
        piece, and the signs (pieces, `GROUP`, size): +1, -1 or 0 as in `TreeTables.signs`.
        """
        if not self.most:
            return None
        segments, m = tokens.shape
        groups = -(-m // GROUP)
        missing = groups * GROUP - m
        counts, starts = (
            ops.reshape(ops.pad(ops.take(x, tokens, axis=0), ((0, 0), (0, missing))), (-1, GROUP))
            for x in (self.counts, self.starts)
        )
        per_group = ops.sum(counts, axis=1, keepdims=True)
        pieces = (per_group + size - 1) // size
        room = segments * groups * -(-GROUP * self.most // size)
        if not static:
            room = ops.minimum(room, rounded(ops.sum(pieces)))
        # What a group's last piece has room for besides belongs to nobody, a word with no column.
        counts = ops.concatenate([counts, pieces * size - per_group], axis=1)
        ends = ops.cumsum(ops.reshape(counts, (-1,)))
        begins = ends - ops.reshape(counts, (-1,))
        source = ops.pad(starts, ((0, 0), (0, 1)))
        source = ops.reshape(source, (-1,)) - begins
        owners, places = steps(begins, room * size), ops.arange(room * size, dtype="int32")
        column = owners % (GROUP + 1)
        index = ops.where(column < GROUP, ops.take(source, owners, axis=0) + places, 0)
        nodes, turns, column = (
            ops.reshape(x, (room, size))
            for x in (
                ops.take(self.nodes, index, axis=0),
                ops.take(self.turns, index, axis=0),
                column,
            )
        )
        return nodes, owners[::size] // (GROUP + 1), _signs(turns, column)


@fused
def _signs(turns, column):
    """The signs of each node in the column of its word."""
    columns = ops.arange(GROUP, dtype="int32")[None, :, None]
    return ops.where(column[:, None, :] == columns, turns[:, None, :], 0.0)


def near_groups(segments, length, window):
    """Where the hidden vectors stand that the words of each group are predicted by.

    Returns indices into the hidden vectors of all segments, (groups, near), and indices into the
    pairs of all chunks with one 0 behind them, (groups, near, `GROUP`); see `Windows.pairs`.
    """
    chunk = chunk_of(length)
    groups = -(-(length + 2 * window) // GROUP)
    words = np.arange(groups * GROUP).reshape(groups, 1, GROUP)
    hidden = words[:, :, :1] - 2 * window + np.arange(GROUP + 2 * window)[:, None]
    within = (hidden >= 0) & (hidden < length)
    hidden = np.clip(hidden, 0, length - 1)
    places = words - hidden // chunk * chunk  # In the frame of the hidden vector's chunk.
    within = within & (places >= 0) & (places < chunk + 2 * window)
    pairs = hidden * (chunk + 2 * window) + places
    segment = np.arange(segments)[:, None, None, None]
    total = segments * length * (chunk + 2 * window)
    pairs = np.where(within, pairs + segment * (length * (chunk + 2 * window)), total)
    hidden = hidden[None] + segment * length
    return (
        hidden.reshape(-1, GROUP + 2 * window).astype("int32"),
        pairs.reshape(-1, GROUP + 2 * window, GROUP).astype("int32"),
    )
