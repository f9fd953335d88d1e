import heapq
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dlnotes.word2vec.huffman import HuffmanTree
from keras_dlnotes.word2vec.outputs.tree_tables import TreeTables

COUNTS = st.lists(st.integers(0, 1000), min_size=2, max_size=60)


def word2vec_c(counts):
    """Codes and points as CreateBinaryTree of word2vec.c computes them; counts must fall."""
    size = len(counts)
    count = [*counts, *([10**15] * (size + 1))]
    binary, parent = [0] * (2 * size), [0] * (2 * size)
    first, second = size - 1, size
    for made in range(size - 1):
        least = []
        for _ in range(2):
            if first >= 0 and count[first] < count[second]:
                least.append(first)
                first -= 1
            else:
                least.append(second)
                second += 1
        count[size + made] = count[least[0]] + count[least[1]]
        parent[least[0]] = parent[least[1]] = size + made
        binary[least[1]] = 1
    codes, points = [], []
    for word in range(size):
        code, point, at = "", [], word
        while at != 2 * size - 2:
            code = str(binary[at]) + code
            at = parent[at]
            point.insert(0, at - size)
        codes.append(code)
        points.append(point)
    return codes, points


@given(COUNTS)
def test_codes_and_nodes_are_those_of_word2vec_c(counts):
    counts = sorted(counts, reverse=True)
    tree = HuffmanTree(counts)
    codes, points = word2vec_c(counts)
    assert [tree.code(word) for word in range(len(counts))] == codes
    for word, point in enumerate(points):
        assert (len(counts) - 2 - tree.path(word)).tolist() == point  # Ours count from the root.


@given(COUNTS)
def test_codes_are_prefix_free_and_of_least_length(counts):
    tree = HuffmanTree(counts)
    codes = [tree.code(word) for word in range(len(counts))]
    ordered = sorted(codes)
    assert not any(b.startswith(a) for a, b in itertools.pairwise(ordered))
    heap, least = list(counts), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        least += joined
        heapq.heappush(heap, joined)
    assert sum(c * len(code) for c, code in zip(counts, codes, strict=True)) == least


@given(COUNTS, st.integers(1, 20))
def test_tables_hold_each_path(counts, top):
    tree = HuffmanTree(counts)
    tables = TreeTables(tree, top)
    assert sorted(tables.ranks) == list(range(len(counts)))
    for word in range(len(counts)):
        row, rank = tables.signs[tables.slots[word]], tables.ranks[word]
        path = {int(node): float(row[node]) for node in np.flatnonzero(row)}
        begin = tables.starts[rank]
        for node in tables.nodes[begin : begin + tables.counts[rank]]:
            path[int(node)] = 1.0 if rank < tables.middle[node] else -1.0
        signs = [1.0 if bit == "0" else -1.0 for bit in tree.code(word)]
        assert path == dict(zip(tree.path(word).tolist(), signs, strict=True))
        passed = (tables.low <= rank) & (rank < tables.high)
        assert set(np.flatnonzero(passed)) == set(tree.path(word))


@pytest.mark.parametrize("counts", [[], [3]])
def test_a_tree_needs_two_words(counts):
    with pytest.raises(ValueError, match="two words"):
        HuffmanTree(counts)
