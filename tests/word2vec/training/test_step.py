"""One training step of every combination against loops over pairs, written from the papers."""

import keras
import numpy as np
import pytest

from keras_dlnotes.word2vec.huffman import HuffmanTree
from keras_dlnotes.word2vec.outputs.negative import SharedNoise, sharing
from keras_dlnotes.word2vec.outputs.softmax import FullSoftmax
from keras_dlnotes.word2vec.outputs.tree import TreePaths
from keras_dlnotes.word2vec.outputs.tree_groups import TreeGroups
from keras_dlnotes.word2vec.outputs.tree_layout import TreeLayout
from keras_dlnotes.word2vec.outputs.tree_tables import TreeTables
from keras_dlnotes.word2vec.training.architectures import ContinuousBagOfWords, SkipGram
from keras_dlnotes.word2vec.training.descent import descend
from keras_dlnotes.word2vec.training.step import Step

WORDS, SIZE, WINDOW = 60, 6, 3
FORMS = {
    "skip_gram": SkipGram(),
    "cbow": ContinuousBagOfWords(),
    "cbow exact": ContinuousBagOfWords(shared=True),
    "cbow sum": ContinuousBagOfWords(mean=False),
    "cbow sum exact": ContinuousBagOfWords(mean=False, shared=True),
}
HEADS = ["negative", "tree", "shallow tree", "softmax"]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def problem(length=32, segments=4, seed=0):
    rng = np.random.default_rng(seed)
    width = length + 2 * WINDOW
    counts = np.sort(rng.zipf(1.3, WORDS))[::-1].astype(np.int64)
    sentences = np.sort(rng.integers(0, 9, (segments, width)), axis=1)
    sentences[-1, -10:] = -1
    return {
        "counts": counts,
        "tokens": rng.integers(0, WORDS, (segments, width)).astype("int32"),
        "sentences": sentences.astype("int32"),
        "widths": rng.integers(1, WINDOW + 1, (segments, length)).astype("int32"),
        "embeddings": rng.normal(size=(WORDS, SIZE)).astype("float32"),
        "output": rng.normal(size=(WORDS, SIZE)).astype("float32"),
        "noise": rng.integers(0, WORDS, (segments * length, 7)).astype("int32"),
        "tree": HuffmanTree(counts),
    }


def head_of(name, p):
    if name == "negative":
        return SharedNoise(5, 7)
    if name == "softmax":
        return FullSoftmax()
    return TreePaths(p["tree"], top=255 if name == "tree" else 3)


def pairs_of(p, form):
    """Of each centre: the ids that predict and the ids that are predicted, in text order."""
    segments, length = p["widths"].shape
    for segment in range(segments):
        for place in range(length):
            at = place + WINDOW
            sentence = p["sentences"][segment, at]
            around = [
                p["tokens"][segment, other]
                for other in range(
                    at - p["widths"][segment, place], at + p["widths"][segment, place] + 1
                )
                if other != at and sentence >= 0 and p["sentences"][segment, other] == sentence
            ]
            group = (segment * length + place) // sharing(length, not form.predicts_windows)
            centre = p["tokens"][segment, at]
            if form.predicts_windows:
                yield from (([centre], word, group) for word in around)
            elif around:
                yield around, centre, group


def by_loops(p, form, head_name):
    """Loss, pairs, both gradients and the curvatures of output rows, pair by pair."""
    embeddings, output = p["embeddings"].astype(float), p["output"].astype(float)
    d_in, d_out, loss, count = np.zeros_like(embeddings), np.zeros_like(output), 0.0, 0
    bends = np.zeros(len(output))
    for inputs, word, group in pairs_of(p, form):
        count += 1
        h = embeddings[inputs].sum(axis=0)
        if not form.predicts_windows and form.mean:
            h /= len(inputs)
        e = np.zeros(SIZE)
        if head_name == "softmax":
            logits = output @ h
            share = np.exp(logits) / np.exp(logits).sum()
            loss -= np.log(share[word])
            bends += share * (1 - share) * (h @ h)
            share[word] -= 1
            d_out += np.outer(share, h)
            e = share @ output
        else:
            if head_name == "negative":
                rows = [(word, 1, 1.0), *((n, -1, 5 / 7) for n in p["noise"][group])]
            else:
                tree = p["tree"]
                rows = [
                    (node, 1 if bit == "0" else -1, 1.0)
                    for node, bit in zip(tree.path(word), tree.code(word), strict=True)
                ]
            for row, sign, weight in rows:
                right = sigmoid(sign * h @ output[row])
                loss -= weight * np.log(right)
                g = weight * sign * (right - 1)
                e += g * output[row]
                d_out[row] += g * h
                bends[row] += weight * right * (1 - right) * (h @ h)
        share = 1.0
        if not form.predicts_windows:
            exact = 1 / len(inputs) if form.mean else 1.0
            share = exact if form.shared else (1.0 if form.mean else 1 / len(inputs))
        for one in inputs:
            d_in[one] += e * share
    return loss, count, d_in, d_out, bends


def assert_adds_up(updates, gradients, bends=None):
    """That updates are these gradients, and where they have curvatures, these."""
    table = np.zeros_like(gradients)
    for ids, rows, curvatures in updates:
        ids, rows = (keras.ops.convert_to_numpy(x) for x in (ids, rows))
        np.add.at(table, ids, rows)
        if curvatures is not None:
            curvatures = keras.ops.convert_to_numpy(curvatures)
            np.testing.assert_allclose(curvatures, bends[ids], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(table, gradients, atol=3e-5)


def by_step(p, form, head_name, static):
    head = head_of(head_name, p)
    step = Step(form, head, WINDOW)
    extra = None
    if head_name == "negative":
        groups = p["widths"].size // sharing(p["widths"].shape[1], not form.predicts_windows)
        extra = keras.ops.convert_to_tensor(p["noise"][:groups])
    elif head_name != "softmax":
        tokens = keras.ops.convert_to_tensor(p["tokens"])
        single = not form.predicts_windows
        extra = head.entries(tokens, p["widths"].shape[1], WINDOW, single, static)
    names = ("embeddings", "output", "tokens", "sentences", "widths")
    return step.gradients(*(keras.ops.convert_to_tensor(p[name]) for name in names), extra)


@pytest.mark.parametrize("static", [True, pytest.param(False, marks=pytest.mark.tensorflow)])
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("form", FORMS)
def test_a_step_is_the_sum_over_pairs(form, head, static):
    p, form = problem(), FORMS[form]
    loss, count, d_in, d_out, bends = by_loops(p, form, head)
    got_loss, got_count, up_in, up_out = by_step(p, form, head, static)
    met_by_all = sum(len(ids) for ids, _, curvatures in up_out if curvatures is not None)
    expected = {"negative": 0, "tree": WORDS - 1, "shallow tree": 3, "softmax": WORDS}
    assert met_by_all == expected[head]
    assert float(got_count) == count
    np.testing.assert_allclose(float(got_loss), loss, rtol=2e-5)
    assert_adds_up(up_in, d_in)
    assert_adds_up(up_out, d_out, bends)


@pytest.mark.parametrize(("length", "segments"), [(1, 4), (5, 4), (33, 4), (128, 1)])
@pytest.mark.parametrize("head", ["negative", "shallow tree"])
@pytest.mark.parametrize("form", ["skip_gram", "cbow"])
def test_segments_of_any_length(form, head, length, segments):
    p, form = problem(length, segments, seed=length), FORMS[form]
    _, count, d_in, d_out, bends = by_loops(p, form, head)
    _, got_count, up_in, up_out = by_step(p, form, head, True)
    assert float(got_count) == count
    assert_adds_up(up_in, d_in)
    assert_adds_up(up_out, d_out, bends)


def stepped(table, updates, rate, reach=None, moving=None):
    table, *updates = keras.tree.map_structure(
        lambda x: None if x is None else keras.ops.convert_to_tensor(np.asarray(x)),
        [np.float32(table), *updates],
    )
    return keras.ops.convert_to_numpy(descend(table, updates, rate, reach, moving))


@pytest.mark.parametrize("reach", [None, 100.0])
def test_short_steps_are_the_sum_of_all_gradients(reach):
    rng = np.random.default_rng(0)
    table = rng.normal(size=(5, 3)).astype("float32")
    updates = [
        (np.int32(ids), rng.normal(size=(len(ids), 3)).astype("float32"), None)
        for ids in ([0, 2, 2], [2, 4])
    ]
    expected = table.astype(float)
    for ids, rows, _ in updates:
        np.subtract.at(expected, ids, 0.1 * rows)
    np.testing.assert_allclose(stepped(table, updates, 0.1, reach), expected, atol=1e-6)


def test_no_row_moves_farther_than_its_reach_and_short_steps_are_whole():
    ids = np.array([0, 0, 1], "int32")
    rows = np.array([[3, 4], [3, 4], [0.3, 0.4]], "float32")
    got = stepped(np.zeros((3, 2)), [(ids, rows, None)], 1.0, 2.0)
    np.testing.assert_allclose(got, [[-1.2, -1.6], [-0.3, -0.4], [0, 0]], atol=1e-6)
    flat = np.zeros(1, "float32")
    got = stepped(np.zeros((3, 2)), [(ids[:1], rows[:1], flat), (ids, rows, None)], 1.0, 2.0)
    np.testing.assert_allclose(got[0], [-1.2, -1.6], atol=1e-6)


@pytest.mark.parametrize("rate", [0.001, 0.1, 1.0, 30.0])
def test_with_curvatures_a_batch_leads_where_small_steps_do(rate):
    """n times the same parabola, against its gradient taken anew at each of many small steps."""
    n, curvature, lowest = 20, 0.7, 0.25
    row = start = 1.0
    for _ in range(1000 * n):
        row -= rate / 1000 * curvature * (row - lowest)
    gradient, bend = n * curvature * (start - lowest), n * curvature
    update = np.array([1], "int32"), np.full((1, 1), gradient, "f"), np.full(1, bend, "f")
    got = stepped([[5.0], [start]], [update], rate)
    np.testing.assert_allclose(got, [[5.0], [row]], atol=1e-4)


def test_frozen_rows_stand_still():
    moving = keras.ops.convert_to_tensor(np.array([[0.0], [1.0]], "float32"))
    update = (np.array([0, 1], "int32"), np.ones((2, 2), "float32"), None)
    np.testing.assert_allclose(
        stepped(np.zeros((2, 2)), [update], 0.1, moving=moving), [[0, 0], [-0.1, -0.1]], atol=1e-7
    )


@pytest.mark.tensorflow
@pytest.mark.parametrize("form", ["skip_gram", "cbow"])
def test_a_tree_without_static_shapes(form):
    """Traced, the number of nodes a step meets is known only as it runs."""
    import tensorflow as tf

    p, form = problem(seed=3), FORMS[form]
    traced = tf.function(lambda: by_step(p, form, "shallow tree", False), autograph=False)
    _, _, d_in, d_out, bends = by_loops(p, form, "tree")
    _, _, up_in, up_out = traced()
    assert_adds_up(up_in, d_in)
    assert_adds_up(up_out, d_out, bends)


@pytest.mark.parametrize("top", [1, 3, 20])
def test_every_chunk_meets_each_of_its_deep_nodes_once(top):
    """Against the paths themselves, on a tree as deep as trees become."""
    fibonacci = [1, 1]
    while len(fibonacci) < 24:
        fibonacci.append(sum(fibonacci[-2:]))
    for counts in (fibonacci[::-1], problem()["counts"]):
        tree = HuffmanTree(counts)
        words = np.random.default_rng(top).integers(0, len(tree), (3, 8)).astype("int32")
        tables = TreeTables(tree, top)
        layout, words_at = TreeLayout(tables), np.argsort(tables.ranks)
        ranks = np.sort(np.asarray(layout.ranks)[words], axis=1)
        nodes, chunks, signs = (
            keras.ops.convert_to_numpy(x)
            for x in layout.pieces(keras.ops.convert_to_tensor(ranks), 4, True)
        )
        for chunk in range(3):
            mine = chunks == chunk
            met = signs[mine].transpose(1, 0, 2).reshape(8, -1)
            ids = nodes[mine].ravel()
            real = np.abs(met).any(axis=0)
            assert len(set(ids[real])) == real.sum()
            for word, row in zip(words_at[ranks[chunk]], met, strict=True):
                expected = {
                    (node, 1 if bit == "0" else -1)
                    for node, bit in zip(tree.path(word), tree.code(word), strict=True)
                    if node >= top
                }
                assert {(ids[i], row[i]) for i in np.flatnonzero(row)} == expected


@pytest.mark.parametrize("top", [1, 3, 20])
def test_every_group_meets_the_deep_nodes_of_its_words(top):
    p = problem()
    tree = p["tree"]
    words = p["tokens"][:3, :13]  # Two groups of eight, the second not full.
    for static in (True, False) if keras.backend.backend() == "tensorflow" else (True,):
        nodes, groups, signs = (
            keras.ops.convert_to_numpy(x)
            for x in TreeGroups(TreeTables(tree, top)).pieces(
                keras.ops.convert_to_tensor(words), 4, static
            )
        )
        for place in range(3 * 16):
            segment, column = divmod(place, 16)
            mine = groups == place // 8
            ids, met = nodes[mine].ravel(), signs[mine][:, place % 8].ravel()
            expected = []
            if column < 13:
                word = words[segment, column]
                expected = [
                    (node, 1 if bit == "0" else -1)
                    for node, bit in zip(tree.path(word), tree.code(word), strict=True)
                    if node >= top
                ]
            assert [(ids[i], met[i]) for i in np.flatnonzero(met)] == expected
