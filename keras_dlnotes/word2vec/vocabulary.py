"""The words of a text, their counts, and which row of a table each has."""

import collections.abc
import operator

import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.word2vec.asking import spelling
from keras_dlnotes.word2vec.files import writing
from keras_dlnotes.word2vec.text import reading
from keras_dlnotes.word2vec.text.counting import ByteWords, TokenWords, total
from keras_dlnotes.word2vec.text.selection import named, selected


@serializable
class Vocabulary:
    """Words by falling frequency, with their counts.

    Unlike the vocabulary of `keras.layers.StringLookup` it knows how often each word occurs, which
    subsampling, noise distributions and Huffman trees need. Words of equal count stand in the order
    of gensim, the later one in the text first, so that rows compare. Special words come before all
    others, in the order given. It never changes: `extend` makes a new one.

    Build one with `from_file`, `from_texts` or `from_counts`, which share these arguments:

    Args:
        words: List of different words, special ones first.
        counts: How often each occurs.
        specials: Words which stand first whatever their count, such as `"<pad>"`.
        unknown: The special word for all words that are not in the vocabulary, or `None` to leave
            those out. It counts what was left out.
        min_count: Integer. Words that occur less often are left out. Defaults to 5.
        max_size: Integer or `None`. At most so many words, special ones included.
        keep: Words to keep whatever their count, or a function of `(word, count)`.
        drop: Words to leave out whatever their count, or a function of `(word, count)`.

    Example:
        >>> vocabulary = Vocabulary.from_texts(["the cat saw the dog", "the dog"], min_count=1)
        >>> vocabulary.words
        ['the', 'dog', 'saw', 'cat']
        >>> vocabulary.counts
        array([3, 2, 1, 1])
        >>> vocabulary.encode("the dog saw a bird".split())
        array([0, 1, 2], dtype=int32)
        >>> vocabulary.decode([0, 1])
        ['the', 'dog']
    """

    def __init__(self, words, counts, specials=(), unknown=None):
        self.words = list(words)
        try:
            self.counts = np.array(counts, np.int64)
        except OverflowError as error:
            raise ValueError(f"A count lies beyond 64 bits: {error}") from error
        self.specials, self.unknown = named(specials, unknown)
        if self.counts.shape != (len(self.words),) or (self.counts < 0).any():
            raise ValueError(
                f"A vocabulary needs one count of at least 0 a word. Received: {len(self.words)} "
                f"words and counts of shape {self.counts.shape}"
            )
        if tuple(self.words[: len(self.specials)]) != self.specials:
            raise ValueError(f"The special words {self.specials} must come first")
        self.indices = {word: index for index, word in enumerate(self.words)}
        if len(self.indices) < len(self.words):
            twice = next(w for i, w in enumerate(self.words) if self.indices[w] != i)
            raise ValueError(f"The word {twice!r} is there twice")
        self.counts.setflags(write=False)

    # ------------------------------------------------------------------------------- building

    @classmethod
    def from_counts(cls, counts, **rules):
        """From a mapping of words to counts, or pairs of them."""
        try:
            words, numbers = zip(*dict(counts).items(), strict=True) if counts else ((), ())
            numbers = [operator.index(number) for number in numbers]
        except (TypeError, ValueError):
            _checks.fail("counts", "be whole numbers by word, or pairs of both", counts)
        if not all(isinstance(word, str) for word in words):
            _checks.fail("counts", "have strings as words", counts)
        if any(not 0 <= number < 2**63 for number in numbers):
            _checks.fail("counts", "be from 0 to 2 ** 63 - 1", counts)
        return select(words, np.array(numbers, np.int64), **rules)[0]

    @classmethod
    def from_file(cls, source, errors="strict", **rules):
        """From text: a path, a directory, or several; plain, gzip, xz or bzip2; split at blanks.

        `errors` says what to do with invalid UTF-8: `"strict"`, `"replace"`, `"ignore"` or
        `"surrogateescape"`, which keeps the bytes.
        """
        reading.error_handler(errors)
        table = ByteWords()
        streams = (reading.blocks(path, errors) for path in reading.text_files(source))
        counts = total(table.encode(block)[0] for stream in streams for block in stream)
        return select(table.words(errors), counts, **rules)[0]

    @classmethod
    def from_texts(cls, texts, **rules):
        """From an iterable of sentences: lists of tokens, or strings to be split at blanks."""
        table = TokenWords()
        counts = total(ids for ids, _ in table.blocks(texts))
        return select(table.words(), counts, **rules)[0]

    def extend(self, source, min_count=5, errors="strict"):
        """A vocabulary with the words of new text after the old ones, which keep their indices.

        `source` is a path, a mapping of words to counts, or an iterable of sentences. Counts add
        up. A new word has to occur `min_count` times in the new text.
        """
        rules = {"min_count": 1}
        if isinstance(source, collections.abc.Mapping):
            new = Vocabulary.from_counts(source, **rules)
        elif isinstance(source, (str, bytes)) or hasattr(source, "__fspath__"):
            new = Vocabulary.from_file(source, errors, **rules)
        else:
            new = Vocabulary.from_texts(source, **rules)
        return self._joined(new, _checks.integer("min_count", min_count, 1))

    def _joined(self, new, min_count):
        counts, words, added = self.counts.copy(), [], []
        for word, count in zip(new.words, new.counts.tolist(), strict=True):
            if word in self.indices:
                counts[self.indices[word]] += count
            elif count >= min_count:
                words.append(word)
                added.append(count)
            elif self.unknown is not None:
                counts[self.indices[self.unknown]] += count
        return Vocabulary(self.words + words, [*counts, *added], self.specials, self.unknown)

    # ---------------------------------------------------------------------------------- using

    def __len__(self):
        return len(self.words)

    def __contains__(self, word):
        return word in self.indices

    def __eq__(self, other):
        return isinstance(other, Vocabulary) and self.get_config() == other.get_config()

    __hash__ = None

    def __repr__(self):
        return f"<Vocabulary of {len(self)} words, {self.counts.sum()} in all>"

    def index(self, word):
        """The row of a word; a `KeyError` names similar words if it has none."""
        try:
            return self.indices[word]
        except KeyError:
            raise spelling.unknown_word(word, self.words) from None

    def encode(self, tokens):
        """Indices of tokens as `int32`; what is not there is left out, or `unknown`."""
        if isinstance(tokens, str):
            tokens = tokens.split()
        missing = -1 if self.unknown is None else self.indices[self.unknown]
        get = self.indices.get
        ids = np.array([get(token, missing) for token in tokens], np.int32)
        return ids[ids >= 0]

    def decode(self, ids):
        """Words of indices."""
        ids = np.asarray(ids)
        if ids.size and (ids.dtype.kind not in "iu" or ids.ndim != 1):
            _checks.fail("ids", "be a list of whole numbers", ids)
        outside = ids[(ids < 0) | (ids >= len(self))]
        if outside.size:
            raise IndexError(f"There is no word {outside[0]} among {len(self)}")
        return [self.words[index] for index in ids.tolist()]

    def keep_probability(self, sample, formula="word2vec"):
        """With which probability an occurrence of each word stays in the text, as `float32`.

        With f the share of a word in the text and t = `sample`:

        - `"word2vec"`: (sqrt(f / t) + 1) t / f, which word2vec.c and gensim compute;
        - `"notes"`: sqrt(t / f), that is, a word is dropped with probability 1 - sqrt(t / f).

        Neither exceeds 1; all are 1 where `sample` is `None` or 0.
        """
        _checks.one_of("formula", formula, ("word2vec", "notes"))
        if sample is None or _checks.number("sample", sample, "[0, inf)") == 0:
            return np.ones(len(self), np.float32)
        share = np.maximum(self.counts, 1) / self.counts.sum()
        kept = np.sqrt(sample / share)
        if formula == "word2vec":
            kept += sample / share
        return np.minimum(kept, 1).astype(np.float32)

    # --------------------------------------------------------------------------------- saving

    def get_config(self):
        return {
            "words": list(self.words),
            "counts": self.counts.tolist(),
            "specials": list(self.specials),
            "unknown": self.unknown,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def save(self, path):
        """Writes `word count` lines, as word2vec.c's -save-vocab does.

        A special word is followed by a tab instead of a blank, and the unknown word by two, which
        to other programs is the same.
        """
        marks = dict.fromkeys(self.specials, "\t")
        marks[self.unknown] = "\t\t"
        text = [f"{w}{marks.get(w, ' ')}{n}" for w, n in zip(self.words, self.counts, strict=True)]
        for line, word in zip(text, self.words, strict=True):
            if "\n" in line or (word not in marks and word.endswith("\t")):
                raise ValueError(f"The word {word!r} cannot stand in a text file")
        with writing.replacing(path) as file:
            file.write("".join(line + "\n" for line in text).encode(errors="surrogateescape"))

    @classmethod
    def load(cls, path, errors="strict"):
        """Reads what `save` or word2vec.c has written."""
        reading.error_handler(errors)
        words, counts, specials, unknown = [], [], [], None
        for number, line in enumerate(reading.lines(path), 1):
            try:
                text = line.removesuffix(b"\n").decode(errors=errors)
            except UnicodeDecodeError as error:
                raise reading.not_utf8(error, f"line {number} of {path}") from None
            rest = text.rstrip("0123456789")
            word = rest[:-1].removesuffix("\t") if rest[-1:] == "\t" else rest[:-1]
            if rest == text or rest[-1:] not in (" ", "\t"):
                raise ValueError(f"{str(path)!r}, line {number} is no word and count: {text!r}")
            if len(text) - len(rest) > 18:
                raise ValueError(f"{str(path)!r}, line {number} has a count beyond all texts")
            words.append(word)
            counts.append(int(text[len(rest) :]))
            if rest[-1] == "\t":
                specials.append(word)
                unknown = word if rest.endswith("\t\t") else unknown
        if not words:
            raise ValueError(f"{str(path)!r} is empty")
        return cls(words, counts, specials, unknown)


def select(words, counts, **rules):
    """The vocabulary of numbered words, and for each number its index in it (-1: left out)."""
    chosen, index = selected(words, counts, **rules)
    return Vocabulary(*chosen), index
