"""Vocabularies: against gensim on the same text, and rule by rule."""

import bz2
import gzip
import io
import json
import lzma
import pathlib

import keras
import numpy as np
import pytest

from keras_dlnotes.word2vec.vocabulary import Vocabulary

TEXT = "the cat saw the dog\nthe dog saw a bird bird\nünïcode 日本語 ünïcode\n"


@pytest.fixture(scope="module")
def lee():
    gensim = pytest.importorskip("gensim.test.utils")
    return gensim.datapath("lee_background.cor")


@pytest.mark.parametrize("min_count", [1, 5])
def test_words_order_and_counts_are_gensims(lee, min_count):
    from gensim.models import Word2Vec

    peer = Word2Vec(min_count=min_count)
    peer.build_vocab(corpus_file=lee)
    ours = Vocabulary.from_file(lee, min_count=min_count)
    assert ours.words == peer.wv.index_to_key
    assert ours.counts.tolist() == [peer.wv.get_vecattr(w, "count") for w in ours.words]


@pytest.mark.parametrize("sample", [1e-5, 1e-3, 0.1, 0])
def test_keep_probability_is_gensims(lee, sample):
    from gensim.models import Word2Vec

    peer = Word2Vec(min_count=3, sample=sample)
    peer.build_vocab(corpus_file=lee)
    expected = peer.wv.expandos["sample_int"] / (2**32 - 1)
    ours = Vocabulary.from_file(lee, min_count=3).keep_probability(sample)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_keep_probability_of_the_notes():
    vocabulary = Vocabulary(["a", "b", "c"], [9000, 990, 10])
    kept = vocabulary.keep_probability(1e-2, "notes")
    np.testing.assert_allclose(kept, [np.sqrt(0.01 / 0.9), np.sqrt(0.01 / 0.099), 1], rtol=1e-6)
    with pytest.raises(ValueError, match="`formula` must be one of 'word2vec', 'notes'"):
        vocabulary.keep_probability(1e-2, "paper")
    with pytest.raises(ValueError, match="`sample` must be in"):
        vocabulary.keep_probability(-1)


@pytest.mark.parametrize(
    ("rules", "words", "counts"),
    [
        ({"min_count": 1}, ["the", "bird", "dog", "saw", "a", "cat"], [3, 2, 2, 2, 1, 1]),
        ({"min_count": 2}, ["the", "bird", "dog", "saw"], [3, 2, 2, 2]),
        ({"min_count": 1, "max_size": 2}, ["the", "bird"], [3, 2]),
        ({"min_count": 3, "keep": {"cat"}}, ["the", "cat"], [3, 1]),
        ({"min_count": 2, "drop": ["the"]}, ["bird", "dog", "saw"], [2, 2, 2]),
        ({"min_count": 3, "keep": lambda w, n: w == "a" and n == 1}, ["the", "a"], [3, 1]),
        ({"min_count": 1, "drop": lambda w, n: n < 3}, ["the"], [3]),
        ({"min_count": 3, "specials": ["<pad>", "cat"]}, ["<pad>", "cat", "the"], [0, 1, 3]),
        ({"min_count": 3, "unknown": "<unk>"}, ["<unk>", "the"], [8, 3]),
        ({"min_count": 3, "specials": ["[P]"], "unknown": "a"}, ["[P]", "a", "the"], [0, 8, 3]),
        ({"min_count": 1, "specials": ["[P]"], "max_size": 2}, ["[P]", "the"], [0, 3]),
    ],
)
def test_rules(rules, words, counts):
    vocabulary = Vocabulary.from_texts(TEXT.splitlines()[:2], **rules)
    assert (vocabulary.words, vocabulary.counts.tolist()) == (words, counts)


def test_encode_leaves_out_or_replaces_what_it_does_not_know():
    plain = Vocabulary(["the", "dog"], [3, 2])
    assert plain.encode(["a", "dog", "the", "x"]).tolist() == [1, 0]
    assert plain.encode([]).dtype == np.int32
    marked = Vocabulary(["<unk>", "dog"], [3, 2], specials=["<unk>"], unknown="<unk>")
    assert marked.encode("a dog x").tolist() == [0, 1, 0]
    assert marked.decode([1, 0]) == ["dog", "<unk>"]


@pytest.mark.parametrize(
    "pack",
    [bytes, gzip.compress, lzma.compress, bz2.compress],
    ids=["plain", "gz", "xz", "bz2"],
)
def test_compression_is_told_by_content_not_by_name(tmp_path, pack):
    path = tmp_path / "text.txt"
    path.write_bytes(pack(TEXT.encode()))
    assert Vocabulary.from_file(path, min_count=2).words == [
        "the", "ünïcode", "bird", "dog", "saw",
    ]  # fmt: skip


def test_directories_and_lists_of_files(tmp_path):
    for name, text in {"b": "b b c", "a": "a b\n", ".hidden": "x", "old.corpus": "x"}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "deeper").mkdir()
    expected = {"b": 3, "a": 1, "c": 1}
    for source in (tmp_path, str(tmp_path), [tmp_path / "a", tmp_path / "b"]):
        vocabulary = Vocabulary.from_file(source, min_count=1)
        assert dict(zip(vocabulary.words, vocabulary.counts.tolist(), strict=True)) == expected
    with pytest.raises(FileNotFoundError, match="no text file"):
        Vocabulary.from_file(tmp_path / "missing")
    with pytest.raises(ValueError, match="No text files"):
        Vocabulary.from_file(tmp_path / "deeper")


def test_from_counts():
    assert Vocabulary.from_counts({"a": 1, "b": 7}, min_count=2).words == ["b"]
    assert Vocabulary.from_counts([("a", 1), ("b", 7)], min_count=1).counts.tolist() == [7, 1]


@pytest.mark.parametrize(
    "more",
    [
        ["new new the", "new rare"],
        {"new": 3, "the": 1, "rare": 1},
        pathlib.Path("more.txt"),
        "more.txt",
    ],
)
def test_extend_keeps_the_old_rows(tmp_path, monkeypatch, more):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("more.txt").write_text("new new the\nnew rare")
    old = Vocabulary(["<unk>", "the", "dog"], [1, 3, 2], ["<unk>"], "<unk>")
    new = old.extend(more, min_count=2)
    assert new.words == ["<unk>", "the", "dog", "new"]
    assert new.counts.tolist() == [2, 4, 2, 3]
    assert old.counts.tolist() == [1, 3, 2]
    assert (new.specials, new.unknown) == (old.specials, old.unknown)


def test_unknown_words_name_similar_ones():
    vocabulary = Vocabulary(["queen", "king", "King", "kings", "Café"], [5, 4, 3, 2, 1])
    with pytest.raises(KeyError, match=r"'kingg' is not among the 5 words; .*'king', 'kings'"):
        vocabulary.index("kingg")
    with pytest.raises(KeyError, match="'Café'"):
        vocabulary.index("CAFE")
    assert vocabulary.index("kings") == 3
    assert "kings" in vocabulary
    assert "x" not in vocabulary


# ------------------------------------------------------------------------------------ saving

ODD = Vocabulary(
    ["<pad>", "<unk>", "日本語", "new york", "", "tab\tinside", "odd\udcff", "7", "ends 12"],
    [0, 5, 9, 4, 4, 3, 2, 2, 1],
    ["<pad>", "<unk>"],
    "<unk>",
)


def test_text_round_trip(tmp_path):
    ODD.save(tmp_path / "vocabulary.txt")
    assert Vocabulary.load(tmp_path / "vocabulary.txt", errors="surrogateescape") == ODD
    with pytest.raises(ValueError, match=r"line 7 of .* not UTF-8"):
        Vocabulary.load(tmp_path / "vocabulary.txt")


def test_text_is_what_word2vec_writes(tmp_path):
    Vocabulary(["the", "ünï"], [3, 2]).save(tmp_path / "v")
    assert (tmp_path / "v").read_bytes() == "the 3\nünï 2\n".encode()


def test_config_round_trip_through_json():
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(ODD)))
    assert keras.saving.deserialize_keras_object(config) == ODD


@pytest.mark.parametrize("content", ["", "the\n", "the x\n", "the 3\n\n", "a 1\na 1\n", "a -1\n"])
def test_bad_vocabulary_files(tmp_path, content):
    (tmp_path / "v").write_text(content)
    with pytest.raises(ValueError, match=r"empty|no word and count|there twice"):
        Vocabulary.load(tmp_path / "v")


def test_a_save_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "v"
    Vocabulary(["a"], [1]).save(path)
    with pytest.raises(ValueError, match="cannot stand in a text file"):
        Vocabulary(["a\nb"], [1]).save(path)
    with pytest.raises(UnicodeEncodeError):
        Vocabulary(["\ud800"], [1]).save(path)
    assert path.read_text() == "a 1\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["v"]


# --------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Vocabulary.from_texts([]), "empty"),
        (lambda: Vocabulary.from_texts([[]]), "empty"),
        (lambda: Vocabulary.from_texts("text"), "Received one string"),
        (lambda: Vocabulary.from_texts(["a b a"]), "most frequent, 'a', occurs 2 times"),
        (lambda: Vocabulary.from_counts({}), "empty"),
        (lambda: Vocabulary.from_counts(["a", "b"]), "`counts` must be whole numbers by word"),
        (lambda: Vocabulary.from_counts({"a": 1.5}), "`counts` must be whole numbers by word"),
        (lambda: Vocabulary.from_counts({"a": -1}), "`counts` must be from 0 to"),
        (lambda: Vocabulary.from_counts({"a": 2**63}), "`counts` must be from 0 to"),
        (lambda: Vocabulary.from_counts({1: 2}), "`counts` must have strings as words"),
        (lambda: Vocabulary(["a"], [1]).decode([0.5]), "`ids` must be a list of whole numbers"),
        (lambda: Vocabulary(["a"], [1]).decode(0), "`ids` must be a list of whole numbers"),
        (lambda: Vocabulary.from_file(None), "from the path of a file"),
        (lambda: Vocabulary.from_file(io.StringIO("a b")), "from the path of a file"),
        (lambda: Vocabulary.from_file([["a", "b"]]), "Lists of sentences go to `from_texts`"),
        (lambda: Vocabulary.from_texts(["a"], min_count=0), "`min_count` must be an integer of"),
        (lambda: Vocabulary.from_texts(["a"], max_size=0), "`max_size` must be an integer of"),
        (lambda: Vocabulary.from_texts(["a"], specials="<p>"), "`specials` must be several"),
        (lambda: Vocabulary.from_texts(["a"], specials=["p", "p"]), "must be different words"),
        (lambda: Vocabulary.from_texts(["a"], keep="a"), "`keep` must be words or"),
        (lambda: Vocabulary(["a"], [1, 2]), "one count of at least 0 a word"),
        (lambda: Vocabulary(["a"], [-1]), "one count of at least 0 a word"),
        (lambda: Vocabulary(["a", "b", "b"], [1, 1, 1]), "'b' is there twice"),
        (lambda: Vocabulary(["a"], [1], specials=["<p>"]), "must come first"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("index", [-1, 2])
def test_there_is_no_such_word(index):
    with pytest.raises(IndexError, match=f"There is no word {index} among 2"):
        Vocabulary(["a", "b"], [1, 1]).decode([0, index])


def test_invalid_utf8(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"a b\xff b\xfe\n" * 2)
    with pytest.raises(UnicodeDecodeError, match=r"0xff .* at 3 of .*text', which is not UTF-8"):
        Vocabulary.from_file(path, min_count=1)
    for errors, words in {
        "replace": ["b\ufffd", "a"],
        "ignore": ["b", "a"],
        "surrogateescape": ["b\udcfe", "b\udcff", "a"],
    }.items():
        assert Vocabulary.from_file(path, errors, min_count=1).words == words
    with pytest.raises(ValueError, match="`errors` must name"):
        Vocabulary.from_file(path, "guess")


@pytest.mark.parametrize(
    "pack", [gzip.compress, lzma.compress, bz2.compress], ids=["gz", "xz", "bz2"]
)
def test_damaged_compressed_files(tmp_path, pack):
    path = tmp_path / "text"
    path.write_bytes(pack(TEXT.encode() * 1000)[:-9])
    with pytest.raises(ValueError, match="is damaged"):
        Vocabulary.from_file(path)
