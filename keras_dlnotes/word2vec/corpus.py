"""A text as numbers: what a model of words is trained on."""

import pathlib

import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes.word2vec.text import corpus_cache, corpus_file, reading
from keras_dlnotes.word2vec.text.counting import ByteWords, TokenWords
from keras_dlnotes.word2vec.text.encoding import chooser, encoded
from keras_dlnotes.word2vec.vocabulary import Vocabulary


class Corpus:
    """A text encoded once, kept on disk and mapped into memory, as sentences of word indices.

    One pass over the text counts and encodes it, so that the text, and its encoding, may be larger
    than memory. Lines are sentences; a window never crosses their bounds, and they may have any
    length. Words outside the vocabulary are left out (or encoded as its unknown word).

    Args:
        vocabulary: A `Vocabulary`.
        tokens: `int32` array of the indices of all words, sentence after sentence.
        sentence_starts: `int64` array of where each sentence starts in `tokens`.
        sample: How strongly frequent words are thinned out in `dataset`, the t of
            `Vocabulary.keep_probability`; `None` or 0 for not at all. Defaults to 1e-3.
        formula: `"word2vec"` or `"notes"`, the formula for it. Defaults to `"word2vec"`.

    Example:
        >>> corpus = Corpus.from_texts(["the cat saw the dog", "the dog slept"], min_count=1)
        >>> corpus.vocabulary.words
        ['the', 'dog', 'slept', 'saw', 'cat']
        >>> corpus.tokens
        memmap([0, 4, 3, 0, 1, 0, 1, 2], dtype=int32)
        >>> corpus.sentence_starts
        memmap([0, 5])
        >>> list(corpus.sentences())
        [['the', 'cat', 'saw', 'the', 'dog'], ['the', 'dog', 'slept']]
    """

    def __init__(self, vocabulary, tokens, sentence_starts, *, sample=1e-3, formula="word2vec"):
        _check_vocabulary(vocabulary)
        if not len(tokens):
            raise ValueError("The corpus is empty: none of its words is in the vocabulary")
        if not len(sentence_starts) or sentence_starts[0] != 0:
            _checks.fail("sentence_starts", "begin with 0", sentence_starts)
        self.vocabulary, self.tokens, self.sentence_starts = vocabulary, tokens, sentence_starts
        self.sample, self.formula = sample, formula
        vocabulary.keep_probability(sample, formula)  # checks both
        self._folder = None

    # ------------------------------------------------------------------------------- building

    @classmethod
    def from_file(
        cls,
        source,
        min_count=5,
        sample=1e-3,
        *,
        formula="word2vec",
        vocabulary=None,
        errors="strict",
        cache=True,
        verbose=1,
        **rules,
    ):
        """Encodes text files, or maps what an earlier call has left.

        Args:
            source: A path, a directory, or several; plain, gzip, xz or bzip2, told apart by their
                first bytes. Words are split at blanks (Unicode's too, as `str.split` does), lines
                are sentences.
            min_count: Words that occur less often are left out. Defaults to 5.
            sample: See the class.
            formula: See the class.
            vocabulary: A `Vocabulary` to use instead of counting one, for validation text or for
                going on with a model.
            errors: What to do with invalid UTF-8: `"strict"`, `"replace"`, `"ignore"` or
                `"surrogateescape"`. Defaults to `"strict"`.
            cache: `True` keeps the encoded text beside the first file, in a `.corpus` file (or, if
                nothing can be written there, in Keras' home directory); a path keeps it in that
                directory; `False` keeps it only as long as the object lives. It is used again if
                neither the text's size, time and ends nor the arguments have changed.
            verbose: 0 for silence, 1 for a progress bar.
            **rules: `max_size`, `keep`, `drop`, `specials`, `unknown`, see `Vocabulary`. Functions
                as rules cannot be compared, so the text is encoded anew.
        """
        files = reading.text_files(source)
        reading.error_handler(errors)
        Vocabulary(["a"], [1]).keep_probability(sample, formula)  # fails before the work is done
        if vocabulary is not None:
            _check_vocabulary(vocabulary)
        made = {
            "files": [corpus_cache.fingerprint(path) for path in files],
            "errors": errors,
            "rules": corpus_cache.arguments({"min_count": min_count, **rules}),
            "vocabulary": None
            if vocabulary is None
            else corpus_cache.digest(vocabulary.get_config()),
        }
        comparable = made["rules"] is not None
        folder, path = None, None
        if cache is not False and comparable:
            path = corpus_cache.place(files, source, cache, made)
            if path.exists():
                try:
                    found = corpus_file.read(path, made)
                except ValueError:
                    found = None  # Damaged: it is written anew.
                if found is not None:
                    return cls(*found, sample=sample, formula=formula)
        if path is None:
            folder = corpus_cache.Scratch()
            path = pathlib.Path(folder.path, "text.corpus")
        table = ByteWords()
        stream = encoded(files, errors, table, verbose)
        choose = chooser(table, vocabulary, errors, min_count=min_count, **rules)
        corpus_file.write(stream, choose, path, made)
        corpus = cls(*corpus_file.read(path), sample=sample, formula=formula)
        corpus._folder = folder
        return corpus

    @classmethod
    def from_texts(
        cls, texts, min_count=5, sample=1e-3, *, formula="word2vec", vocabulary=None, **rules
    ):
        """Encodes an iterable of sentences: lists of tokens, or strings to be split at blanks.

        It is gone through once and never held as a whole. The other arguments are those of
        `from_file`; `save` keeps the result.
        """
        if vocabulary is not None:
            _check_vocabulary(vocabulary)
        folder = corpus_cache.Scratch()
        path = pathlib.Path(folder.path, "texts.corpus")
        table = TokenWords()
        choose = chooser(table, vocabulary, "strict", min_count=min_count, **rules)
        corpus_file.write(table.blocks(texts), choose, path, None)
        corpus = cls(*corpus_file.read(path), sample=sample, formula=formula)
        corpus._folder = folder
        return corpus

    def save(self, path):
        """Writes the encoded text with its vocabulary; the file replaces an old one when whole."""
        index = np.arange(len(self.vocabulary), dtype=np.int32)
        corpus_file.write(self._pieces(), lambda counts: (self.vocabulary, index), path, None)

    @classmethod
    def load(cls, path, *, sample=1e-3, formula="word2vec"):
        """Maps what `save` has written."""
        return cls(*corpus_file.read(path), sample=sample, formula=formula)

    # ---------------------------------------------------------------------------------- using

    def __len__(self):
        """How many sentences there are."""
        return len(self.sentence_starts)

    def __repr__(self):
        return f"<Corpus of {len(self.tokens)} words in {len(self)} sentences>"

    @property
    def total_words(self):
        """How many words the text has, those outside the vocabulary not counted."""
        return len(self.tokens)

    def bounds(self, sentence):
        """Where a sentence begins and ends in `tokens`."""
        following = sentence + 1
        end = self.sentence_starts[following] if following < len(self) else len(self.tokens)
        return int(self.sentence_starts[sentence]), int(end)

    def sentences(self):
        """Goes through the sentences as lists of words."""
        for sentence in range(len(self)):
            begin, end = self.bounds(sentence)
            yield self.vocabulary.decode(self.tokens[begin:end])

    def part(self, begin, end):
        """The corpus of the sentences from `begin` to `end`, without copying a word."""
        if not 0 <= begin < end <= len(self):
            raise ValueError(f"There is no part {begin}:{end} of {len(self)} sentences")
        first, last = self.bounds(begin)[0], self.bounds(end - 1)[1]
        starts = self.sentence_starts[begin:end] - first
        corpus = Corpus(
            self.vocabulary,
            self.tokens[first:last],
            starts,
            sample=self.sample,
            formula=self.formula,
        )
        corpus._folder = self._folder
        return corpus

    def split(self, fraction=0.1):
        """Two corpora: all but the last `fraction` of the words for training, and the last.

        The cut is between sentences, and neither side is empty.
        """
        _checks.number("fraction", fraction, "(0, 1)")
        if len(self) < 2:
            raise ValueError("A corpus of one sentence cannot be split")
        cut = np.searchsorted(self.sentence_starts, (1 - fraction) * len(self.tokens))
        cut = int(np.clip(cut, 1, len(self) - 1))
        return self.part(0, cut), self.part(cut, len(self))

    def dataset(
        self,
        batch_tokens=4096,
        window=16,
        *,
        shuffle=True,
        seed=None,
        num_shards=1,
        shard_index=0,
        subsample=True,
    ):
        """Batches for `Word2Vec.fit`, drawn anew in each epoch.

        Args:
            batch_tokens: Words a step learns from. CBOW is a sixth faster with 8192. Defaults to
                4096.
            window: The widest window of a model that uses them. Defaults to 16.
            shuffle: Whether blocks of the text come in a new order in each epoch.
            seed: Makes order and thinning out repeatable.
            num_shards: Among how many workers the text is divided.
            shard_index: Which of them this one is.
            subsample: Whether frequent words are thinned out by `sample`.
        """
        from keras_dlnotes.word2vec.batches import Batches

        keep = None
        if subsample and self.sample:
            keep = self.vocabulary.keep_probability(self.sample, self.formula)
        batches = Batches(
            self.tokens,
            self.sentence_starts,
            keep,
            batch_tokens=batch_tokens,
            window=window,
            shuffle=shuffle,
            seed=seed,
            num_shards=num_shards,
            shard_index=shard_index,
        )
        dataset = batches.dataset()
        dataset.vocabulary = self.vocabulary
        return dataset

    def _pieces(self, size=1 << 20):
        """The text in blocks of (words, ends of sentences within the block)."""
        ends = np.append(self.sentence_starts[1:], len(self.tokens))
        for begin in range(0, len(self.tokens), size):
            block = np.asarray(self.tokens[begin : begin + size])
            low, high = np.searchsorted(ends, [begin, begin + len(block)], side="right")
            yield block, ends[low:high] - begin


def _check_vocabulary(vocabulary):
    if not isinstance(vocabulary, Vocabulary):
        _checks.fail("vocabulary", "be a Vocabulary", vocabulary)
