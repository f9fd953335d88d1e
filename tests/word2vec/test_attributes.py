"""Values kept beside words, against gensim's, and through files."""

import numpy as np
import pytest

from keras_dlnotes.word2vec import WordVectors

WORDS = ["the", "naïve", "cat", "日本語"]


@pytest.fixture
def ours():
    return WordVectors(WORDS, np.arange(8, dtype="float32").reshape(4, 2))


@pytest.fixture
def peer(ours):
    gensim = pytest.importorskip("gensim.models")
    peer = gensim.KeyedVectors(2)
    peer.add_vectors(WORDS, ours.vectors)
    return peer


def note(vectors):
    vectors.set_vecattr("cat", "kind", "noun")
    vectors.set_vecattr("the", "year", 1999)
    vectors.set_vecattr("naïve", "share", 0.25)


def test_what_is_set_is_kept_as_in_gensim(ours, peer):
    for vectors in (ours, peer):
        note(vectors)
    for word, name in (("cat", "kind"), ("the", "year"), ("naïve", "share"), ("cat", "share")):
        assert ours.get_vecattr(word, name) == peer.get_vecattr(word, name)
    assert type(ours.get_vecattr("the", "year")) is int
    # Counts that nobody knows fall with the rank.
    assert [ours.get_vecattr(w, "count") for w in WORDS] == [4, 3, 2, 1]
    for vectors in (ours, peer):
        with pytest.raises(KeyError):
            vectors.get_vecattr("cat", "colour")
        with pytest.raises(KeyError, match="dog"):
            vectors.set_vecattr("dog", "kind", "noun")


def test_words_without_a_value(ours):
    note(ours)
    ours.set_vecattr("the", "notes", ["a", "list"])
    assert [ours.get_vecattr("日本語", name) for name in ("kind", "year", "share", "notes")] == [
        "", 0, 0.0, None,
    ]  # fmt: skip
    ours.add_vectors(["dog"], [[1.0, 2.0]], {"kind": ["noun"], "share": [0.5]})
    assert [ours.get_vecattr("dog", name) for name in ("kind", "year", "share", "notes")] == [
        "noun", 0, 0.5, None,
    ]  # fmt: skip
    assert ours.get_vecattr("cat", "kind") == "noun"


def test_a_name_may_hold_different_kinds(ours):
    for value in (3, 2.5, "two", None):
        ours.set_vecattr("the", "any", value)
        assert ours.get_vecattr("the", "any") == value
    ours.set_vecattr("cat", "count", 7)
    assert ours.counts.tolist() == [0, 0, 7, 0]
    with pytest.raises(ValueError, match="must be an integer of at least 0"):
        ours.set_vecattr("cat", "count", 2.5)


@pytest.mark.parametrize("copy", [True, False])
def test_chosen_words_take_theirs_along_if_asked(ours, peer, copy):
    chosen = []
    for vectors in (ours, peer):
        vectors.set_vecattr("cat", "share", 0.25)
        vectors.set_vecattr("cat", "count", 70)
        some = vectors.vectors_for_all(["日本語", "cat", "none"], copy_vecattrs=copy)
        chosen.append([some.get_vecattr(w, "count") for w in ("日本語", "cat")])
        if copy:
            assert some.get_vecattr("cat", "share") == 0.25
        else:
            with pytest.raises(KeyError):
                some.get_vecattr("cat", "share")
    assert chosen[0][1] == chosen[1][1] == (70 if copy else 1)
    assert ours.vectors_for_all(["cat"], copy_vecattrs=True).counts.tolist() == [70]


def test_ranks_become_counts_where_they_are_copied(ours):
    chosen = ours.vectors_for_all(["cat", "the"], copy_vecattrs=True)
    assert chosen.counts.tolist() == [2, 4]
    assert ours.counts is None


@pytest.mark.parametrize("mmap", [False, True])
def test_a_file_keeps_numbers_and_strings(ours, tmp_path, mmap):
    note(ours)
    ours.set_vecattr("cat", "known", True)
    ours.save(tmp_path / "v.npz")
    read = WordVectors.load(tmp_path / "v.npz", mmap=mmap)
    for word in WORDS:
        for name in ("kind", "year", "share", "known", "count"):
            assert read.get_vecattr(word, name) == ours.get_vecattr(word, name)
    read.set_vecattr("the", "kind", "an article, which is longer")
    assert read.get_vecattr("the", "kind") == "an article, which is longer"
    assert type(read.get_vecattr("cat", "kind")) is str


def test_what_no_file_can_keep_is_refused_and_the_old_one_stays(ours, tmp_path):
    path = tmp_path / "v.npz"
    ours.save(path)
    before = path.read_bytes()
    ours.set_vecattr("cat", "notes", ["a", "list"])
    with pytest.raises(ValueError, match="'notes' holds more than numbers and strings"):
        ours.save(path)
    assert path.read_bytes() == before


def test_attributes_of_another_length_are_no_vectors(ours, tmp_path):
    import zipfile

    path, changed = tmp_path / "v.npz", tmp_path / "changed.npz"
    note(ours)
    ours.save(path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "attribute year.npy":
                data = data.replace(b"(4,)", b"(3,)")[:-8]
            new.writestr(name, data)
    with pytest.raises(ValueError, match="4 words have years of int64"):
        WordVectors.load(changed)


def test_gensim_gets_them(ours):
    pytest.importorskip("gensim")
    note(ours)
    peer = ours.to_gensim()
    assert peer.get_vecattr("cat", "kind") == "noun"
    assert peer.get_vecattr("the", "year") == 1999


def test_a_size_alone_starts_without_words():
    vectors = WordVectors(2)
    vectors["a"] = np.ones(2)
    assert (vectors.words, vectors.vectors.dtype) == (["a"], np.float32)
    with pytest.raises(ValueError, match="vector_size"):
        WordVectors(0)
