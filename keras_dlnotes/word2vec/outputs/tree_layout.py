"""Which deep nodes of a Huffman tree the chunks of a step meet, as blocks of one shape."""

import numpy as np
from keras import ops

from keras_dlnotes.word2vec.training.compiled import fused


class TreeLayout:
    """The nodes that each chunk of words passes below the tree's top, every node once.

    Words are known by their rank here, see `TreeTables`. With a chunk's words in the order of their
    ranks, the nodes that are new to the chunk at a word are the end of its path, from where it
    leaves the path of the word before. How many nodes two paths share is the smallest of what
    neighbours between them share: `shared[k]` holds that for 2 ** k neighbours, from each rank on.

    Args:
        tables: `TreeTables`.
    """

    def __init__(self, tables):
        for name in ("ranks", "low", "middle", "high", "counts", "starts", "nodes"):
            setattr(self, name, ops.convert_to_tensor(getattr(tables, name)))
        self.none = len(tables.low) - 1
        self.most = int(tables.counts.max())
        shared = [tables.shared.astype("uint8" if self.most < 256 else "int32")]
        for power in range(int(np.log2(len(tables.shared)))):
            last, far = shared[-1], 1 << power
            shared.append(np.minimum(last, np.append(last[far:], last[-far:])))
        self.shared = ops.convert_to_tensor(np.concatenate(shared))
        lengths = np.maximum(np.arange(len(tables.shared) + 1), 1)
        self.power = ops.convert_to_tensor(np.log2(lengths).astype("int32"))

    def pieces(self, ranks, size, static):
        """The deep nodes of each chunk of words, cut into pieces of `size` nodes.

        Args:
            ranks: Of words, (chunks, m), each chunk's in rising order.
            size: Nodes of a piece.
            static: Whether there is to be room for the longest paths, for compilers that must know
                shapes beforehand; otherwise the room fits, in few different sizes.

        Returns `None` if the tree has no deep node, else nodes (pieces, size), the chunk of each
        piece, and the signs (pieces, m, size): +1, -1 or 0 as in `TreeTables.signs`.
        """
        if not self.most:
            return None
        chunks, m = ranks.shape
        fresh, known = self._fresh(ranks)
        per_chunk = ops.sum(fresh, axis=1)
        pieces = (per_chunk + size - 1) // size
        first = ops.cumsum(pieces) - pieces
        fresh = ops.reshape(fresh, (-1,))
        ends = ops.cumsum(fresh)
        starts = ends - fresh
        if static:
            entries, room = chunks * m * self.most, -(-chunks * m * self.most // size) + chunks
        else:
            entries, room = ends[-1], rounded(ops.sum(pieces))

        # Where the entries of a word come from, and where they go.
        source = ops.reshape(ops.take(self.starts, ranks, axis=0) + known, (-1,)) - starts
        shift = first * size - (ops.cumsum(per_chunk) - per_chunk)
        target = ops.reshape(ops.repeat(shift, m), (-1,))
        owners, places = steps(starts, entries), ops.arange(entries, dtype="int32")
        index, target = (ops.take(x, owners, axis=0) + places for x in (source, target))
        if static:
            used = places < ends[-1]
            index, target = ops.where(used, index, 0), ops.where(used, target, room * size)
        blank = ops.zeros((room * size + 1,), "int32") + self.none
        nodes = ops.scatter_update(blank, target[:, None], ops.take(self.nodes, index, axis=0))
        nodes = ops.reshape(nodes[:-1], (room, size))
        chunk = steps(first, room)
        interval = (ops.take(x, nodes, axis=0) for x in (self.low, self.middle, self.high))
        signs = _signs(ops.take(ranks, chunk, axis=0), *interval)
        return ops.minimum(nodes, self.none - 1), chunk, signs

    def _fresh(self, ranks):
        """How many deep nodes are new at each word, and how many before them are not."""
        before = ops.pad(ranks[:, :-1], ((0, 0), (1, 0)), constant_values=-1)
        far = ops.maximum(ranks - before, 1)
        power = ops.take(self.power, far, axis=0)
        row = power * (self.none + 1)
        since, until = row + before + 1, row + ranks + 1 - ops.left_shift(1, power)
        known = ops.minimum(
            *(ops.take(self.shared, ops.maximum(x, 0), axis=0) for x in (since, until))
        )
        counts = ops.take(self.counts, ranks, axis=0)
        known = ops.where(before < 0, 0, ops.cast(known, "int32"))
        known = ops.where(ranks == before, counts, known)
        return counts - known, known


@fused
def _signs(ranks, low, middle, high):
    """Which branch words of these ranks take at nodes with these intervals."""
    low, middle, high = (x[:, None, :] for x in (low, middle, high))
    ranks = ranks[:, :, None]
    on_path = ops.logical_and(ranks >= low, ranks < high)
    return ops.where(on_path, ops.where(ranks < middle, 1.0, -1.0), 0.0)


def steps(starts, room):
    """For each of `room` places how many of the rising `starts` it has passed, less one."""
    marks = ops.scatter_update(
        ops.zeros((room + 1,), "int32"), starts[:, None], ops.ones_like(starts), reduction="add"
    )
    return ops.cumsum(marks)[:-1] - 1


def rounded(count):
    """`count` or at most an eighth more, so that few different sizes have to be compiled."""
    import tensorflow as tf

    size = tf.maximum(tf.cast(count, "float32"), 64.0)
    unit = tf.cast(2.0 ** (tf.math.floor(tf.math.log(size) / np.log(2.0)) - 3.0), "int32")
    return -(-count // unit) * unit
