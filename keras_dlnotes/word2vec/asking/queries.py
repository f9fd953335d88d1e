"""What can be asked of words with vectors; all similarities are cosines."""

import numbers

import numpy as np

from keras_dlnotes import _checks

KEYS = (str, int, np.integer)
#: How many similarities are held at once.
BLOCK = 1 << 24


def listed(value):
    """Several keys or vectors, where one, or none, may be meant."""
    if value is None:
        return []
    if isinstance(value, KEYS) or (isinstance(value, np.ndarray) and value.ndim == 1):
        return [value]
    return list(value)


def weighted(positive, negative):
    """Keys or vectors with their weights: 1 and -1, or what stands beside them in a pair."""
    pairs = [(item, 1.0) for item in listed(positive)] + [(i, -1.0) for i in listed(negative)]
    pairs = [item if isinstance(item, tuple) else (item, weight) for item, weight in pairs]
    if not pairs:
        raise ValueError("A query needs a word or a vector. Received: none")
    return [key for key, _ in pairs], [weight for _, weight in pairs]


def unit(vector):
    return vector / (np.linalg.norm(vector) or 1)


class Queries:
    """The questions; `WordVectors` is the rest of it."""

    # ------------------------------------------------------------------------- nearest words

    def most_similar(
        self,
        positive=None,
        negative=None,
        topn=10,
        clip_start=0,
        clip_end=None,
        restrict_vocab=None,
    ):
        """The words nearest to a mean of words and vectors, with their similarity.

        Analogies by 3CosAdd: `most_similar(["king", "woman"], ["man"])`.

        Args:
            positive: Words or vectors, one or several, or pairs of them with a weight.
            negative: The same with weights of -1.
            topn: How many; `None` for an array of the similarities of all words.
            clip_start: First row to look at.
            clip_end: Last row to look at, exclusive.
            restrict_vocab: Look at so many of the first rows only, instead of the two above.
        """
        keys, weights = weighted(positive, negative)
        target = self.get_mean_vector(keys, weights, True, True, ignore_missing=False)
        rows = self._rows(clip_start, clip_end, restrict_vocab)
        if topn is None:
            return self.vectors[rows] @ target / self._divisors[rows]
        return self._nearest(target[None], [self._known(keys)], topn, rows)[0]

    def most_similar_batch(
        self,
        positive,
        negative=None,
        topn=10,
        clip_start=0,
        clip_end=None,
        restrict_vocab=None,
    ):
        """`most_similar` for many queries at once, many times as fast: a list of its answers.

        `positive` and, where it is given, `negative` hold one entry for each query.
        """
        if isinstance(positive, str):
            _checks.fail("positive", "hold one entry for each query", positive)
        negative = [None] * len(positive) if negative is None else negative
        queries = [weighted(*query) for query in zip(positive, negative, strict=True)]
        targets = [self.get_mean_vector(k, w, True, True, ignore_missing=False) for k, w in queries]
        known = [self._known(keys) for keys, _ in queries]
        rows = self._rows(clip_start, clip_end, restrict_vocab)
        targets = np.reshape(targets, (-1, self.vector_size))
        return self._nearest(targets, known, topn, rows)

    def most_similar_cosmul(self, positive=None, negative=None, topn=10, restrict_vocab=None):
        """The same by 3CosMul, where no single similarity outweighs the others.

        The product of the positive similarities over that of the negative ones, each brought to
        [0, 1] first: [Levy & Goldberg, 2014](https://aclanthology.org/W14-1618), equation 4.
        """
        positive, negative = listed(positive), listed(negative)
        if not positive:
            raise ValueError("A query needs a positive word or vector. Received: none")
        rows = self._rows(0, None, restrict_vocab)
        scores = [self._cosines(key, rows) for key in positive + negative]
        scores = (1 + np.array(scores)) / 2
        scores = scores[: len(positive)].prod(0) / (scores[len(positive) :].prod(0) + 1e-6)
        if topn is None:
            return scores
        return self._best(scores[None], [self._known(positive + negative)], topn, rows)[0]

    def similar_by_word(self, word, topn=10, restrict_vocab=None):
        """The words nearest to a word."""
        return self.most_similar([word], topn=topn, restrict_vocab=restrict_vocab)

    similar_by_key = similar_by_word

    def similar_by_vector(self, vector, topn=10, restrict_vocab=None):
        """The words nearest to a vector."""
        vector = np.asarray(vector)
        if vector.shape != (self.vector_size,):
            _checks.fail("vector", f"have the shape ({self.vector_size},)", vector.shape)
        return self.most_similar([vector], topn=topn, restrict_vocab=restrict_vocab)

    def _rows(self, start, end, restrict):
        if restrict:
            start, end = 0, _checks.integer("restrict_vocab", restrict, 1)
        return slice(*slice(start, end or None).indices(len(self)))

    def _known(self, keys):
        """Rows of the words asked for, which are no answer."""
        return [self.get_index(key) for key in keys if isinstance(key, KEYS)]

    def _cosines(self, key, rows):
        vector = key if isinstance(key, np.ndarray) else self.get_vector(key)
        return self.vectors[rows] @ unit(vector) / self._divisors[rows]

    def _nearest(self, targets, known, topn, rows):
        """Answers for unit vectors, with as few large products as memory allows."""
        answers, size = [], max(1, BLOCK // max(1, rows.stop - rows.start))
        for begin in range(0, len(targets), size):
            block = slice(begin, begin + size)
            scores = targets[block] @ self.vectors[rows].T / self._divisors[rows]
            answers += self._best(scores, known[block], topn, rows)
        return answers

    def _best(self, scores, known, topn, rows):
        if not isinstance(topn, numbers.Integral):
            _checks.fail("topn", "be an integer or None", topn)
        if topn < 1:
            return [[] for _ in scores]
        topn = int(topn)
        answers = []
        for score, excluded in zip(scores, known, strict=True):
            count = min(topn + len(excluded), len(score))
            best = np.argpartition(-score, count - 1)[:count] if count else np.zeros(0, int)
            best = best[np.lexsort((best, -score[best]))]
            answer = [
                (self.index_to_key[row + rows.start], float(score[row]))
                for row in best.tolist()
                if row + rows.start not in excluded
            ]
            answers.append(answer[:topn])
        return answers

    # --------------------------------------------------------------------- between given words

    def similarity(self, w1, w2):
        """The cosine between two words' vectors."""
        return self._cosine(self.get_vector(w1), self.get_vector(w2))

    def distance(self, w1, w2):
        """1 - `similarity`."""
        return 1 - self.similarity(w1, w2)

    def n_similarity(self, ws1, ws2):
        """The cosine between the means of two lists of words."""
        _checks.several("ws1", ws1)
        _checks.several("ws2", ws2)
        if not (len(ws1) and len(ws2)):
            raise ZeroDivisionError("There is no mean of nothing: one of the lists is empty")
        first, second = (
            self.get_mean_vector(words, pre_normalize=False, ignore_missing=False)
            for words in (ws1, ws2)
        )
        return self._cosine(first, second)

    @staticmethod
    def _cosine(first, second):
        # One root of the product, so that a vector and itself give exactly 1.
        x, y = np.asarray(first, float), np.asarray(second, float)
        return first.dtype.type(x @ y / (np.sqrt((x @ x) * (y @ y)) or 1))

    @staticmethod
    def cosine_similarities(vector_1, vectors_all):
        """The cosines between one vector and others."""
        norms = np.linalg.norm(vectors_all, axis=1) * np.linalg.norm(vector_1)
        return vectors_all @ vector_1 / np.where(norms > 0, norms, 1)

    def distances(self, word_or_vector, other_words=()):
        """1 - cosine from a word or vector to words, or to all words."""
        vector = word_or_vector
        if isinstance(vector, KEYS):
            vector = self.get_vector(vector)
        others = self[list(other_words)] if len(other_words) else self.vectors
        return 1 - self.cosine_similarities(vector, others)

    def most_similar_to_given(self, key1, keys_list):
        """Which of the words in a list is nearest to a word."""
        _checks.several("keys_list", keys_list)
        return keys_list[int(np.argmin(self.distances(key1, keys_list)))]

    def closer_than(self, key1, key2):
        """All words nearer to the first word than the second one is."""
        distances = self.distances(key1)
        nearer = np.flatnonzero(distances < distances[self.get_index(key2)])
        own = self.get_index(key1)
        return [self.index_to_key[row] for row in nearer.tolist() if row != own]

    def rank(self, key1, key2):
        """How many-nearest the second word is to the first."""
        return len(self.closer_than(key1, key2)) + 1

    def rank_by_centrality(self, words, use_norm=True):
        """(similarity to their mean, word) for a list of words, the most central first.

        Words that are not there are left out.
        """
        words = [word for word in _checks.several("words", words) if word in self]
        if not words:
            raise ValueError("None of the words is there")
        vectors = np.stack([self.get_vector(word, norm=use_norm) for word in words])
        mean = self.get_mean_vector(list(vectors), post_normalize=True)
        return sorted(zip((vectors @ mean).tolist(), words, strict=True), reverse=True)

    def doesnt_match(self, words):
        """The word of a list that is furthest from their mean."""
        return self.rank_by_centrality(words)[-1][1]

    def relative_cosine_similarity(self, wa, wb, topn=10):
        """Similarity of two words over the sum of those of the `topn` nearest to the first.

        A measure of synonymy: [Leeuwenberg et al., 2016](https://doi.org/10.1515/pralin-2016-0006).
        """
        nearest = self.similar_by_word(wa, _checks.integer("topn", topn, 1))
        return float(self.similarity(wa, wb)) / sum(score for _, score in nearest)
