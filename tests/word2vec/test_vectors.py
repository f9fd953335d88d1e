"""WordVectors: every answer against gensim's, for the same vectors."""

import keras
import numpy as np
import pytest

from keras_dlnotes.word2vec.vectors import WordVectors

gensim = pytest.importorskip("gensim")
from gensim.models import KeyedVectors  # noqa: E402

WORDS = [f"word{n}" for n in range(60)] + ["König", "日本語", "Word3", "naïve"]
COUNTS = np.arange(len(WORDS))[::-1] * 3 + 1


def table(words=64, size=8, seed=1):
    return np.random.default_rng(seed).normal(size=(words, size)).astype("float32")


@pytest.fixture
def ours():
    return WordVectors(WORDS, table(), COUNTS)


@pytest.fixture
def peer():
    peer = KeyedVectors(8)
    peer.add_vectors(WORDS, table())
    for word, count in zip(WORDS, COUNTS.tolist(), strict=True):
        peer.set_vecattr(word, "count", count)
    return peer


def same(ours, peer):
    """Equal words and numbers, however deep in lists."""
    if isinstance(peer, (list, tuple)):
        assert len(ours) == len(peer)
        for a, b in zip(ours, peer, strict=True):
            same(a, b)
    elif isinstance(peer, str):
        assert ours == peer
    else:
        np.testing.assert_allclose(ours, peer, rtol=1e-5, atol=1e-6)


V = table(2, seed=5)

#: Name of a method and its arguments.
QUESTIONS = [
    ("get_vector", ("word3",), {}),
    ("get_vector", ("word3", True), {}),
    ("__getitem__", ("word3",), {}),
    ("__getitem__", (["word3", "naïve", 2],), {}),
    ("get_index", ("日本語",), {}),
    ("get_index", (7,), {}),
    ("get_index", ("missing", 5), {}),
    ("get_normed_vectors", (), {}),
    ("get_mean_vector", (["word1", "word2", "missing"],), {}),
    ("get_mean_vector", (["word1", "word2", V[0]], [1, -2, 3]), {"post_normalize": True}),
    ("get_mean_vector", (["word1", 2],), {"pre_normalize": False}),
    ("get_mean_vector", (["missing"],), {}),
    ("most_similar", ("word3",), {}),
    ("most_similar", (["word3", "word4"], ["word5"]), {}),
    ("most_similar", ([("word3", 0.5), V[1], 4], ["word5", "naïve"]), {"topn": 3}),
    ("most_similar", ([("word3", 2.0)], [("word5", -0.5)]), {"topn": None}),
    ("most_similar", (V,), {"topn": 64}),
    ("most_similar", ("word3",), {"topn": 1000}),
    ("most_similar", ("word3",), {"topn": 0}),
    ("most_similar", ("word3",), {"restrict_vocab": 10}),
    ("most_similar", ("word50",), {"restrict_vocab": 10, "clip_start": 3}),
    ("most_similar", ("word3",), {"clip_start": 20, "clip_end": 30}),
    ("most_similar", ("word3",), {"clip_start": 50, "topn": None}),
    ("most_similar", (), {"negative": ["word3"]}),
    ("most_similar_cosmul", ("word3",), {}),
    ("most_similar_cosmul", (["word3", "word4"], ["word5"]), {}),
    ("most_similar_cosmul", (["word3", "word4"], ["word5", "word6"]), {"topn": None}),
    ("most_similar_cosmul", ([V[0] / np.linalg.norm(V[0])], "word4"), {"topn": 3}),
    ("similar_by_word", ("König", 4), {}),
    ("similar_by_key", ("König", 4, 30), {}),
    ("similar_by_vector", (V[0], 5), {}),
    ("similarity", ("word3", "word4"), {}),
    ("similarity", ("word3", "word3"), {}),
    ("distance", ("word3", "word4"), {}),
    ("distance", ("word3", "word3"), {}),
    ("n_similarity", (["word3", "word4"], ["word5"]), {}),
    ("distances", ("word3",), {}),
    ("distances", (V[0], ["word1", "naïve"]), {}),
    ("cosine_similarities", (V[0], V), {}),
    ("doesnt_match", (["word3", "word4", "word7", "missing"],), {}),
    ("rank_by_centrality", (["word3", "word4", "word7"],), {}),
    ("rank_by_centrality", (["word3", "word4", "word7"], False), {}),
    ("closer_than", ("word3", "word4"), {}),
    ("closer_than", ("word3", "word3"), {}),
    ("rank", ("word3", "word4"), {}),
    ("most_similar_to_given", ("word3", ["word9", "word8", "word7"]), {}),
    ("relative_cosine_similarity", ("word3", "word4", 5), {}),
    ("get_vecattr", ("word3", "count"), {}),
    ("__len__", (), {}),
    ("__contains__", ("naïve",), {}),
    ("__contains__", ("missing",), {}),
    ("has_index_for", ("word3",), {}),
]


@pytest.mark.parametrize(
    ("name", "args", "kwargs"), QUESTIONS, ids=[f"{i}-{q[0]}" for i, q in enumerate(QUESTIONS)]
)
def test_answers_are_gensims(ours, peer, name, args, kwargs):
    same(getattr(ours, name)(*args, **kwargs), getattr(peer, name)(*args, **kwargs))


def test_batches_answer_what_single_questions_do(ours, monkeypatch):
    positive = ["word3", ["word4", "word5"], V[0], [("word6", 2.0), "naïve"]]
    negative = [None, "word6", ["word7"], []]
    single = [ours.most_similar(p, n, topn=4) for p, n in zip(positive, negative, strict=True)]
    same(ours.most_similar_batch(positive, negative, topn=4), single)
    monkeypatch.setattr("keras_dlnotes.word2vec.asking.queries.BLOCK", 100)  # One query at a time.
    same(ours.most_similar_batch(positive, negative, topn=4), single)
    clipped = ours.most_similar_batch(["word3"], topn=2, restrict_vocab=9)
    same(clipped, [ours.most_similar("word3", topn=2, restrict_vocab=9)])
    assert ours.most_similar_batch([]) == []
    with pytest.raises(ValueError, match="one entry for each query"):
        ours.most_similar_batch("word3")


def test_a_zero_vector_is_like_nothing():
    vectors = WordVectors(["zero", "a", "b"], [[0, 0], [1, 0], [-1, 1]])
    assert vectors.similarity("zero", "a") == 0
    assert vectors.most_similar("a")[0] == ("zero", 0)
    assert np.isfinite(vectors.get_normed_vectors()).all()
    assert vectors.distances("zero").tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "ask",
    [
        lambda v: v["wrod3"],
        lambda v: v[["word1", "wrod3"]],
        lambda v: v.most_similar("wrod3"),
        lambda v: v.most_similar_batch(["wrod3"]),
        lambda v: v.most_similar_cosmul("wrod3"),
        lambda v: v.similarity("word1", "wrod3"),
        lambda v: v.n_similarity(["wrod3"], ["word1"]),
        lambda v: v.distances("word1", ["wrod3"]),
        lambda v: v.rank("word1", "wrod3"),
        lambda v: v.get_vecattr("wrod3", "count"),
    ],
)
def test_an_unknown_word_is_named_with_similar_ones(ours, ask):
    with pytest.raises(KeyError, match=r"'wrod3' is not among the 64 words; .*'word3'"):
        ask(ours)
    with pytest.raises(KeyError, match="64 is not"):
        ours[64]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda v: v.most_similar(), "needs a word or a vector"),
        (lambda v: v.most_similar_cosmul(negative="word3"), "needs a positive"),
        (lambda v: v.most_similar("word3", topn=1.5), "`topn` must be an integer or None"),
        (lambda v: v.get_mean_vector([]), "no mean of nothing"),
        (lambda v: v.get_mean_vector(["word1"], [1, 2]), "one weight for each"),
        (lambda v: v.doesnt_match(["missing"]), "None of the words"),
        (lambda v: WordVectors(["a"], [[1.0]] * 2), "one vector a word"),
        (lambda v: WordVectors(["a", "a"], [[1.0]] * 2), "'a' is there twice"),
        (lambda v: WordVectors(["a"], [[1.0]], counts=[1, 2]), "one count a word"),
        (lambda v: WordVectors(["a"], [[1.0]], vector_size=2), "`vector_size` must be that"),
        (lambda v: WordVectors(), "`vector_size` must be an integer"),
        (lambda v: v.add_vectors(["a"], [[1.0]]), r"need vectors of shape \(1, 8\)"),
        (lambda v: v.doesnt_match("word1 word2"), "`words` must be a list, not one string"),
        (lambda v: v.n_similarity("word1", ["word2"]), "`ws1` must be a list"),
        (lambda v: v.n_similarity(["word1"], "word2"), "`ws2` must be a list"),
        (lambda v: v.wmdistance("word1 word2", ["word2"]), "`document1` must be a list"),
        (lambda v: v.most_similar_to_given("word1", "word2"), "`keys_list` must be a list"),
        (lambda v: v.similar_by_vector(np.ones(3)), r"have the shape \(8,\). Received: .*\(3,\)"),
    ],
)
def test_bad_arguments(ours, ask, message):
    with pytest.raises(ValueError, match=message):
        ask(ours)
    assert len(ours) == 64


def test_adding(ours, peer):
    new = table(4, seed=7)
    names = ["new", "word3", "newer", "new"]
    before = ours["word3"].copy()
    ours.add_vectors(names, new)
    assert ours.words[-2:] == ["new", "newer"]
    np.testing.assert_array_equal(ours[["new", "word3", "newer"]], [new[0], before, new[2]])
    assert ours.counts[-2:].tolist() == [0, 0]
    assert ours.most_similar([new[2]], topn=1)[0][0] == "newer"  # The norms were renewed.
    ours.add_vectors(["word3", "last"], new[:2], counts=[5, 6], replace=True)
    np.testing.assert_array_equal(ours["word3"], new[0])
    assert ours.counts[[3, -1]].tolist() == [5, 6]
    ours["word5"] = new[3]
    np.testing.assert_array_equal(ours["word5"], new[3])
    assert ours.add_vector("single", new[0]) == len(ours) - 1
    empty = WordVectors(vector_size=8)
    empty[["b", "a"]] = list(new[:2])
    assert (empty.words, empty.vectors.dtype) == (["b", "a"], np.float32)


def test_the_array_is_read_only_and_not_copied():
    mine = table()
    vectors = WordVectors(WORDS, mine)
    assert np.shares_memory(vectors.vectors, mine)
    assert mine.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        vectors["word3"][0] = 1


def test_normalize_and_choose(ours, peer):
    chosen = ours.vectors_for_all(["naïve", "missing", "word2", "naïve"], copy_vecattrs=True)
    assert chosen.words == ["naïve", "word2"]
    assert chosen.counts.tolist() == [COUNTS[63], COUNTS[2]]
    ours.unit_normalize_all()
    peer.unit_normalize_all()
    same(ours.vectors, peer.vectors)
    same(ours.norms, peer.norms)


# -------------------------------------------------------------------------- word mover's distance


def two_words(vectors, first, second):
    """Of two words each, the least of all ways to carry mass, found by trying."""
    a, b = (vectors[list(words)] for words in (first, second))
    ways = np.linalg.norm(a[:, None] - b, axis=-1)
    return min(ways[0, 0] + ways[1, 1], ways[0, 1] + ways[1, 0]) / 2


def test_word_movers_distance(ours):
    ours.unit_normalize_all()
    pairs = (["word1", "word2"], ["word3", "word4"])
    assert ours.wmdistance(*pairs) == pytest.approx(two_words(ours, *pairs), rel=1e-5)
    one = np.linalg.norm(ours["word1"] - ours["word2"])
    assert ours.wmdistance(["word1"], ["word2", "missing"]) == pytest.approx(one, rel=1e-5)
    text = ["word1", "word2", "word2", "word9"]
    assert ours.wmdistance(text, text[::-1]) == 0
    assert ours.wmdistance(text, ["missing"]) == float("inf")
    # Word frequencies are masses: one third of the way to word2.
    assert ours.wmdistance(["word1"], ["word1", "word1", "word2"]) == pytest.approx(one / 3, 1e-5)


def test_word_movers_distance_is_the_programme_of_the_paper(ours):
    """Against the linear programme over all words, without moving anything out of it first."""
    from scipy import optimize

    generator = np.random.default_rng(3)
    for _ in range(5):
        texts = [generator.choice(WORDS[:12], generator.integers(1, 9)).tolist() for _ in "ab"]
        masses = [np.array([text.count(w) for w in WORDS[:12]]) / len(text) for text in texts]
        ways = np.linalg.norm(ours.vectors[:12, None] - ours.vectors[:12], axis=-1)
        sums = np.concatenate([np.kron(np.eye(12), np.ones(12)), np.kron(np.ones(12), np.eye(12))])[
            :-1
        ]
        expected = optimize.linprog(ways.ravel(), A_eq=sums, b_eq=np.concatenate(masses)[:-1]).fun
        assert ours.wmdistance(*texts, norm=False) == pytest.approx(expected, abs=1e-6)


# ---------------------------------------------------------------------------------- for others


def test_to_gensim(ours, peer):
    copy = ours.to_gensim()
    assert copy.index_to_key == WORDS
    np.testing.assert_array_equal(copy.vectors, ours.vectors)
    assert copy.get_vecattr("word3", "count") == COUNTS[3]
    assert WordVectors(["a"], [[1.0]]).to_gensim()["a"].tolist() == [1]


def test_embedding_layers_in_a_saved_model(ours, tmp_path):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("StringLookup is TensorFlow's")
    lookup, embedding = ours.to_embedding(mask_token="")
    assert not embedding.trainable
    inputs = keras.Input((3,), dtype="string")
    hidden = embedding(lookup(inputs))
    model = keras.Model(inputs, [hidden, keras.layers.GlobalAveragePooling1D()(hidden)])
    model.save(tmp_path / "m.keras")
    x = keras.ops.convert_to_tensor([["word3", "missing", ""], ["日本語", "word3", "word4"]])
    for net in (model, keras.saving.load_model(tmp_path / "m.keras")):
        full, mean = map(keras.ops.convert_to_numpy, net(x))
        np.testing.assert_array_equal(full[0], [ours["word3"], np.zeros(8), np.zeros(8)])
        np.testing.assert_allclose(mean[0], ours["word3"] / 2, rtol=1e-6)  # The padding is masked.
        np.testing.assert_array_equal(full[1], ours[["日本語", "word3", "word4"]])
    _, trainable = ours.to_embedding(trainable=True)
    assert trainable.trainable


def test_projector_files(ours, tmp_path):
    text_format = pytest.importorskip("google.protobuf.text_format")
    from tensorboard.plugins.projector import projector_config_pb2

    ours.save_projector(tmp_path, "first", limit=5)
    WordVectors(["a", "tab\tbed", ""], table(3)).save_projector(tmp_path / "logs" / "..", "second")
    ours.save_projector(tmp_path, "first", limit=7)
    config = text_format.Parse(
        (tmp_path / "projector_config.pbtxt").read_text(), projector_config_pb2.ProjectorConfig()
    )
    first, second = sorted(config.embeddings, key=lambda entry: entry.tensor_name)
    assert (first.tensor_name, list(first.tensor_shape)) == ("first", [7, 8])
    read = np.loadtxt(tmp_path / first.tensor_path, delimiter="\t", dtype="float32")
    np.testing.assert_array_equal(read, ours.vectors[:7])
    labels = (tmp_path / first.metadata_path).read_text(encoding="utf-8").splitlines()
    assert labels[:2] == ["Word\tCount", f"word0\t{COUNTS[0]}"]
    assert len(labels) == 8
    labels = (tmp_path / second.metadata_path).read_text().splitlines()
    assert labels == ["a", "tab bed", '""']


def test_lengths_are_looked_through_once_and_follow_what_is_changed():
    vectors = WordVectors(["a", "b"], np.array([[3.0, 4.0], [0.0, 0.0]], "float32"))
    np.testing.assert_allclose(vectors.get_vector("a", norm=True), [0.6, 0.8])
    assert vectors._divisors is vectors._divisors
    vectors.add_vectors(["b", "c"], np.array([[0.0, 2.0], [5.0, 0.0]], "float32"), replace=True)
    np.testing.assert_allclose(vectors.get_vector("b", norm=True), [0.0, 1.0])
    np.testing.assert_allclose(vectors.get_normed_vectors(), [[0.6, 0.8], [0, 1], [1, 0]])
