"""Words that belong together: `new york` becomes `new_york` before training."""

import json
from collections.abc import Iterable

import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes.word2vec.corpus import Corpus
from keras_dlnotes.word2vec.files import writing
from keras_dlnotes.word2vec.text import corpus_file
from keras_dlnotes.word2vec.text.corpus_cache import Scratch
from keras_dlnotes.word2vec.text.selection import checked
from keras_dlnotes.word2vec.text.word_pairs import WordPairs
from keras_dlnotes.word2vec.vocabulary import select

SCORINGS = ("word2phrase", "gensim", "npmi")
#: Words that connect others in English names: articles, prepositions, "and" and "or".
ENGLISH = "a an and at by for from in of on or the to with without"
ENGLISH = frozenset(ENGLISH.split())


def connecting(words):
    """Connecting words as a set."""
    if isinstance(words, str) and words == "english":
        return ENGLISH
    several = isinstance(words, Iterable) and not isinstance(words, (str, bytes))
    found = frozenset(words) if several else ()
    if not several or not all(isinstance(word, str) for word in found):
        _checks.fail("connector_words", 'be a list of strings, or "english"', words)
    return found


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
        connector_words: A list of words that may stand inside a phrase but neither begin nor end
            it: with "of", "bank of america" is scored by how often "bank" and "america" meet over
            it, and becomes `bank_of_america`. `"english"` stands for articles, prepositions,
            "and" and "or". Defaults to none.

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

    def __init__(
        self,
        min_count=5,
        threshold=100.0,
        delimiter="_",
        scoring="word2phrase",
        connector_words=(),
    ):
        self.min_count = _checks.integer("min_count", min_count, 1)
        self.scoring = _checks.one_of("scoring", scoring, SCORINGS)
        interval = "[-1, 1]" if scoring == "npmi" else "[0, inf)"
        self.threshold = _checks.number("threshold", threshold, interval)
        if not isinstance(delimiter, str):
            _checks.fail("delimiter", "be a string", delimiter)
        self.delimiter = delimiter
        self.connector_words = connecting(connector_words)
        self._pairs = None

    @property
    def pairs(self):
        """A dict from a phrase's words (a tuple) to its score, once there is a text behind it."""
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
        pairs = WordPairs(corpus, self.connector_words)
        keys, counts = pairs.count()
        rest, second = np.divmod(keys, len(pairs.words))
        single = corpus.vocabulary.counts
        a, b = single[rest % len(pairs.words)], single[second]
        total = corpus.total_words
        if self.scoring == "npmi":
            p = counts / total
            with np.errstate(divide="ignore", invalid="ignore"):
                scores = np.log(p * total**2 / (a * b)) / -np.log(p)
            possible = (counts >= self.min_count) & np.isfinite(scores)
        else:
            size = len(pairs.words) - pairs.connects.sum() + len(keys)
            scale = total if self.scoring == "word2phrase" else size
            # In this order, and not otherwise rounded, so that thresholds cut as they do elsewhere.
            scores = (counts - self.min_count) / a / b * scale
            possible = np.ones(len(keys), bool)
            if self.scoring == "word2phrase":
                possible = np.minimum(np.minimum(a, b), counts) >= self.min_count
        chosen = np.flatnonzero(possible & (scores > self.threshold))
        apart = set(corpus.vocabulary.specials)
        found = zip(pairs.phrases(keys[chosen]), scores[chosen].tolist(), strict=True)
        self._pairs = {phrase: score for phrase, score in found if not apart & set(phrase)}
        return self

    def __call__(self, sentence):
        """A list of words with phrases joined."""
        joined, begun = [], None  # where in it the last word stands that can begin a phrase
        for word in _checks.several("sentence", sentence):
            joined.append(word)
            if word in self.connector_words:
                continue
            if begun is not None and tuple(joined[begun:]) in self.pairs:
                joined[begun:] = [self.delimiter.join(joined[begun:])]
                begun = None
            else:
                begun = len(joined) - 1
        return joined

    def transform(self, corpus, min_count=5, **rules):
        """A new `Corpus` with phrases joined and counted; `rules` as in `Corpus.from_file`."""
        if not isinstance(corpus, Corpus):
            _checks.fail("corpus", "be a Corpus; single sentences are joined by a call", corpus)
        old = corpus.vocabulary
        rules = {"specials": old.specials, "unknown": old.unknown, **rules}
        checked(min_count=min_count, **rules)
        numbers = dict(old.indices)
        pairs, joins = WordPairs(corpus, self.connector_words), {}
        for phrase in self.pairs:
            key = pairs.key(phrase)
            if key is not None:
                joins[key] = numbers.setdefault(self.delimiter.join(phrase), len(numbers))
        keys = np.array(sorted(joins), np.int64)
        names = np.array([joins[key] for key in keys.tolist()], np.int32)
        folder = Scratch()
        path = f"{folder.path}/phrases.corpus"
        stream = pairs.join(keys, names)

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
        config |= {"scoring": self.scoring, "connector_words": sorted(self.connector_words)}
        config["pairs"] = [[*phrase, score] for phrase, score in self.pairs.items()]
        with writing.replacing(path) as file:
            file.write(json.dumps(config).encode())

    @classmethod
    def load(cls, path):
        """Reads what `save` has written."""
        with open(path, "rb") as file:
            try:
                config = json.loads(file.read())
                found = config.pop("pairs")
                pairs = {(a, *between, b): float(score) for a, *between, b, score in found}
                phrases = cls(**config)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ValueError(f"{str(path)!r} holds no phrases: {error}") from error
        phrases._pairs = pairs
        return phrases
