"""Which words of a step meet where each predicts a window: chunks, their frames, and the band."""

import numpy as np
from keras import ops

from keras_dlnotes.word2vec.training.compiled import fused

#: Centre words of a chunk, where a step is fastest.
CHUNK = 32


class Windows:
    """The windows of a step as small dense blocks.

    The centre words are cut into chunks; a chunk's frame is the chunk with `window` words on both
    sides. Everything a chunk's centres meet lies in its frame, so the pairs of a chunk are a band
    in a matrix of (chunk, frame): products instead of lists of pairs.

    Args:
        tokens: Word indices, (segments, length + 2 window).
        sentences: Sentence of each, -1 for padding.
        widths: How far each centre word looks, (segments, length); at most `window`.

    Attributes:
        centres: Word indices of the chunks, (chunks, chunk).
        frames: Word indices of their frames, (chunks, chunk + 2 window).
        pairs: 1.0 where a centre meets a word of its frame, else 0.0, (chunks, chunk, frame).
    """

    def __init__(self, tokens, sentences, widths):
        length = widths.shape[1]
        window = (tokens.shape[1] - length) // 2
        chunk = chunk_of(length)
        self.centres, self.frames = cut(tokens, length, window)
        of_centres, of_frames = cut(sentences, length, window)
        distance = np.abs(np.arange(chunk + 2 * window) - window - np.arange(chunk)[:, None])
        # A distance of 0 is the word itself; a width of 0 then lets it meet nobody.
        distance = np.where(distance == 0, 1 << 30, distance).astype(np.int32)
        reach = ops.reshape(widths, (-1, chunk, 1))
        self.pairs = _meet(ops.convert_to_tensor(distance), reach, of_centres, of_frames)


@fused
def _meet(distance, reach, of_centres, of_frames):
    """1.0 where a word is near enough and stands in the same sentence."""
    near = ops.logical_and(distance <= reach, of_centres[:, :, None] == of_frames[:, None, :])
    return ops.cast(ops.logical_and(near, of_centres[:, :, None] >= 0), "float32")


def chunk_of(length):
    """Centre words of a chunk in segments of so many."""
    return largest_divisor(length, CHUNK)


def cut(x, length, window):
    """Of each chunk the places in the middle, and with those `window` to both sides."""
    chunk = chunk_of(length)
    places = np.arange(0, length, chunk)[:, None] + np.arange(chunk + 2 * window)
    centres = np.arange(length).reshape(-1, chunk) + window

    flat, rows = ops.reshape(x, (-1,)), np.arange(x.shape[0])[:, None, None] * x.shape[1]

    def take(index):  # From a flat array: TensorFlow is slow along an inner axis.
        return ops.take(flat, (rows + index).reshape(-1, index.shape[1]).astype("int32"), axis=0)

    return take(centres), take(places)


def largest_divisor(number, limit):
    """The largest divisor of `number` that is at most `limit`."""
    return max(size for size in range(1, min(number, limit) + 1) if number % size == 0)
