"""Which words of a corpus follow which, counted and joined in blocks of the text."""

from typing import NamedTuple

import numpy as np

#: How many words are looked at at once.
BLOCK = 1 << 21


class Block(NamedTuple):
    """A part of the text, and the pairs that begin in it."""

    words: np.ndarray  # their numbers
    first: np.ndarray  # where in it the pairs' first words stand
    second: np.ndarray  # and their second words; where it ends, for the first of the next block
    keys: np.ndarray  # the pairs' numbers
    whole: np.ndarray  # whether a sentence holds both words; if not, they are no pair
    ends: np.ndarray  # where sentences end


class WordPairs:
    """Each word of a `Corpus` with the next one, over connecting words between the two.

    A pair is one number, (between x size + first) x size + second, the size being that of the
    vocabulary and "between" the number of what connects the two.
    """

    def __init__(self, corpus, connectors=()):
        self.corpus = corpus
        self.words = corpus.vocabulary.words
        self.indices = corpus.vocabulary.indices
        self.connects = np.array([word in connectors for word in self.words], bool)
        self._between = {(): 0}

    def key(self, words):
        """The number of a pair, given all of its words; None where one is not in the vocabulary."""
        if not all(word in self.indices for word in words):
            return None
        first, *between, second = (self.indices[word] for word in words)
        return (self._number(between) * len(self.words) + first) * len(self.words) + second

    def phrases(self, keys):
        """The words of each pair."""
        between = [tuple(self.words[i] for i in each) for each in self._between]
        rest, second = np.divmod(keys, len(self.words))
        rows = zip(*np.divmod(rest, len(self.words)), second, strict=True)
        return [(self.words[a], *between[over], self.words[b]) for over, a, b in rows]

    def blocks(self):
        """The text in parts. Each ends before a word that can begin a pair, or with the text."""
        tokens, starts = self.corpus.tokens, self.corpus.sentence_starts
        end = 0
        while (begin := end) < len(tokens):
            end = min(begin + BLOCK, len(tokens))
            while end < len(tokens) and self.connects[tokens[end]]:
                end += 1
            words = np.asarray(tokens[begin:end])
            low, high = np.searchsorted(starts, [begin + 1, end + 1])
            ends = starts[low:high] - begin
            if end == len(tokens):
                ends = np.append(ends, len(words))
            ended = np.zeros(len(words) + 1, np.int32)
            ended[ends] = 1
            sentence = np.cumsum(ended)
            first = np.flatnonzero(~self.connects[words])
            second = np.append(first[1:], len(words))[: len(first)]
            whole = sentence[first] == sentence[second]
            following = np.append(words, tokens[end] if end < len(tokens) else 0)[second]
            keys = self._over(words, first, second, whole) * len(self.words) + words[first]
            yield Block(words, first, second, keys * len(self.words) + following, whole, ends)

    def count(self):
        """Numbers of all pairs in the text, in order, and how often each occurs."""
        keys, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
        for block in self.blocks():
            new, times = np.unique(block.keys[block.whole], return_counts=True)
            keys, place = np.unique(np.concatenate([keys, new]), return_inverse=True)
            counts = np.bincount(place, np.concatenate([counts, times]), len(keys))
            counts = counts.astype(np.int64)
        return keys, counts

    def join(self, keys, names):
        """Blocks of words with the pairs in ``keys`` replaced by ``names``, and sentences' ends."""
        taken = False  # whether the block's first word went into a pair with the one before
        for block in self.blocks():
            place = np.searchsorted(keys, block.keys)
            match = block.whole & (np.append(keys, -1)[place] == block.keys)
            if taken:
                match[0] = False
            # Of matches in a row each second one counts: the word between is taken.
            row = np.arange(len(match))
            begins = match & ~np.append(False, match[:-1])
            since = row - np.maximum.accumulate(np.where(begins, row, 0))
            match &= since % 2 == 0
            inside = np.zeros(len(block.words) + 2, np.int8)
            inside[block.first[match] + 1] += 1
            inside[block.second[match] + 1] -= 1
            kept = np.cumsum(inside[:-2]) == 0
            kept[0] &= not taken
            words = block.words.astype(np.int32)
            words[block.first[match]] = names[place[match]]
            before = np.append(0, np.cumsum(kept))
            taken = bool(len(match) and match[-1])
            yield words[kept], before[block.ends]

    def _over(self, words, first, second, whole):
        """Number of what stands between the words of each pair."""
        numbers = np.zeros(len(first), np.int64)
        lengths = np.where(whole, second - first - 1, 0)
        for length in np.unique(lengths[lengths > 0]).tolist():
            rows = np.flatnonzero(lengths == length)
            between = words[first[rows, None] + np.arange(1, length + 1)]
            between, place = np.unique(between, axis=0, return_inverse=True)
            known = [self._number(each) for each in between.tolist()]
            numbers[rows] = np.array(known, np.int64)[place.ravel()]
        return numbers

    def _number(self, between):
        number = self._between.setdefault(tuple(between), len(self._between))
        if (number + 1) * len(self.words) ** 2 >= 1 << 63:
            raise ValueError(
                f"Connecting words stand between others in {number} ways, too many for a "
                f"vocabulary of {len(self.words)} words: name fewer of them, or raise `min_count`"
            )
        return number
