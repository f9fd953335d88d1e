"""Files that are broken or mean harm: a clear error or a clean result, and nothing else.

`python -m pytest -m long tests/word2vec/test_fuzz.py` tries 10 000 of each kind, and
goes on for a minute each.
"""

import pathlib
import tempfile
import warnings

import numpy as np
import pytest
from fuzzing import LONG, WATCH, damaged, try_out

from keras_dlnotes.word2vec import Corpus, Vocabulary, WordVectors

FOLDER = tempfile.TemporaryDirectory()
FILE = pathlib.Path(FOLDER.name, "file")
WORDS = ["the", "König", "日本語", "a_b", "x"]


def written(write):
    write(FILE)
    return FILE.read_bytes()


def vectors(dtype="float32", counts=True, size=3):
    table = np.random.default_rng(0).normal(size=(len(WORDS), size)).astype(dtype)
    return WordVectors(WORDS, table, [9, 7, 5, 3, 1] if counts else None)


def noted():
    kept = vectors()
    for attribute, value in (("kind", "noun"), ("year", 1999), ("known", True)):
        kept.set_vecattr(WORDS[0], attribute, value)
    return kept


def pickled():
    with FILE.open("wb") as file:
        np.savez(file, vectors=np.array([{}], object))
    return FILE.read_bytes()


def seeds():
    vocabulary = Vocabulary([*WORDS[:1], *WORDS[1:]], [9, 7, 5, 3, 1], ("the",), "the")
    text = Corpus.from_texts(["a b c a", "b a", "c c b a d"], min_count=1)
    return {
        "text": [
            written(lambda path: vectors().save_word2vec_format(path)),
            b"2 2\n</s> 1.000000 -2.500000 \nb 0.5 3e-05 \n",
        ],
        "binary": [
            written(lambda path: vectors().save_word2vec_format(path, binary=True)),
            written(lambda path: vectors(size=1).save_word2vec_format(path, binary=True)),
        ],
        "glove": [
            written(lambda path: vectors().save_word2vec_format(path, write_header=False)),
            b"a 1 2\n. . . 3 4\nb 5 6\n",
        ],
        "npz": [
            written(lambda path: vectors().save(path)),
            written(lambda path: vectors("float64", counts=False).save(path)),
            pickled(),
            written(lambda path: noted().save(path)),
        ],
        "vocabulary": [
            written(vocabulary.save),
            written(Vocabulary(WORDS, [9, 7, 5, 3, 1]).save),
        ],
        "corpus": [written(text.save)],
    }


SEEDS = seeds()
READERS = {
    "text": lambda path: WordVectors.load_word2vec_format(path, unicode_errors="replace"),
    "binary": lambda path: WordVectors.load_word2vec_format(path, binary=True),
    "glove": WordVectors.load,
    "npz": WordVectors.load,
    "vocabulary": Vocabulary.load,
    "corpus": Corpus.load,
}


def check(result):
    """What has been read is whole: a row a word, all numbers finite."""
    if isinstance(result, WordVectors):
        assert len(result.words) == len(set(result.words)) == len(result.vectors)
        assert np.isfinite(result.vectors).all()
    elif isinstance(result, Vocabulary):
        assert len(result.words) == len(set(result.words)) == len(result.counts)
        assert (result.counts >= 0).all()
    else:
        assert result.tokens.max() < len(result.vocabulary)
        assert len(list(result.sentences())) == len(result)


def attempt(kind, data):
    FILE.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of words that are there twice
        try:
            with WATCH.over(FILE):
                result = READERS[kind](FILE)
        except ValueError:
            return
    check(result)


@pytest.mark.parametrize("kind", READERS)
def test_whole_files_are_read(kind):
    for data in SEEDS[kind][:2]:
        FILE.write_bytes(data)
        check(READERS[kind](FILE))


@pytest.mark.parametrize("kind", READERS)
def test_damaged_files(kind):
    try_out(lambda data: attempt(kind, data), damaged(SEEDS[kind]), count=120)


@pytest.mark.long
@pytest.mark.parametrize("kind", READERS)
def test_ten_thousand_damaged_files(kind):
    try_out(lambda data: attempt(kind, data), damaged(SEEDS[kind]), **LONG)


@pytest.mark.parametrize("kind", ["text", "binary"])
def test_a_header_that_claims_a_million_million_rows(kind):
    for rows in (10**12, 10**15 - 1, 10**18, 10**30):
        for rest in (b"", SEEDS[kind][0].split(b"\n", 1)[1]):
            FILE.write_bytes(b"%d 300\n" % rows + rest)
            with pytest.raises(ValueError, match=r"header|short"), WATCH.over(FILE):
                READERS[kind](FILE)


def test_an_array_that_claims_a_million_million_rows():
    data = SEEDS["npz"][0]
    for old, new in ((b"(5, 3), }", b"(10**9,)}"), (b"(5, 3), }", b"(9999999,)}"[:9])):
        FILE.write_bytes(data.replace(old, new))
        with pytest.raises(ValueError, match="damaged"), WATCH.over(FILE):
            WordVectors.load(FILE)


def test_pickles_are_not_opened():
    for data in (SEEDS["npz"][2], b"\x80\x04cposix\nsystem\n(S'true'\ntR."):
        FILE.write_bytes(data)
        with pytest.raises(ValueError), WATCH.over(FILE):  # noqa: PT011
            WordVectors.load(FILE)
