"""The distribution noise words are drawn from, and how to draw from it in constant time."""

import numpy as np

from keras_dlnotes import _checks


class NoiseDistribution:
    """P(word) proportional to count ** exponent, drawn by Walker's alias method.

    word2vec.c approximates it with a table of 1e8 entries; here it is exact, with two numbers a
    word: draw a word uniformly, keep it with probability `threshold[word]`, else take
    `alias[word]`.

    Args:
        counts: How often each word occurs. Words of count 0 are never drawn.
        exponent: Float. 1 for the text's own frequencies, 0 for uniform. Defaults to 0.75.

    Example:
        >>> noise = NoiseDistribution([16, 1], exponent=0.75)
        >>> noise.probabilities
        array([0.889, 0.111])
        >>> noise.sample(np.random.default_rng(0), (2, 3)).shape
        (2, 3)

    Reference: Walker, 1977, An efficient method for generating discrete random variables
    """

    def __init__(self, counts, exponent=0.75):
        self.exponent = _checks.number("exponent", exponent)
        counts = np.asarray(counts, np.float64)
        if counts.ndim != 1 or not (counts > 0).any() or (counts < 0).any():
            _checks.fail("counts", "be a vector with some count above 0", counts)
        weights, there = np.zeros(len(counts)), counts[counts > 0]
        # The most likely word weighs 1, so no exponent is too large.
        likeliest = there.max() if self.exponent > 0 else there.min()
        weights[counts > 0] = (there / likeliest) ** self.exponent
        self.probabilities = weights / weights.sum()
        self.threshold, self.alias = _alias(self.probabilities)

    def sample(self, rng, shape):
        """Draws words with a `numpy.random.Generator`."""
        words = rng.integers(0, len(self.alias), shape)
        return np.where(rng.random(shape) < self.threshold[words], words, self.alias[words])


def _alias(probabilities):
    scaled = (probabilities * len(probabilities)).tolist()
    threshold, alias = np.ones(len(scaled)), np.arange(len(scaled), dtype=np.int32)
    poor = [word for word, share in enumerate(scaled) if share < 1]
    rich = [word for word, share in enumerate(scaled) if share >= 1]
    while poor and rich:
        word, donor = poor.pop(), rich[-1]
        threshold[word], alias[word] = scaled[word], donor
        scaled[donor] -= 1 - scaled[word]
        if scaled[donor] < 1:
            poor.append(rich.pop())
    # What rounding leaves over: a share of 1, unless the word is not to be drawn at all.
    for word in poor:
        if probabilities[word] == 0:
            threshold[word], alias[word] = 0, int(np.argmax(probabilities))
    return threshold.astype(np.float32), alias
