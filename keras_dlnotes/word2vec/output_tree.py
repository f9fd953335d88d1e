"""Hierarchical softmax in closed form: the tree's top as one product, deep nodes in blocks."""

import numpy as np
from keras import ops

from keras_dlnotes.word2vec.output_negative import log_loss, total
from keras_dlnotes.word2vec.tree_tables import TreeTables

#: Entries of deep nodes in a block.
BLOCK = 32


class TreePaths:
    """log sigmoid(sign * h . node) for every node on the true word's path.

    Deep nodes are laid out one after the other, block by block. A block's entries belong to
    neighbouring words (at most half as many as entries, and one more), so the hidden vectors that
    meet them are neighbours as well: one small product a block, masked where word and hidden vector
    do not form a pair.
    """

    def __init__(self, tree, top=255):
        tables = TreeTables(tree, top)
        self.top = tables.top
        self.slots = ops.convert_to_tensor(tables.slots)
        self.signs = ops.convert_to_tensor(tables.signs)
        self.counts = ops.convert_to_tensor(tables.counts)
        self.starts = ops.convert_to_tensor(tables.starts)
        self.nodes = ops.convert_to_tensor(tables.nodes)
        self.deep_signs = ops.convert_to_tensor(tables.deep_signs)
        self.most = int(tables.counts.max())
        self.mean = float(tables.counts.mean())

    def entries(self, tokens, static):
        """The deep nodes of all `tokens`: owner, node and sign of each, in blocks.

        `static` gives room for the longest paths, for compilers that must know shapes beforehand;
        otherwise the room fits, in few different sizes.
        """
        tokens = ops.reshape(tokens, (-1,))
        counts = ops.take(self.counts, tokens, axis=0)
        ends = ops.cumsum(counts)
        starts = ends - counts
        if static:
            room = -(-tokens.shape[0] * self.most // BLOCK) * BLOCK
        else:
            import tensorflow as tf

            unit = max(BLOCK, int(tokens.shape[0] * self.mean / 8) // BLOCK * BLOCK)
            room = tf.cast(tf.math.ceil(ends[-1] / unit), "int32") * unit
        places = ops.arange(room, dtype="int32")
        marks = ops.scatter_update(
            ops.zeros_like(places), starts[:, None], ops.ones_like(starts), reduction="add"
        )
        owners = ops.cumsum(marks) - 1
        used = places < ends[-1]
        index = ops.take(ops.take(self.starts, tokens, axis=0) - starts, owners, axis=0) + places
        index = ops.where(used, index, 0)
        signs = ops.where(used, ops.take(self.deep_signs, index, axis=0), 0.0)
        nodes = ops.take(self.nodes, index, axis=0)
        return tuple(ops.reshape(x, (-1, BLOCK)) for x in (owners, nodes, signs))

    def many(self, table, hidden, windows, entries):
        """Each row of `hidden` against all words of its window."""
        size = hidden.shape[-1]
        signs = ops.take(self.signs, ops.take(self.slots, windows.frames, axis=0), axis=0)
        turns = ops.matmul(windows.pairs, signs)
        visits = ops.matmul(windows.pairs, ops.abs(signs))
        loss, d_hidden, top = self._top(table, hidden, turns, visits)

        window = windows.window
        segments, width = windows.tokens.shape
        length = width - 2 * window
        inside = np.clip(np.arange(width) - window, 0, length - 1)
        rows = (np.arange(segments)[:, None] * length + inside).reshape(-1).astype("int32")
        reach = ops.reshape(ops.pad(windows.widths, ((0, 0), (window, window))), (-1,))
        sentences = ops.reshape(windows.sentences, (-1,))

        def meets(frame, owners):
            distance = ops.abs(frame[:, :, None] - owners[:, None, :])
            place = ops.clip(frame, 0, segments * width - 1)
            of_frame = ops.take(sentences, place, axis=0)[:, :, None]
            near = ops.logical_and(
                distance > 0, distance <= ops.take(reach, place, axis=0)[:, :, None]
            )
            same = of_frame == ops.take(sentences, owners, axis=0)[:, None, :]
            return ops.logical_and(near, ops.logical_and(same, of_frame >= 0))

        flat = ops.reshape(hidden, (-1, size))
        deep_loss, d_flat, deep = self._deep(table, flat, rows, window, entries, meets)
        return loss + deep_loss, d_hidden + ops.reshape(d_flat, hidden.shape), [top, deep]

    def one(self, table, hidden, windows, present, entries):
        """Each row of `hidden` against the centre word."""
        signs = ops.take(self.signs, ops.take(self.slots, windows.centres, axis=0), axis=0)
        signs = signs * present[:, :, None]
        loss, d_hidden, top = self._top(table, hidden, signs, ops.abs(signs))
        flat = ops.reshape(hidden, (-1, hidden.shape[-1]))
        there = ops.reshape(present, (-1,)) > 0
        rows = np.arange(flat.shape[0], dtype="int32")

        def meets(frame, owners):
            place = ops.clip(frame, 0, len(rows) - 1)
            owned = frame[:, :, None] == owners[:, None, :]
            return ops.logical_and(owned, ops.take(there, place, axis=0)[:, :, None])

        deep_loss, d_flat, deep = self._deep(table, flat, rows, 0, entries, meets)
        return loss + deep_loss, d_hidden + ops.reshape(d_flat, hidden.shape), [top, deep]

    def _top(self, table, hidden, turns, visits):
        """`turns`: the sum of signs at each node, `visits`: how often it is passed."""
        nodes = table[: self.top]
        size = hidden.shape[-1]
        flat = ops.reshape(hidden, (-1, size))
        turns, visits = (ops.reshape(x, (-1, self.top)) for x in (turns, visits))
        logits = ops.matmul(flat, ops.transpose(nodes))
        zeros = (visits + turns) * 0.5
        right = ops.sigmoid(logits)
        push = visits * right - zeros
        # -log sigmoid(x) for branch 0, -log sigmoid(-x) = x - log sigmoid(x) for branch 1.
        loss = total(visits * log_loss(right) + (visits - zeros) * logits)
        d_hidden = ops.reshape(ops.matmul(push, nodes), hidden.shape)
        d_nodes = ops.matmul(ops.transpose(push), flat)
        return loss, d_hidden, (ops.arange(self.top, dtype="int32"), d_nodes)

    def _deep(self, table, hidden, rows, halo, entries, meets):
        owners, nodes, signs = entries
        size = hidden.shape[-1]
        frame = owners[:, :1] - halo + np.arange(BLOCK // 2 + 1 + 2 * halo, dtype="int32")
        places = ops.take(rows, ops.clip(frame, 0, len(rows) - 1), axis=0)
        ids, places = ops.reshape(nodes, (-1,)), ops.reshape(places, (-1,))
        vectors = ops.reshape(ops.take(table, ids, axis=0), (-1, BLOCK, size))
        near = ops.reshape(ops.take(hidden, places, axis=0), (-1, frame.shape[1], size))
        signs = signs[:, None, :]
        pairs = ops.where(meets(frame, owners), ops.abs(signs), 0.0)
        right = ops.sigmoid(signs * ops.matmul(near, ops.transpose(vectors, (0, 2, 1))))
        push = pairs * signs * (right - 1.0)
        loss = total(pairs * log_loss(right))
        d_near = ops.reshape(ops.matmul(push, vectors), (-1, size))
        d_hidden = ops.scatter_update(
            ops.zeros(hidden.shape, hidden.dtype), places[:, None], d_near, reduction="add"
        )
        d_vectors = ops.matmul(ops.transpose(push, (0, 2, 1)), near)
        return loss, d_hidden, (ids, ops.reshape(d_vectors, (-1, size)))
