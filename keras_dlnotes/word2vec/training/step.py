"""One step of training, without any state: random numbers in, gradients of rows out."""

import keras
from keras import ops

from keras_dlnotes.word2vec.outputs.negative import SharedNoise, sharing
from keras_dlnotes.word2vec.outputs.tree import TreePaths
from keras_dlnotes.word2vec.training.compiled import fused


class Step:
    """An architecture with an output.

    Args:
        form: What predicts: `SkipGram` or `ContinuousBagOfWords`.
        head: How it predicts: `SharedNoise`, `TreePaths` or `FullSoftmax`.
        window: How far a word looks.
        shrink: Whether the width of each window is drawn from 1 to `window`.
        noise: `NoiseDistribution`, for `SharedNoise`.
    """

    def __init__(self, form, head, window, shrink=True, noise=None):
        self.form, self.head, self.window, self.shrink = form, head, window, shrink
        if noise is not None:
            self.threshold = ops.convert_to_tensor(noise.threshold)
            self.alias = ops.convert_to_tensor(noise.alias)

    def draw(self, batch, seed, static=True):
        """A batch with the windows and the noise it is trained with.

        Returns (tokens, sentences, widths, what the head needs besides). `static`: see
        `TreePaths.entries`.
        """
        length = batch["words"].shape[1]
        halo = (batch["tokens"].shape[1] - length) // 2
        if self.window > halo:
            raise ValueError(
                f"The batches are made for windows of up to {halo}, the model looks "
                f"{self.window} words far: use dataset(window={self.window})"
            )
        spare = halo - self.window
        inner = slice(spare, spare + length + 2 * self.window)
        tokens, sentences = batch["tokens"][:, inner], batch["sentences"][:, inner]
        segments = tokens.shape[0]

        widths = ops.full((segments, length), self.window, dtype="int32")
        if self.shrink:
            drawn = ops.cast(_uniform((segments, length), seed, 0) * self.window, "int32")
            widths = 1 + ops.minimum(drawn, self.window - 1)
        extra, single = None, not self.form.predicts_windows
        if isinstance(self.head, SharedNoise):
            groups = segments * length // sharing(length, single)
            extra = self.noise((groups, self.head.size), seed)
        elif isinstance(self.head, TreePaths):
            extra = self.head.entries(tokens, length, self.window, single, static)
        return tokens, sentences, widths, extra

    def noise(self, shape, seed):
        """Noise words by the alias method."""
        return _noise(_uniform((2, *shape), seed, 1), self.threshold, self.alias)

    def gradients(self, embeddings, output, tokens, sentences, widths, extra):
        """Loss summed over pairs, number of pairs, updates of the two tables."""
        return self.form.gradients(embeddings, output, self.head, tokens, sentences, widths, extra)


@fused
def _noise(drawn, threshold, alias):
    """The word of each pair of numbers in [0, 1), see `NoiseDistribution`."""
    words = alias.shape[0]
    place = ops.minimum(ops.cast(drawn[0] * words, "int32"), words - 1)
    kept = drawn[1] < ops.take(threshold, place, axis=0)
    return ops.where(kept, place, ops.take(alias, place, axis=0))


def _uniform(shape, seed, number):
    """Numbers in [0, 1) from a generator, or from a constant and the number of the draw."""
    return keras.random.uniform(shape, seed=seed + number if isinstance(seed, int) else seed)
