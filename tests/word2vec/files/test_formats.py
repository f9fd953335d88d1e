"""Files of vectors: both ways with gensim, by fuzzing, and against files that lie."""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_dlnotes.word2vec.files import formats, store, writing
from keras_dlnotes.word2vec.vectors import WordVectors

WORDS = ["the", "König", "日本語", "a_b", "\u00a0x", "\x85y", "e\u0301", "🙂"]


def made(words=WORDS, size=5, counts=True, dtype="float32", seed=1):
    vectors = np.random.default_rng(seed).normal(size=(len(words), size)).astype(dtype)
    vectors[0, 0] = np.float32(1e-30)
    return WordVectors(words, vectors, np.arange(len(words))[::-1] if counts else None)


def equal(a, b, counts=True):
    assert list(a.index_to_key) == list(b.index_to_key)
    np.testing.assert_array_equal(a.vectors, b.vectors)
    if counts:
        np.testing.assert_array_equal(a.counts, b.counts)


@pytest.mark.parametrize("binary", [False, True])
def test_gensim_reads_ours_and_we_read_gensims(tmp_path, binary):
    KeyedVectors = pytest.importorskip("gensim.models").KeyedVectors
    path, counts = tmp_path / "v", tmp_path / "counts"
    made().save_word2vec_format(path, binary=binary)
    equal(KeyedVectors.load_word2vec_format(str(path), binary=binary), made(), counts=False)
    # gensim strips all of Unicode's blanks from a file of counts, so without those:
    words = [word for word in WORDS if word == word.strip()]
    ours = made(words)
    ours.save_word2vec_format(path, counts, binary=binary)
    peer = KeyedVectors.load_word2vec_format(str(path), str(counts), binary=binary)
    equal(peer, ours, counts=False)
    assert [peer.get_vecattr(w, "count") for w in words] == ours.counts.tolist()
    peer.save_word2vec_format(str(path), str(counts), binary=binary)
    equal(WordVectors.load_word2vec_format(path, counts, binary=binary), ours)
    equal(WordVectors.load(path), ours, counts=False)
    limited = WordVectors.load_word2vec_format(path, binary=binary, limit=3)
    assert limited.words == words[:3]
    half = WordVectors.load_word2vec_format(path, binary=binary, datatype=np.float16)
    assert half.vectors.dtype == np.float16


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # gensim leaves one open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_glove_both_ways_with_gensim(tmp_path):
    KeyedVectors = pytest.importorskip("gensim.models").KeyedVectors
    ours, path = made(), tmp_path / "v"
    ours.save_word2vec_format(path, write_header=False)
    equal(KeyedVectors.load_word2vec_format(str(path), no_header=True), ours, counts=False)
    equal(WordVectors.load_word2vec_format(path, no_header=True), ours, counts=False)
    equal(WordVectors.load(path), ours, counts=False)


def test_what_word2vec_and_fasttext_write(tmp_path):
    # word2vec.c ends binary vectors with a line end and lines of text with a blank, as fastText.
    numbers = np.array([[1, -2.5], [0.5, 3e-5]], "<f4")
    binary = b"2 2\n" + b"".join(
        word + b" " + row.tobytes() + b"\n"
        for word, row in zip([b"</s>", b"\xe3\x81"], numbers, strict=True)
    )
    text = b"2 2\n</s> 1.000000 -2.500000 \n\xe3\x81 0.500000 3e-05 \n"
    for content in (binary, text, text.replace(b"\n", b"\r\n")):
        (tmp_path / "v").write_bytes(content)
        for errors, word in {"replace": "\ufffd", "surrogateescape": "\udce3\udc81"}.items():
            vectors = WordVectors.load(tmp_path / "v", unicode_errors=errors)
            assert vectors.words == ["</s>", word]
            np.testing.assert_array_equal(vectors.vectors, numbers)
        with pytest.raises(UnicodeDecodeError, match="not UTF-8"):
            WordVectors.load(tmp_path / "v")
    odd = WordVectors.load(tmp_path / "v", unicode_errors="surrogateescape")
    odd.save_word2vec_format(tmp_path / "w", binary=True)
    assert (tmp_path / "w").read_bytes() == binary
    KeyedVectors = pytest.importorskip("gensim.models").KeyedVectors
    for binary in (True, False):
        odd.save_word2vec_format(tmp_path / "w", binary=binary)
        peer = KeyedVectors.load_word2vec_format(
            str(tmp_path / "w"), binary=binary, unicode_errors="replace"
        )
        assert peer.index_to_key == ["</s>", "\ufffd"]
        np.testing.assert_array_equal(peer.vectors, numbers)


def test_other_encodings(tmp_path):
    (tmp_path / "v").write_bytes("1 2\nKönig 1 2\n".encode("latin-1"))
    vectors = WordVectors.load_word2vec_format(tmp_path / "v", encoding="latin-1")
    assert vectors.words == ["König"]


def test_glove_words_with_blanks(tmp_path):
    (tmp_path / "v").write_text("a 1 2\n. . . 3 4\nb 5 6\n")
    vectors = WordVectors.load(tmp_path / "v")
    assert (vectors.words, vectors[". . ."].tolist()) == (["a", ". . .", "b"], [3, 4])


@pytest.mark.parametrize(
    "pack", [gzip.compress, lzma.compress, bz2.compress], ids=["gz", "xz", "bz2"]
)
@pytest.mark.parametrize("binary", [False, True])
def test_compressed(tmp_path, pack, binary):
    ours = made(counts=False)
    ours.save_word2vec_format(tmp_path / "v", binary=binary)
    data = (tmp_path / "v").read_bytes()
    (tmp_path / "v").write_bytes(pack(data))
    equal(WordVectors.load(tmp_path / "v"), ours, counts=False)
    (tmp_path / "v").write_bytes(pack(data)[:-6])
    with pytest.raises(ValueError, match=r"damaged|cut"):
        WordVectors.load(tmp_path / "v")
    (tmp_path / "v").write_bytes(pack(b"9999999999 9999999999\n" + data))
    with pytest.raises(ValueError, match="lies"):
        WordVectors.load(tmp_path / "v")


def test_many_rows_of_text_and_binary(tmp_path):
    # More than one block of lines, and binary rows on both sides of a block of bytes.
    ours = made([f"w{n}" for n in range(2 * formats.LINES + 1)], 150, counts=False)
    for binary in (False, True):
        ours.save_word2vec_format(tmp_path / "v", binary=binary)
        equal(WordVectors.load(tmp_path / "v"), ours, counts=False)


def test_float64_text_keeps_all_digits(tmp_path):
    ours = made(dtype="float64")
    ours.save_word2vec_format(tmp_path / "v")
    read = WordVectors.load_word2vec_format(tmp_path / "v", datatype=np.float64)
    np.testing.assert_array_equal(read.vectors, ours.vectors)


def test_most_frequent_first_and_prefix(tmp_path):
    ours = WordVectors(["a", "b", "c"], [[1.0], [2.0], [3.0]], [1, 9, 1])
    ours.save_word2vec_format(tmp_path / "v", tmp_path / "n", prefix="*")
    assert (tmp_path / "v").read_text() == "3 1\n*b 2\n*a 1\n*c 3\n"
    assert (tmp_path / "n").read_text() == "*b 9\n*a 1\n*c 1\n"


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters=" \n\t\r\v\f"), min_size=1),
        min_size=1,
        unique=True,
    ),
    size=st.integers(1, 4),
    data=st.data(),
)
def test_any_words_and_numbers_survive(tmp_path_factory, words, size, data):
    floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
    row = st.lists(floats, min_size=size, max_size=size)
    rows = data.draw(st.lists(row, min_size=len(words), max_size=len(words)))
    ours = WordVectors(words, np.array(rows, "float32"))
    path = tmp_path_factory.mktemp("v") / "v"
    for binary in (False, True):
        ours.save_word2vec_format(path, binary=binary)
        equal(WordVectors.load_word2vec_format(path, binary=binary), ours, counts=False)
    ours.save(path)
    equal(WordVectors.load(path), ours, counts=False)


# ------------------------------------------------------------------------------------ our own


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_npz(tmp_path, mmap, dtype):
    ours = made(["", "new york", "a\nb", "odd\udcff", *WORDS], dtype=dtype)
    ours.save(tmp_path / "v")
    read = WordVectors.load(tmp_path / "v", mmap=mmap)
    equal(read, ours)
    assert read.vectors.dtype == dtype
    assert isinstance(read.vectors, np.memmap) == mmap
    assert read.vectors.ctypes.data % 16 == 0
    assert read.most_similar("the", topn=2) == ours.most_similar("the", topn=2)
    with np.load(tmp_path / "v", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["vectors"], ours.vectors)
    made(counts=False).save(tmp_path / "v")  # While it is mapped: the old file lives on.
    equal(read, ours)
    assert WordVectors.load(tmp_path / "v", mmap=mmap).counts is None
    read.add_vectors(["more"], read[["the"]])
    assert len(read) == len(ours) + 1


def test_mapping_is_for_our_own_files(tmp_path):
    made().save_word2vec_format(tmp_path / "v")
    with pytest.raises(ValueError, match="can be mapped"):
        WordVectors.load(tmp_path / "v", mmap=True)


def archive(**arrays):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, array in arrays.items():
            part = io.BytesIO()
            if isinstance(array, bytes):
                part.write(array)
            else:
                np.lib.format.write_array(part, array)
            file.writestr(f"{name}.npy", part.getvalue())
    return buffer.getvalue()


LETTERS = np.frombuffer(b"ab", np.uint8)
ENDS, ONES = np.array([1, 2]), np.ones((2, 3), "f4")
HUGE = io.BytesIO()
np.lib.format.write_array_header_1_0(
    HUGE, {"shape": (2, 10**12), "fortran_order": False, "descr": "<f4"}
)


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize(
    "content",
    [
        archive(words=LETTERS, ends=ENDS),
        archive(words=LETTERS, ends=ENDS, vectors=ONES[:1]),
        archive(words=LETTERS, ends=ENDS, vectors=ONES[0]),
        archive(words=LETTERS, ends=ENDS[::-1].copy(), vectors=ONES),
        archive(words=LETTERS, ends=np.array([1, 9]), vectors=ONES),
        archive(words=LETTERS, ends=ENDS, vectors=ONES, counts=np.ones(3)),
        archive(words=LETTERS, ends=ENDS, vectors=ONES * np.nan),
        archive(words=LETTERS, ends=ENDS, vectors=ONES.astype(int)),
        archive(words=LETTERS, ends=ENDS, vectors=np.asfortranarray(ONES)),
        archive(words=LETTERS, ends=ENDS, vectors=np.full((2, 3), None)),
        archive(words=LETTERS, ends=ENDS, vectors=HUGE.getvalue() + bytes(24)),
        archive(words=LETTERS, ends=ENDS, vectors=b"nonsense"),
        archive(words=LETTERS, ends=ENDS, vectors=ONES)[:-40],
        b"PK\3\4",
    ],
    ids=range(14),
)
def test_bad_npz(tmp_path, content, mmap):
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(ValueError, match=r"v' holds"):
        WordVectors.load(tmp_path / "v", mmap=mmap)


# --------------------------------------------------------------------------------- bad files

ROW = np.ones(3, "<f4").tobytes()


@pytest.mark.parametrize(
    ("content", "binary", "message"),
    [
        (b"", False, "no header"),
        (b"x y\na 1 2 3\n", False, "no header"),
        (b"2\na 1\n", False, "no header"),
        (b"-2 3\n", False, "no header"),
        (b"2 0\na\nb\n", False, "promises vectors of 0"),
        (b"999999999999 3\na 1 2 3\n", False, "too short"),
        (b"2 999999999999\na 1 2 3\n", False, "too short"),
        (b"999999999999 3\na " + ROW, True, "too short"),
        (b"1 999999999999\na " + ROW, True, "too short"),
        (b"99999999999999999999 3\na " + ROW, True, "no header"),
        (b"3 2\naaaaaaaa 1 2\nbbbbbbbbbb 1 2\n", False, "after 2 of 3 vectors"),
        (b"2 3\na 1 2 3\nb 1 2\n", False, "vector 2, of b'b', has 2 instead of 3"),
        (b"2 3\na 1 2 3\nb 1 2 3 4\n", False, "vector 2, of b'b', has 4 instead of 3"),
        (b"2 3\na 1 2 3\nb 1 x 3\n", False, "not only numbers"),
        (b"1 3\na 1 2 3\nb 1 2 3\n", False, "goes on after its 1 vectors"),
        (b"2 3\na 1 2 3\nb 1 nan 3\n", False, "NaN or infinity in the vector of 'b'"),
        (b"2 3\na 1 2 3\nb 1 1e999 3\n", False, "NaN or infinity in the vector of 'b'"),
        (b"2 3\na 1 2 3\nb 1 1e99 3\n", False, "NaN or infinity in the vector of 'b'"),
        (b"2 3\nthe " + ROW + b"b " + ROW[:-1], True, "in vector 2 of 2"),
        (b"2 3\nthe " + ROW + b"b" * 14, True, "in vector 2 of 2"),
        (b"1 3\nthe " + ROW + b"\nb " + ROW, True, "goes on after its 1"),
        (b"2 2\nthe " + ROW + b"\nb " + ROW, True, r"goes on|makes no sense"),
        (b"1 3\nthe " + np.full(3, np.nan, "<f4").tobytes(), True, "NaN .* vector of 'the'"),
        (b"1 3\n" + b"x" * 70_000 + b" " + ROW, True, "makes no sense"),
    ],
)
def test_bad_files(tmp_path, content, binary, message):
    path = tmp_path / "v"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        WordVectors.load_word2vec_format(path, binary=binary)


def test_files_cut_anywhere_are_refused(tmp_path):
    ours = made(["one", "two", "three"], 3, counts=False)
    for binary in (False, True):
        ours.save_word2vec_format(tmp_path / "v", binary=binary)
        data = (tmp_path / "v").read_bytes()
        # Without its very last digits a number is still a number, and a line end may be missing.
        whole = len(data) - (1 if binary else len(data.split()[-1]))
        for length in range(whole):
            (tmp_path / "v").write_bytes(data[:length])
            with pytest.raises((ValueError, EOFError)):
                WordVectors.load_word2vec_format(tmp_path / "v", binary=binary)
    with pytest.raises(EOFError):  # what gensim raises
        WordVectors.load_word2vec_format(tmp_path / "v", binary=True)


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=80), head=st.sampled_from([b"", b"2 3\n", b"1 1\n", b"PK\3\4"]))
def test_nonsense_gives_vectors_or_a_value_error(tmp_path_factory, content, head):
    path = tmp_path_factory.mktemp("v") / "v"
    path.write_bytes(head + content)
    for read in (
        WordVectors.load,
        lambda path: WordVectors.load_word2vec_format(path, binary=True),
        lambda path: WordVectors.load_word2vec_format(path, binary=False),
        lambda path: WordVectors.load_word2vec_format(path, no_header=True),
    ):
        with contextlib.suppress(ValueError, EOFError):
            assert np.isfinite(read(path).vectors).all()


def test_words_that_are_there_again(tmp_path):
    (tmp_path / "v").write_text("3 1\na 1\nb 2\na 3\n")
    with pytest.warns(UserWarning, match="1 words .* are there again; the first counts"):
        vectors = WordVectors.load(tmp_path / "v")
    assert (vectors.words, vectors.vectors.tolist()) == (["a", "b"], [[1], [2]])


def test_bad_counts(tmp_path):
    made().save_word2vec_format(tmp_path / "v")
    (tmp_path / "n").write_text("the x\n")
    with pytest.raises(ValueError, match="line 1 is no word and count"):
        WordVectors.load_word2vec_format(tmp_path / "v", tmp_path / "n")
    (tmp_path / "n").write_text("the 7\nother 8\n")
    vectors = WordVectors.load_word2vec_format(tmp_path / "v", tmp_path / "n")
    assert vectors.counts.tolist() == [7] + [0] * (len(WORDS) - 1)


# ------------------------------------------------------------------------- nothing half-written


@pytest.mark.parametrize("word", ["new york", "a\tb", "a\nb", ""])
def test_words_that_do_not_fit_the_format_leave_the_old_file(tmp_path, word):
    made().save_word2vec_format(tmp_path / "v")
    before = (tmp_path / "v").read_bytes()
    with pytest.raises(ValueError, match="cannot stand in this format"):
        made([word]).save_word2vec_format(tmp_path / "v")
    with pytest.raises(ValueError, match="no counts to write"):
        made(counts=False).save_word2vec_format(tmp_path / "v", tmp_path / "n")
    assert (tmp_path / "v").read_bytes() == before
    assert os.listdir(tmp_path) == ["v"]


@pytest.mark.parametrize("save", ["save", "save_word2vec_format"])
def test_an_interrupted_save_leaves_the_old_file(tmp_path, monkeypatch, save):
    path = tmp_path / "v"
    old = made(seed=1)
    getattr(old, save)(path)

    def interrupted(number):
        raise KeyboardInterrupt

    monkeypatch.setattr(writing.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        getattr(made(seed=2), save)(path)
    equal(WordVectors.load(path), old, counts=False)
    assert os.listdir(tmp_path) == ["v"]


def test_finite_looks_everywhere():
    vectors = np.ones((40_000, 1), "f4")
    vectors[39_999] = np.inf
    with pytest.raises(ValueError, match="vector of 39999"):
        store.finite("v", range(40_000), vectors)
