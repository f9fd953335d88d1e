"""The Huffman tree over a vocabulary: short paths for frequent words."""

import numpy as np


class HuffmanTree:
    """Binary codes of least mean length, as word2vec.c builds them.

    The two rarest subtrees are joined again and again; the rarer of the two becomes branch 0, the
    other branch 1. Inner nodes are numbered from the root, so that the number grows as the count
    below a node falls: the first rows of a table of nodes are those which most words pass.

    Args:
        counts: How often each word occurs, in any order.

    Attributes:
        starts: Where each word's path begins in `nodes` and `bits`; one more for the end.
        nodes: The inner nodes on all paths, each from the root down.
        bits: Which branch each path takes there.

    Example:
        >>> tree = HuffmanTree([5, 2, 1, 1])
        >>> [tree.code(word) for word in range(4)]
        ['1', '01', '001', '000']
        >>> tree.path(1)
        array([0, 1], dtype=int32)
    """

    def __init__(self, counts):
        counts = np.asarray(counts, np.int64)
        if counts.ndim != 1 or len(counts) < 2:
            raise ValueError(f"A tree needs two words at least. Received: {counts.shape}")
        # Stable, so that of equal counts the first in the vocabulary stands first.
        order = np.argsort(-counts, kind="stable")
        parents, branches = _join(counts[order])
        self.starts, self.nodes, self.bits = _paths(parents, branches, order)

    def __len__(self):
        """The number of words."""
        return len(self.starts) - 1

    @property
    def lengths(self):
        """How many nodes each word's path has."""
        return np.diff(self.starts)

    def path(self, word):
        """The inner nodes from the root to a word."""
        return self.nodes[self.starts[word] : self.starts[word + 1]]

    def code(self, word):
        """The branches from the root to a word, as text of 0 and 1."""
        return "".join(map(str, self.bits[self.starts[word] : self.starts[word + 1]]))


def _join(counts):
    """Parent and branch of every node: leaves by falling count, then inner nodes by rising."""
    size = len(counts)
    weight = counts[::-1].tolist() + [0] * (size - 1)  # Rising; leaf i stands at size - 1 - i.
    parents, branches = [0] * (2 * size - 1), [0] * (2 * size - 1)
    leaf, inner = 0, size
    for new in range(size, 2 * size - 1):
        pair = []
        for _ in range(2):
            if leaf < size and (inner >= new or weight[leaf] < weight[inner]):
                pair.append(leaf)
                leaf += 1
            else:
                pair.append(inner)
                inner += 1
        weight[new] = weight[pair[0]] + weight[pair[1]]
        parents[pair[0]] = parents[pair[1]] = new
        branches[pair[1]] = 1
    flip = np.concatenate([np.arange(size)[::-1], np.arange(size, 2 * size - 1)])
    return np.array(parents)[flip], np.array(branches, np.int8)[flip]


def _paths(parents, branches, order):
    """The paths of all words, one level of the tree at a time from the leaves up."""
    size = len(order)
    root = 2 * size - 2
    depth = np.zeros(2 * size - 1, np.int64)
    for node in range(root - 1, size - 1, -1):
        depth[node] = depth[parents[node]] + 1
    lengths = np.zeros(size, np.int64)
    lengths[order] = depth[parents[:size]] + 1
    starts = np.concatenate([[0], np.cumsum(lengths)])
    nodes, bits = np.zeros(starts[-1], np.int32), np.zeros(starts[-1], np.int8)
    place, at = starts[1:][order] - 1, np.arange(size)
    while len(at):
        bits[place] = branches[at]
        at = parents[at]
        nodes[place] = root - at
        below = at != root
        at, place = at[below], place[below] - 1
    return starts, nodes, bits
