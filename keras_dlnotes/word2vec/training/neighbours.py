"""What surrounds each word of a text, where all of it together predicts the word.

A window is narrow. A sum over it is a few shifted copies of the text, each times whether that
neighbour counts: with a window of 5 half the time of a product with a band matrix, and no row is
gathered twice.
"""

from keras import ops

from keras_dlnotes.word2vec.training.compiled import fused
from keras_dlnotes.word2vec.training.sums import total_last


def shifts(window):
    """Where neighbours stand, seen from the centre, in the order of the text."""
    return [shift for shift in range(-window, window + 1) if shift]


@fused
def neighbours(sentences, widths):
    """Whether each centre word meets each neighbour, whether it meets any, and shares of the mean.

    Args:
        sentences: Sentence of each token, -1 for padding, (segments, length + 2 window).
        widths: How far each centre word looks, (segments, length); at most `window`.

    Returns 1.0 or 0.0, (segments, length, 2 window); 1.0 or 0.0, (segments, length); and numbers
    from 0 to 1, (segments, length, 2 window).
    """
    length = widths.shape[1]
    window = (sentences.shape[1] - length) // 2
    own = sentences[:, window : window + length]
    near = [
        ops.logical_and(
            widths >= abs(shift), sentences[:, window + shift : window + shift + length] == own
        )
        for shift in shifts(window)
    ]
    near = ops.logical_and(ops.stack(near, axis=2), (own >= 0)[:, :, None])
    near = ops.cast(near, "float32")
    sizes = total_last(near)
    return near, ops.cast(sizes > 0, "float32"), near / ops.maximum(sizes, 1.0)[:, :, None]


@fused
def window_sums(vectors, weights):
    """The weighted sum of the neighbours of each centre.

    Args:
        vectors: Of all tokens, (segments, length + 2 window, size).
        weights: Of each neighbour, (segments, length, 2 window).
    """
    length, window = weights.shape[1], weights.shape[2] // 2
    total = 0.0
    for column, shift in enumerate(shifts(window)):
        there = vectors[:, window + shift : window + shift + length]
        total = total + weights[:, :, column, None] * there
    return total


@fused
def window_shares(vectors, weights):
    """The way back: for each token the weighted sum of the centres it is a neighbour of.

    Args:
        vectors: Of the centres, (segments, length, size).
        weights: Of each neighbour, (segments, length, 2 window).
    """
    length, window = weights.shape[1], weights.shape[2] // 2
    wide = ((0, 0), (2 * window, 2 * window), (0, 0))
    vectors, weights = ops.pad(vectors, wide), ops.pad(weights, wide)
    total = 0.0
    for column, shift in enumerate(shifts(window)):
        here = slice(window - shift, 3 * window - shift + length)
        total = total + weights[:, here, column, None] * vectors[:, here]
    return total
