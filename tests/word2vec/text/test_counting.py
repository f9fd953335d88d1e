"""Words to numbers: always what ``str.split`` and a dictionary give, only faster."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_dlnotes.word2vec.text import counting, reading

#: Short alphabets make words collide, share prefixes of 8, 16 and 24 bytes, and repeat.
WORDS = st.one_of(
    st.text("ab", min_size=1, max_size=30),
    st.sampled_from(["a" * n for n in (7, 8, 9, 15, 16, 17, 23, 24, 25, 26, 60)]),
    # The last of these begin like blanks, and are none.
    st.sampled_from(
        ["é", "日本語", "\0", "a\0", "a\0\0", "\x01", "\xa1x", "…", "\u200b", "〃", "か"]
    ),
)
GAPS = [" ", "\n", "\t ", "\r\n", "\n\n", "\v", "\f", *filter(str.isspace, map(chr, range(0x3001)))]
TEXTS = st.lists(st.tuples(WORDS, st.sampled_from(GAPS)))


def by_dictionary(text):
    """The same by the plain way: numbers, and words before each line's end."""
    numbers, ids, ends = {}, [], []
    for line in text.split(b"\n"):
        ids += [numbers.setdefault(word, len(numbers)) for word in line.decode().split()]
        ends.append(len(ids))
    return list(numbers), ids, ends[:-1]


def encoded(path, size):
    table, ids, ends = counting.ByteWords(), [], []
    for block in reading.blocks(path, size=size):
        numbers, bounds = table.encode(block)
        ends += (len(ids) + bounds).tolist()
        ids += numbers.tolist()
    return table.words(), ids, ends


@settings(max_examples=150, deadline=None)
@given(pieces=TEXTS, size=st.sampled_from([1, 7, 64, 1 << 20]))
def test_numbers_are_those_of_a_dictionary(tmp_path_factory, pieces, size):
    path = tmp_path_factory.mktemp("text") / "text"
    text = "".join(word + gap for word, gap in pieces).encode()
    path.write_bytes(text)
    assert encoded(path, size) == by_dictionary(text)


def test_words_that_share_a_slot_and_eight_letters(tmp_path, monkeypatch):
    monkeypatch.setattr(counting, "SLOTS", 2)
    monkeypatch.setattr(counting, "MOST_SLOTS", 2)
    # Long words take both slots before the short one comes.
    words = [*("a" * 8 + letter for letter in "bcdefghijklmnopq"), "a" * 8]
    text = " ".join(f"{first} {second}" for first in words for second in words).encode()
    (tmp_path / "text").write_bytes(text)
    for size in (40, 1 << 20):
        assert encoded(tmp_path / "text", size) == by_dictionary(text)


def test_a_table_that_grows_stays_exact(tmp_path):
    # 150 000 different words make the table of slots grow twice; most slots are contested.
    generator = np.random.default_rng(1)
    words = [f"{'long' * (n % 8)}{n}" for n in range(150_000)]
    text = " ".join(words[i] for i in generator.integers(0, len(words), 400_000)).encode()
    path = tmp_path / "text"
    path.write_bytes(text)
    assert encoded(path, 1 << 18) == by_dictionary(text)


def test_tokens_of_an_iterable_come_in_blocks(monkeypatch):
    monkeypatch.setattr(counting, "TOKENS", 3)
    table = counting.TokenWords()
    blocks = list(table.blocks([["a", "b"], [], "b c a", ["d d"]]))
    assert [(ids.tolist(), ends.tolist()) for ids, ends in blocks] == [
        ([0, 1, 1, 2, 0], [2, 2, 5]),
        ([3], [1]),
    ]
    assert table.words() == ["a", "b", "c", "d d"]


def test_sentences_may_be_arrays_of_strings():
    table = counting.TokenWords()
    ((ids, ends),) = table.blocks(np.array([["a", "b"], ["c", "a"]]))
    assert (ids.tolist(), ends.tolist()) == ([0, 1, 2, 0], [2, 4])


@pytest.mark.parametrize(
    "sentences", ["one string", [["a", 1]], [["a", None]], None, 3, [3], [b"a b"]]
)
def test_what_is_no_sentence_is_refused(sentences):
    with pytest.raises(ValueError, match="Sentences must be"):
        list(counting.TokenWords().blocks(sentences))


def test_total_adds_up_blocks():
    generator = np.random.default_rng(2)
    blocks = [generator.integers(0, n, 50) for n in (3, 200, 1000, 7)]
    np.testing.assert_array_equal(counting.total(blocks), np.bincount(np.concatenate(blocks)))
