"""Negative sampling as a layer."""

import keras
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.word2vec.class_head import ClassHead
from keras_dlnotes.word2vec.noise import NoiseDistribution


@serializable
class NegativeSampling(ClassHead):
    """Tells each true class from a few drawn at random, instead of from all others.

    For models with very many classes of which good hidden vectors, not exact probabilities, are
    wanted. `probabilities` is the softmax over all classes.

        loss = -log sigmoid(h . v_label) - sum over noise n of log sigmoid(-h . v_n)

    Args:
        counts: How often each class occurs, from which noise is drawn.
        negative: Integer. Noise classes an example. Defaults to 5.
        exponent: Float. Noise is drawn by count ** `exponent`. Defaults to 0.75.
        shared: Integer or `None`. The whole batch shares so many noise classes, each weighted
            `negative` / `shared`: one dense product instead of a lookup for each example.
        seed: Integer, a `keras.random.SeedGenerator`, or `None`.

    Example:
        >>> import numpy as np
        >>> head = NegativeSampling([50, 30, 15, 5], negative=2, seed=1)
        >>> head(np.ones((8, 4), "float32"), np.zeros(8, "int32")).shape
        TensorShape([8])
        >>> head.predict(np.ones((2, 4), "float32")).shape
        (2,)

    Reference: [Mikolov et al., 2013](https://arxiv.org/abs/1310.4546)
    """

    def __init__(self, counts, negative=5, exponent=0.75, shared=None, seed=None, **kwargs):
        super().__init__(counts, **kwargs)
        self.negative = _checks.size("negative", negative)
        self.exponent = _checks.number("exponent", exponent)
        self.shared = shared if shared is None else _checks.size("shared", shared)
        self.seed = _checks.seed("seed", seed)
        made = isinstance(self.seed, keras.random.SeedGenerator)
        self.random = self.seed if made else keras.random.SeedGenerator(self.seed)
        noise = NoiseDistribution(self.counts, self.exponent)
        self._threshold, self._alias = noise.threshold, noise.alias

    def build(self, hidden_shape, labels_shape=None):
        self.rows = self.add_weight(
            (self.classes, hidden_shape[-1]), "zeros", autocast=False, name="rows"
        )
        self.built = True

    def sample(self, shape):
        """Draws noise classes."""
        drawn = keras.random.uniform((2, *shape), dtype="float32", seed=self.random)
        noise = ops.minimum(ops.cast(drawn[0] * self.classes, "int32"), self.classes - 1)
        kept = drawn[1] < ops.take(ops.convert_to_tensor(self._threshold), noise, axis=0)
        return ops.where(kept, noise, ops.take(ops.convert_to_tensor(self._alias), noise, axis=0))

    def losses_of(self, hidden, labels):
        """The loss of each example against fresh noise."""
        hidden = ops.cast(hidden, self.variable_dtype)
        right = ops.sum(hidden * ops.take(self.rows, labels, axis=0), axis=-1)
        if self.shared is None:
            noise = self.sample((ops.shape(labels)[0], self.negative))
            scores = ops.sum(hidden[:, None, :] * ops.take(self.rows, noise, axis=0), axis=-1)
            weight = 1.0
        else:
            rows = ops.take(self.rows, self.sample((self.shared,)), axis=0)
            scores = ops.matmul(hidden, ops.transpose(rows))
            weight = self.negative / self.shared
        return ops.softplus(-right) + weight * ops.sum(ops.softplus(scores), axis=-1)

    def log_probabilities(self, hidden):
        """The softmax over all classes, (batch, classes)."""
        hidden = ops.cast(hidden, self.variable_dtype)
        return ops.log_softmax(ops.matmul(hidden, ops.transpose(self.rows)))

    def get_config(self):
        made = isinstance(self.seed, keras.random.SeedGenerator)
        return {
            **super().get_config(),
            "negative": self.negative,
            "exponent": self.exponent,
            "shared": self.shared,
            "seed": keras.saving.serialize_keras_object(self.seed) if made else self.seed,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        if isinstance(config["seed"], dict):
            config["seed"] = keras.saving.deserialize_keras_object(config["seed"])
        return cls(**config)
