"""Which deep nodes of a Huffman tree the chunks of a step meet, as blocks of one shape."""

from keras import ops


class TreeLayout:
    """The nodes that each chunk of words passes below the tree's top, every node once.

    With a chunk's words sorted along the leaves, a node is new to the chunk unless the word before
    passes it as well, that is unless the node's interval reaches back to the rank of that word.

    Args:
        tables: `TreeTables`.
    """

    def __init__(self, tables):
        for name in ("ranks", "low", "middle", "high", "counts", "starts", "nodes"):
            setattr(self, name, ops.convert_to_tensor(getattr(tables, name)))
        self.none = len(tables.low) - 1
        self.most = int(tables.counts.max())

    def pieces(self, words, size, sort, static):
        """The deep nodes of each chunk of `words`, (chunks, m), cut into pieces of `size` nodes.

        Returns `None` if the tree has no deep node, else nodes (pieces, size), the chunk of each
        piece, and the signs (pieces, m, size): +1, -1 or 0 as in `TreeTables.signs`.

        `sort`: whether the words are to be sorted first. `static` gives room for the longest paths,
        for compilers that must know shapes beforehand; otherwise the room fits, in few different
        sizes.
        """
        if not self.most:
            return None
        chunks, m = words.shape
        ranks = ops.take(self.ranks, words, axis=0)
        ordered = ranks, words
        if sort:
            order = ops.argsort(ranks, axis=1)
            ordered = (ops.take_along_axis(x, order, axis=1) for x in ordered)
        nodes, owners = self._new(*ordered, static)

        real = ops.cast(nodes < self.none, "int32")
        number = ops.cumsum(real)
        count = ops.segment_sum(real, owners, num_segments=chunks)
        pieces = (count + size - 1) // size
        first = ops.cumsum(pieces) - pieces
        if static:
            room = -(-chunks * m * self.most // size) + chunks
        else:
            room = _rounded(ops.sum(pieces))
        within = number - 1 - ops.take(ops.cumsum(count) - count, owners, axis=0)
        place = ops.where(real > 0, ops.take(first, owners, axis=0) * size + within, room * size)
        blank = ops.zeros((room * size + 1,), "int32") + self.none
        slots = ops.reshape(ops.scatter_update(blank, place[:, None], nodes)[:-1], (room, size))
        chunk = _steps(first, room)
        signs = self._signs(slots, ops.take(ranks, chunk, axis=0))
        return ops.minimum(slots, self.none - 1), chunk, signs

    def _new(self, ranks, words, static):
        """The nodes which the word before does not pass, `none` for others, with their chunk."""
        chunks, m = words.shape
        words = ops.reshape(words, (-1,))
        before = ops.reshape(ops.pad(ranks[:, :-1], ((0, 0), (1, 0)), constant_values=-1), (-1,))
        counts = ops.take(self.counts, words, axis=0)
        ends = ops.cumsum(counts)
        starts = ends - counts
        room = chunks * m * self.most if static else ends[-1]
        owners = _steps(starts, room)
        index = ops.take(ops.take(self.starts, words, axis=0) - starts, owners, axis=0)
        places = ops.arange(room, dtype="int32")
        used = places < ends[-1]
        nodes = ops.take(self.nodes, ops.where(used, index + places, 0), axis=0)
        new = ops.take(self.low, nodes, axis=0) > ops.take(before, owners, axis=0)
        return ops.where(ops.logical_and(used, new), nodes, self.none), owners // m

    def _signs(self, nodes, ranks):
        """Which branch words of these ranks take at the nodes."""
        low, middle, high = (
            ops.take(x, nodes, axis=0)[:, None, :] for x in (self.low, self.middle, self.high)
        )
        ranks = ranks[:, :, None]
        on_path = ops.logical_and(ranks >= low, ranks < high)
        return ops.where(on_path, ops.where(ranks < middle, 1.0, -1.0), 0.0)


def _steps(starts, room):
    """For each of `room` places how many of the rising `starts` it has passed, less one."""
    marks = ops.scatter_update(
        ops.zeros((room + 1,), "int32"), starts[:, None], ops.ones_like(starts), reduction="add"
    )
    return ops.cumsum(marks)[:-1] - 1


def _rounded(count):
    """`count` or at most an eighth more, so that few different sizes have to be compiled."""
    import tensorflow as tf

    unit = tf.cast(2.0 ** (tf.math.floor(tf.math.log(tf.cast(count, "float64")) / tf.math.log(tf.constant(2.0, "float64"))) - 3.0), "int32")
    unit = tf.maximum(unit, 8)
    return -(-count // unit) * unit
