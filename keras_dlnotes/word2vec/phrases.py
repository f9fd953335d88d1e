"""Words that belong together: `new york` becomes `new_york` before training."""

import json

import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes.word2vec.corpus import Corpus
from keras_dlnotes.word2vec.files import writing
from keras_dlnotes.word2vec.text import corpus_file
from keras_dlnotes.word2vec.text.corpus_cache import Scratch
from keras_dlnotes.word2vec.text.selection import checked
from keras_dlnotes.word2vec.vocabulary import select

SCORINGS = ("word2phrase", "gensim", "npmi")
#: How many words are looked at at once.
BLOCK = 1 << 21


class Phrases:
    """Finds pairs of words that occur together more often than by chance, and joins them.

    A pair is joined if its score is above `threshold`; from left to right, each word in one pair
    at most. Joining twice gives phrases of up to four words. It belongs between the text and
    `Word2Vec`, on a corpus of all words (`min_count=1`), since rare words keep others apart.

    With n the number of words in the text and v that of different words and pairs:

    - `"word2phrase"`: (count(a b) - `min_count`) n / (count(a) count(b)), where all three counts
      must reach `min_count`, as the tool of that name computes it;
    - `"gensim"`: (count(a b) - `min_count`) v / (count(a) count(b));
    - `"npmi"`: ln(p(a b) / (p(a) p(b))) / -ln p(a b), in [-1, 1], for pairs that occur `min_count`
      times.

    Args:
        min_count: Integer. See the formulas. Defaults to 5.
        threshold: Float. Higher means fewer phrases. Defaults to 100.0.
        delimiter: String that joins the words. Defaults to `"_"`.
        scoring: One of the above. Defaults to `"word2phrase"`.

    Example:
        >>> text = ["we saw new york", "new york is big", "a new car", "york was old"]
        >>> corpus = Corpus.from_texts(text, min_count=1)
        >>> phrases = Phrases(min_count=1, threshold=1.0).fit(corpus)
        >>> phrases.scores
        {'new_york': 1.55...}
        >>> phrases("a day in new york".split())
        ['a', 'day', 'in', 'new_york']
        >>> list(phrases.transform(corpus, min_count=1).sentences())[0]
        ['we', 'saw', 'new_york']

    Reference: [Mikolov et al., 2013](https://arxiv.org/abs/1310.4546), section 4
    """

    def __init__(self, min_count=5, threshold=100.0, delimiter="_", scoring="word2phrase"):
        self.min_count = _checks.integer("min_count", min_count, 1)
        self.scoring = _checks.one_of("scoring", scoring, SCORINGS)
        interval = "[-1, 1]" if scoring == "npmi" else "[0, inf)"
        self.threshold = _checks.number("threshold", threshold, interval)
        if not isinstance(delimiter, str):
            _checks.fail("delimiter", "be a string", delimiter)
        self.delimiter = delimiter
        self._pairs = None

    @property
    def pairs(self):
        """A dict from (first word, second word) to the score, once there is a text behind it."""
        if self._pairs is None:
            raise ValueError("These Phrases have seen no text yet: fit or load them first")
        return self._pairs

    @property
    def scores(self):
        """Joined words and their scores, the best first."""
        ranking = sorted(self.pairs.items(), key=lambda item: -item[1])
        return {self.delimiter.join(pair): score for pair, score in ranking}

    def fit(self, texts):
        """Finds the phrases of a `Corpus` or of an iterable of sentences; returns itself."""
        corpus = texts
        if not isinstance(corpus, Corpus):
            corpus = Corpus.from_texts(texts, min_count=1)
        words, size = corpus.vocabulary.words, len(corpus.vocabulary)
        keys, counts = count_pairs(corpus, size)
        first, second = np.divmod(keys, size)
        single = corpus.vocabulary.counts
        a, b = single[first], single[second]
        total = corpus.total_words
        if self.scoring == "npmi":
            p = counts / total
            with np.errstate(divide="ignore", invalid="ignore"):
                scores = np.log(p * total**2 / (a * b)) / -np.log(p)
            possible = (counts >= self.min_count) & np.isfinite(scores)
        else:
            scale = total if self.scoring == "word2phrase" else size + len(keys)
            # In this order, and not otherwise rounded, so that thresholds cut as they do elsewhere.
            scores = (counts - self.min_count) / a / b * scale
            possible = np.ones(len(keys), bool)
            if self.scoring == "word2phrase":
                possible = np.minimum(np.minimum(a, b), counts) >= self.min_count
        chosen = np.flatnonzero(possible & (scores > self.threshold))
        apart = set(corpus.vocabulary.specials)
        self._pairs = {
            (words[first[n]], words[second[n]]): float(scores[n])
            for n in chosen
            if not apart & {words[first[n]], words[second[n]]}
        }
        return self

    def __call__(self, sentence):
        """A list of words with phrases joined."""
        joined, previous = [], None
        for word in _checks.several("sentence", sentence):
            if previous is not None and (previous, word) in self.pairs:
                joined[-1] += self.delimiter + word
                previous = None
            else:
                joined.append(word)
                previous = word
        return joined

    def transform(self, corpus, min_count=5, **rules):
        """A new `Corpus` with phrases joined and counted; `rules` as in `Corpus.from_file`."""
        if not isinstance(corpus, Corpus):
            _checks.fail("corpus", "be a Corpus; single sentences are joined by a call", corpus)
        old = corpus.vocabulary
        rules = {"specials": old.specials, "unknown": old.unknown, **rules}
        checked(min_count=min_count, **rules)
        numbers = dict(old.indices)
        joins = {}
        for first, second in self.pairs:
            if first in old.indices and second in old.indices:
                joined = numbers.setdefault(self.delimiter.join((first, second)), len(numbers))
                joins[old.indices[first] * len(old) + old.indices[second]] = joined
        keys = np.array(sorted(joins), np.int64)
        names = np.array([joins[key] for key in keys.tolist()], np.int32)
        folder = Scratch()
        path = f"{folder.path}/phrases.corpus"
        stream = join(corpus, keys, names, len(old))

        def choose(counts):
            every = np.zeros(len(numbers), np.int64)
            every[: len(counts)] = counts
            return select(list(numbers), every, min_count=min_count, **rules)

        corpus_file.write(stream, choose, path, None)
        new = Corpus(*corpus_file.read(path), sample=corpus.sample, formula=corpus.formula)
        new._folder = folder
        return new

    def fit_transform(self, corpus, min_count=5, **rules):
        """`fit` and `transform` of one corpus."""
        return self.fit(corpus).transform(corpus, min_count, **rules)

    def save(self, path):
        """Writes the phrases as JSON."""
        config = {name: getattr(self, name) for name in ("min_count", "threshold", "delimiter")}
        pairs = [[*pair, score] for pair, score in self.pairs.items()]
        with writing.replacing(path) as file:
            file.write(json.dumps(config | {"scoring": self.scoring, "pairs": pairs}).encode())

    @classmethod
    def load(cls, path):
        """Reads what `save` has written."""
        with open(path, "rb") as file:
            try:
                config = json.loads(file.read())
                pairs = {(first, second): float(s) for first, second, s in config.pop("pairs")}
                phrases = cls(**config)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ValueError(f"{str(path)!r} holds no phrases: {error}") from error
        phrases._pairs = pairs
        return phrases


def pairs_of(corpus):
    """Blocks of words, each with the word that follows it; False where none does."""
    tokens, starts = corpus.tokens, corpus.sentence_starts
    for begin in range(0, len(tokens), BLOCK):
        end = min(begin + BLOCK, len(tokens))
        here = np.asarray(tokens[begin:end])
        following = np.asarray(tokens[begin + 1 : end + 1])
        if len(following) < len(here):
            following = np.append(following, 0)
        joined = np.ones(len(here), bool)
        low, high = np.searchsorted(starts, [begin + 1, end + 1])
        ends = np.append(starts[low:high], len(tokens)) if end == len(tokens) else starts[low:high]
        joined[ends - 1 - begin] = False
        yield here, following, joined, ends - begin


def count_pairs(corpus, size):
    """Numbers (first x size + second) of all pairs in the text, and how often each occurs."""
    keys, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for here, following, joined, _ in pairs_of(corpus):
        new = here[joined].astype(np.int64) * size + following[joined]
        new, times = np.unique(new, return_counts=True)
        keys, place = np.unique(np.concatenate([keys, new]), return_inverse=True)
        counts = np.bincount(place, np.concatenate([counts, times]), len(keys)).astype(np.int64)
    return keys, counts


def join(corpus, keys, names, size):
    """Blocks of words with the pairs in ``keys`` replaced by ``names``, and ends of sentences."""
    taken = False  # whether the block's first word went into a pair with the one before
    for here, following, joined, ends in pairs_of(corpus):
        if len(keys):
            pair = here.astype(np.int64) * size + following
            place = np.minimum(np.searchsorted(keys, pair), len(keys) - 1)
            match = joined & (keys[place] == pair)
        else:
            place, match = None, np.zeros(len(here), bool)
        if taken:
            match[0] = False
        # Of matches in a row each second one counts: the word between is taken.
        row = np.arange(len(here))
        begins = match & ~np.append(False, match[:-1])
        since = row - np.maximum.accumulate(np.where(begins, row, 0))
        match &= since % 2 == 0
        kept = np.append(not taken, ~match[:-1])
        ids = np.where(match, names[place], here) if len(keys) else here
        before = np.append(0, np.cumsum(kept))
        taken = bool(match[-1])
        yield ids[kept], before[ends]
