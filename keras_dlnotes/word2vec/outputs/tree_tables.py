"""A Huffman tree as tables for dense products: its top as signs, every node as an interval."""

import numpy as np


class TreeTables:
    """What a training step looks up about words and nodes.

    With the words in the order in which the tree's leaves hang, from branch 0 to branch 1, each
    node covers an interval of them: it lies on a word's path if the word's rank falls into
    [`low`, `high`), and the path takes branch 0 there below `middle`.

    The first `top` nodes lie on most paths. A path's part there is known by its last node and
    branch, its *slot*; `signs[slot]` says which branch it takes at each of them: +1 for branch 0,
    -1 for branch 1, 0 where it does not pass. What lies deeper is listed in `nodes`, the branches
    there in `turns`, for the word of a rank from `starts`, `counts` of them; so many of them as
    `shared` says are passed by the word of the rank before too. A last node, with an empty
    interval, stands for none.

    Args:
        tree: `HuffmanTree`.
        top: How many nodes are dense.
    """

    def __init__(self, tree, top):
        words = len(tree)
        self.top = min(top, words - 1)
        ends = np.cumsum(tree.lengths)
        owners = np.repeat(np.arange(words), tree.lengths)
        left = np.bincount(tree.nodes[tree.bits == 0], minlength=words)
        right = np.bincount(tree.nodes[tree.bits == 1], minlength=words - 1)
        skipped = tree.bits * left[tree.nodes]  # Leaves of branch 0 that a path passes by.
        before = np.cumsum(skipped) - skipped
        before -= before[tree.starts[:-1]][owners]
        self.ranks = (before + skipped)[ends - 1].astype(np.int32)
        self.low = np.full(words, words, np.int32)
        self.low[tree.nodes] = before
        self.middle = self.low + left.astype(np.int32)
        self.high = self.middle.copy()
        self.high[:-1] += right.astype(np.int32)

        shallow = tree.nodes < self.top  # The number of a node grows along a path.
        tops = np.bincount(owners[shallow], minlength=words)
        last = tree.starts[:-1] + tops - 1
        self.slots = (2 * tree.nodes[last] + tree.bits[last]).astype(np.int32)
        self.signs = np.zeros((2 * self.top, self.top), np.float32)
        known, first = np.unique(self.slots, return_index=True)
        for slot, word in zip(known, first, strict=True):
            path = slice(tree.starts[word], tree.starts[word] + tops[word])
            self.signs[slot, tree.nodes[path]] = 1.0 - 2.0 * tree.bits[path]

        # By rank: words in the order of the leaves.
        deep, counts = tree.nodes[~shallow], tree.lengths - tops
        words_at = np.argsort(self.ranks)
        self.counts = counts[words_at].astype(np.int32)
        self.starts = (np.cumsum(counts) - counts)[words_at].astype(np.int32)
        self.nodes = deep if len(deep) else np.zeros(1, np.int32)
        self.turns = 1.0 - 2.0 * tree.bits[~shallow].astype(np.float32)
        of = self.ranks[owners[~shallow]]
        self.shared = np.bincount(of[self.low[deep] < of], minlength=words)
