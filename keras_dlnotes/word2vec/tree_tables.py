"""A Huffman tree as tables for dense products: its top as signs, the deep nodes as lists."""

import numpy as np


class TreeTables:
    """What a training step looks up about each word's path.

    The first `top` nodes lie on most paths. A path's part there is known by its last node and
    branch, its *slot*; `signs[slot]` says which branch it takes at each of them: +1 for branch 0,
    -1 for branch 1, 0 where it does not pass. What lies deeper is listed node by node, two entries
    a word at least (empty ones have sign 0), so that 32 entries always belong to few words.

    Args:
        tree: `HuffmanTree`.
        top: How many nodes are dense.
    """

    def __init__(self, tree, top=255):
        words = len(tree)
        self.top = min(top, words - 1)
        lengths = tree.lengths
        owners = np.repeat(np.arange(words), lengths)
        shallow = tree.nodes < self.top  # The number of a node grows along a path.
        tops = np.bincount(owners[shallow], minlength=words)
        last = tree.starts[:-1] + tops - 1
        self.slots = (2 * tree.nodes[last] + tree.bits[last]).astype(np.int32)
        self.signs = np.zeros((2 * self.top, self.top), np.float32)
        known, first = np.unique(self.slots, return_index=True)
        for slot, word in zip(known, first, strict=True):
            begin = tree.starts[word]
            path = slice(begin, begin + tops[word])
            self.signs[slot, tree.nodes[path]] = 1.0 - 2.0 * tree.bits[path]

        deep = lengths - tops
        self.counts = np.maximum(deep, 2).astype(np.int32)
        self.starts = (np.cumsum(self.counts) - self.counts).astype(np.int32)
        self.nodes = np.zeros(self.counts.sum(), np.int32)
        self.deep_signs = np.zeros(len(self.nodes), np.float32)
        below = ~shallow
        step = np.arange(len(owners)) - (tree.starts[:-1] + tops)[owners]
        place = (self.starts[owners] + step)[below]
        self.nodes[place] = tree.nodes[below]
        self.deep_signs[place] = 1.0 - 2.0 * tree.bits[below]
