"""Corpora: encoding, the file on disk, reuse, memory, and what is refused."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_dlnotes.word2vec.corpus import Corpus
from keras_dlnotes.word2vec.text import corpus_file, reading
from keras_dlnotes.word2vec.vocabulary import Vocabulary

ROOT = pathlib.Path(__file__).parents[2]
TEXT = "the cat saw the dog\n\nrare\nthe dog sleeps rare2\n"


def encoded(sentences, vocabulary):
    """What a corpus of these sentences must be, by the plain way."""
    sentences = [vocabulary.encode(sentence.split()).tolist() for sentence in sentences]
    sentences = [sentence for sentence in sentences if sentence]
    starts = np.cumsum([0] + [len(sentence) for sentence in sentences[:-1]]).tolist()
    return [token for sentence in sentences for token in sentence], starts


@settings(max_examples=60, deadline=None)
@given(
    lines=st.lists(st.text("ab ", max_size=12), min_size=1),
    size=st.sampled_from([3, 16, 1 << 20]),
    min_count=st.integers(1, 3),
)
def test_lines_are_sentences(tmp_path_factory, lines, size, min_count):
    path = tmp_path_factory.mktemp("text") / "text"
    path.write_text("\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading.blocks, "__defaults__", ("strict", size, None))
        if not any(" ".join(lines).split().count(w) >= min_count for w in " ".join(lines).split()):
            with pytest.raises(ValueError, match=r"empty|No word is left"):
                Corpus.from_file(path, min_count=min_count, cache=False, verbose=0)
            return
        corpus = Corpus.from_file(path, min_count=min_count, cache=False, verbose=0)
    tokens, starts = encoded(lines, corpus.vocabulary)
    assert corpus.tokens.tolist() == tokens
    assert corpus.sentence_starts.tolist() == starts
    texts = Corpus.from_texts(lines, min_count=min_count)
    assert texts.vocabulary == corpus.vocabulary
    np.testing.assert_array_equal(texts.tokens, corpus.tokens)
    np.testing.assert_array_equal(texts.sentence_starts, corpus.sentence_starts)


def test_text_form():
    corpus = Corpus.from_texts(TEXT.splitlines(), min_count=2)
    assert corpus.total_words == 5
    assert len(corpus) == 2
    assert list(corpus.sentences()) == [["the", "the", "dog"], ["the", "dog"]]
    assert isinstance(corpus.tokens, np.memmap)
    assert (corpus.tokens.dtype, corpus.sentence_starts.dtype) == (np.int32, np.int64)


def test_there_is_no_longest_sentence(tmp_path):
    (tmp_path / "text").write_text("a b c " * 20_000)
    corpus = Corpus.from_file(tmp_path / "text", verbose=0)
    assert (corpus.total_words, corpus.sentence_starts.tolist()) == (60_000, [0])


def test_a_file_ends_its_sentence(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text("x y")
    corpus = Corpus.from_file(tmp_path, min_count=1, cache=False, verbose=0)
    assert corpus.sentence_starts.tolist() == [0, 2]


def test_given_vocabulary_and_unknown_words(tmp_path):
    (tmp_path / "text").write_text(TEXT)
    vocabulary = Vocabulary(["<unk>", "dog"], [1, 9], ["<unk>"], "<unk>")
    corpus = Corpus.from_file(tmp_path / "text", vocabulary=vocabulary, verbose=0)
    assert corpus.vocabulary == vocabulary
    assert corpus.tokens.tolist() == [0, 0, 0, 0, 1, 0, 0, 1, 0, 0]
    assert corpus.sentence_starts.tolist() == [0, 5, 6]
    counted = Corpus.from_file(tmp_path / "text", 2, unknown="<unk>", verbose=0)
    assert counted.vocabulary.words == ["<unk>", "the", "dog"]
    assert counted.tokens.tolist() == [1, 0, 0, 1, 2, 0, 1, 2, 0, 0]


def test_parts_and_split():
    corpus = Corpus.from_texts([["a"] * n for n in (4, 3, 2, 1)], min_count=1, sample=0)
    train, validation = corpus.split(0.3)
    assert [list(map(len, part.sentences())) for part in (train, validation)] == [[4, 3], [2, 1]]
    assert (train.sample, train.vocabulary) == (0, corpus.vocabulary)
    assert [len(part) for part in corpus.split(1e-9)] == [3, 1]
    assert [len(part) for part in corpus.split(1 - 1e-9)] == [1, 3]
    with pytest.raises(ValueError, match="cannot be split"):
        corpus.part(0, 1).split()
    with pytest.raises(ValueError, match="no part 2:2"):
        corpus.part(2, 2)


# ----------------------------------------------------------------------------------- the file


def listing(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_reused_while_text_and_arguments_are_the_same(tmp_path, monkeypatch):
    path = tmp_path / "text"
    path.write_text(TEXT)

    def make(**how):
        return Corpus.from_file(path, min_count=how.pop("min_count", 1), verbose=0, **how)

    first = make()
    before = listing(tmp_path)
    assert len(before) == 2
    with monkeypatch.context() as patch:
        patch.setattr(corpus_file, "write", None)  # Reading is all that is allowed.
        again = make(sample=0)
    np.testing.assert_array_equal(again.tokens, first.tokens)
    assert again.vocabulary == first.vocabulary
    assert listing(tmp_path) == before
    make(min_count=2)
    make(unknown="<unk>")
    make(drop=["the"])
    assert len(listing(tmp_path)) == 5
    make(keep=lambda word, count: True)  # Functions cannot be compared: nothing is kept.
    assert len(listing(tmp_path)) == 5

    path.write_text(TEXT.replace("dog", "cow"))  # As long as before.
    os.utime(path, ns=(before["text"] + 1, before["text"] + 1))
    assert "cow" in make().vocabulary
    assert len(listing(tmp_path)) == 5


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: b"",
        lambda data: data[:48] + bytes([data[48] ^ 1]) + data[49:],  # another word
        lambda data: data[:50] + b"\1" + data[51:],  # a word that is none
        lambda data: data.replace(b"dog", b"fog"),
    ],
)
def test_a_damaged_file_is_written_anew(tmp_path, damage):
    path = tmp_path / "text"
    path.write_text(TEXT)
    first = Corpus.from_file(path, 1, verbose=0)
    tokens = np.array(first.tokens)
    (file,) = tmp_path.glob("*.corpus")
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=r"damaged|not a corpus file"):
        Corpus.load(file)
    assert np.array_equal(Corpus.from_file(path, 1, verbose=0).tokens, tokens)


def test_a_change_in_the_middle_of_a_long_text_is_seen(tmp_path):
    path = tmp_path / "text"
    for word in ("cat", "dog"):  # The file's ends and length stay the same, its time does not.
        path.write_text("a b " * 30_000 + word + " a b" * 30_000)
        corpus = Corpus.from_file(path, 1, verbose=0)
        assert word in corpus.vocabulary


def test_another_place_for_the_file(tmp_path, monkeypatch):
    text = tmp_path / "data" / "text"
    text.parent.mkdir()
    text.write_text(TEXT)
    Corpus.from_file(text, 1, cache=tmp_path / "deep" / "cache", verbose=0)
    assert len(list((tmp_path / "deep" / "cache").iterdir())) == 1
    Corpus.from_file(text, 1, cache=False, verbose=0)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(os, "access", lambda path, mode: "data" not in str(path))
    Corpus.from_file(text, 1, verbose=0)
    assert len(list((tmp_path / "home" / "keras_dlnotes").iterdir())) == 1
    assert [path.name for path in text.parent.iterdir()] == ["text"]


def test_save_and_load(tmp_path):
    corpus = Corpus.from_texts(TEXT.splitlines(), min_count=1)
    for part in (corpus, corpus.part(1, 3)):
        part.save(tmp_path / "c")
        loaded = Corpus.load(tmp_path / "c", sample=None)
        assert loaded.vocabulary == corpus.vocabulary
        assert list(loaded.sentences()) == list(part.sentences())


def test_nothing_is_left_behind_by_a_failure(tmp_path):
    path = tmp_path / "text"
    path.write_text("a b\n")
    with pytest.raises(ValueError, match="No word is left"):
        Corpus.from_file(path, verbose=0)
    path.write_bytes(b"a \xff")
    with pytest.raises(ValueError, match="not UTF-8"):
        Corpus.from_file(path, verbose=0)
    path.write_text("")
    with pytest.raises(ValueError, match="empty"):
        Corpus.from_file(path, verbose=0)
    path.write_text("b")
    with pytest.raises(ValueError, match="none of its words"):
        Corpus.from_file(path, vocabulary=Vocabulary(["a"], [1]), verbose=0)
    for bad in ({"min_count": 0}, {"sample": -1}, {"formula": "x"}, {"errors": "x"}):
        with pytest.raises(ValueError, match="Argument `"):
            Corpus.from_file(path, verbose=0, **bad)
    with pytest.raises(TypeError, match="colour"):
        Corpus.from_file(path, verbose=0, colour=1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["text"]


def test_progress_bar(tmp_path, capsys):
    (tmp_path / "text").write_text(TEXT)
    Corpus.from_file(tmp_path / "text", 1, verbose=1)
    assert f"{len(TEXT)}/{len(TEXT)}" in capsys.readouterr().out


LIMITED = """
import resource, sys
from keras_dlnotes.word2vec.corpus import Corpus
with open("/proc/self/statm") as file:
    now = int(file.read().split()[0]) * resource.getpagesize()
limit = now + (80 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    data = bytearray(90 << 20)
except MemoryError:
    corpus = Corpus.from_file(sys.argv[1], cache=False, verbose=0)
    print(corpus.total_words, len(corpus))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_a_text_larger_than_memory(tmp_path):
    # 96 MB of text in an address space with room for 80 MB more than the imports take: its words'
    # numbers take 51 in the end, the blocks of text while it is read some 16.
    line = " ".join(f"word{n}" for n in range(1000)) + "\n"
    lines = (96 << 20) // len(line)
    with open(tmp_path / "text", "w") as file:
        for _ in range(lines):
            file.write(line)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path / "text"],
        capture_output=True, text=True, cwd=ROOT, timeout=300,
    )  # fmt: skip
    assert done.stdout.split() == [str(1000 * lines), str(lines)], done.stderr


def test_a_list_is_no_vocabulary(tmp_path):
    path = tmp_path / "text"
    path.write_text("a b")
    with pytest.raises(ValueError, match="`vocabulary` must be a Vocabulary"):
        Corpus.from_file(path, vocabulary=["a"], verbose=0)
    with pytest.raises(ValueError, match="`vocabulary` must be a Vocabulary"):
        Corpus.from_texts([["a"]], vocabulary=["a"])
