"""Word2Vec as a Keras model."""

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._believed import believe
from keras_dlnotes._saving import serializable
from keras_dlnotes.word2vec.huffman import HuffmanTree
from keras_dlnotes.word2vec.noise import NoiseDistribution
from keras_dlnotes.word2vec.outputs import prediction
from keras_dlnotes.word2vec.outputs.negative import SharedNoise
from keras_dlnotes.word2vec.outputs.softmax import FullSoftmax
from keras_dlnotes.word2vec.outputs.tree import TreePaths
from keras_dlnotes.word2vec.training.architectures import ContinuousBagOfWords, SkipGram
from keras_dlnotes.word2vec.training.fitting import Perplexity, Training
from keras_dlnotes.word2vec.training.initial_vectors import rows_of
from keras_dlnotes.word2vec.training.step import Step
from keras_dlnotes.word2vec.vocabulary import Vocabulary


@serializable
class Word2Vec(Training, keras.Model):
    """Vectors of words, learned from which words stand near which.

    Beside gensim's class of this name: trained by `fit` with any callback and optimizer, with an
    honest loss (the mean over training pairs) also on validation text, the same vectors for the
    same seed, and no limit on the length of sentences.

    With h the vector of the centre word (skip-gram) or the mean of the window's vectors (CBOW), and
    w each word of the window (skip-gram) or the centre word (CBOW), the loss of a pair is

        negative_sampling:     -log sigmoid(h . v_w) - sum over noise n of log sigmoid(-h . v_n)
        hierarchical_softmax:  -sum over w's path of log sigmoid(+-h . v_node)
        softmax:               -log softmax(h . v)_w

    The noise words are shared by neighbouring centre words and weighted, so that the expectation is
    that of `negative` words for each pair while everything is a dense product.

    `compile()` without an optimizer is word2vec's: plain gradient descent on the sum over pairs,
    its rate falling linearly to 1e-4 of itself over the run, no row moving farther than 0.5 in a
    step. Any other optimizer gets the same gradients as rows.

    Args:
        vocabulary: A `Vocabulary`, for instance `corpus.vocabulary`.
        vector_size: Integer. Defaults to 100.
        window: Integer. How far a word looks to either side. Defaults to 5.
        architecture: `"skip_gram"` or `"cbow"`.
        output: `"negative_sampling"`, `"hierarchical_softmax"` or `"softmax"`, the last for small
            vocabularies.
        negative: Integer. Noise words a pair. Defaults to 5.
        noise_exponent: Float. Noise is drawn by count ** `noise_exponent`. Defaults to 0.75.
        shared_noise: Integer. Noise words really drawn for each 32 centre words with skip-gram, for
            each 64 with CBOW. Defaults to 16.
        shrink_windows: Bool. Whether each window's width is drawn from 1 to `window`. Defaults to
            True.
        cbow_mean: Bool. Mean, or sum, of the window's vectors. Defaults to True.
        cbow_gradient: `"word2vec"` hands the gradient of the mean to each word whole, and that of
            the sum as a mean, as word2vec.c and gensim do; `"exact"` is the gradient of the loss.
        initial_vectors: Array, `WordVectors`, or a path to a file of vectors; words that have
            none start at random.
        frozen_words: Words whose vectors do not change.
        seed: Integer, for the initial vectors, windows and noise. Defaults to 0.

    Example:
        >>> from keras_dlnotes.word2vec.corpus import Corpus
        >>> corpus = Corpus.from_texts(["the cat saw the dog", "the dog slept"] * 50)
        >>> model = Word2Vec(corpus.vocabulary, vector_size=8, window=2)
        >>> model.compile()
        >>> history = model.fit(corpus.dataset(64, seed=1), epochs=2, verbose=0)
        >>> model.vectors["cat"].shape
        (8,)

    Reference: [Mikolov et al., 2013](https://arxiv.org/abs/1310.4546);
    [Rong, 2014](https://arxiv.org/abs/1411.2738)
    """

    def __init__(
        self,
        vocabulary,
        vector_size=100,
        window=5,
        architecture="skip_gram",
        output="negative_sampling",
        negative=5,
        *,
        noise_exponent=0.75,
        shared_noise=16,
        shrink_windows=True,
        cbow_mean=True,
        cbow_gradient="word2vec",
        initial_vectors=None,
        frozen_words=(),
        seed=0,
        **kwargs,
    ):
        connections = kwargs.pop("connections", None)  # From a config, see `believe`.
        super().__init__(**kwargs)
        if not isinstance(vocabulary, Vocabulary):
            _checks.fail("vocabulary", "be a Vocabulary", vocabulary)
        if len(vocabulary) < 2:
            _checks.fail("vocabulary", "hold two words at least", vocabulary)
        self.vocabulary = vocabulary
        self.vector_size = _checks.size("vector_size", vector_size)
        self.window = _checks.size("window", window)
        self.architecture = _checks.one_of("architecture", architecture, ("skip_gram", "cbow"))
        self.output_kind = _checks.one_of(
            "output", output, ("negative_sampling", "hierarchical_softmax", "softmax")
        )
        self.negative = _checks.size("negative", negative)
        self.noise_exponent = _checks.number("noise_exponent", noise_exponent)
        self.shared_noise = _checks.size("shared_noise", shared_noise)
        self.shrink_windows = _checks.boolean("shrink_windows", shrink_windows)
        self.cbow_mean = _checks.boolean("cbow_mean", cbow_mean)
        self.cbow_gradient = _checks.one_of("cbow_gradient", cbow_gradient, ("word2vec", "exact"))
        self.frozen_words = list(frozen_words)
        self.seed = _checks.integer("seed", seed, 0)

        believe(self.parameters["total"], connections)
        self._build_tables(initial_vectors)
        self._build_step()
        self.random = keras.random.SeedGenerator(self.seed)
        wide = "float64" if keras.backend.backend() == "tensorflow" else "float32"
        #: Words of the text this run has trained on, and how many it will; 0: not known.
        self.words_seen = self._count("words_seen", wide)
        self.words_planned = self._count("words_planned", wide)
        self.loss_metric = keras.metrics.Mean(name="loss")
        self.perplexity_metric = Perplexity(name="perplexity") if output == "softmax" else None
        self._own_optimizer = self._own_steps = None
        self.built = True

    def _count(self, name, dtype):
        return self.add_weight(
            shape=(),
            initializer="zeros",
            dtype=dtype,
            trainable=False,
            name=name,
            aggregation="sum",
        )

    def _build_tables(self, initial_vectors):
        words, size = len(self.vocabulary), self.vector_size
        rows = words - 1 if self.output_kind == "hierarchical_softmax" else words
        start = keras.initializers.RandomUniform(-0.5 / size, 0.5 / size, seed=self.seed)
        self.embeddings = self.add_weight(
            shape=(words, size), initializer=start, dtype="float32", name="embeddings"
        )
        self.output_table = self.add_weight(
            shape=(rows, size), initializer="zeros", dtype="float32", name="output"
        )
        if initial_vectors is not None:
            known, vectors = rows_of(initial_vectors, self.vocabulary, size)
            table = np.array(self.embeddings)
            table[known] = vectors
            self.embeddings.assign(table)
        self._moving = None
        if self.frozen_words:
            moving = np.ones((words, 1), np.float32)
            moving[[self.vocabulary.index(word) for word in self.frozen_words]] = 0
            self._moving = ops.convert_to_tensor(moving)

    def _build_step(self):
        counts, noise, tree = self.vocabulary.counts, None, None
        if self.architecture == "skip_gram":
            form = SkipGram()
        else:
            form = ContinuousBagOfWords(self.cbow_mean, self.cbow_gradient == "exact")
        if self.output_kind == "negative_sampling":
            head = SharedNoise(self.negative, self.shared_noise)
            noise = NoiseDistribution(counts, self.noise_exponent)
        elif self.output_kind == "hierarchical_softmax":
            tree = HuffmanTree(counts)
            # Words sorted along the tree share deep nodes, those of a window do not.
            head = TreePaths(tree, top=127 if form.predicts_windows else 31)
        else:
            head = FullSoftmax()
        self.tree = tree
        self._step = Step(form, head, self.window, self.shrink_windows, noise)
        self._compiled = None

    # -------------------------------------------------------------------------------- using it

    @property
    def vectors(self):
        """The words with their vectors as `WordVectors`: a copy, which further training leaves."""
        from keras_dlnotes.word2vec.vectors import WordVectors

        table = ops.convert_to_numpy(self.embeddings).copy()
        return WordVectors(self.vocabulary.words, table, self.vocabulary.counts)

    @property
    def parameters(self):
        """How many numbers each part holds, beside the count of the notes.

        The notes count (k + 1)(N x V): a table of N x V for the context and one for each of the k
        words it predicts. All outputs share one table instead.
        """
        words, size = len(self.vocabulary), self.vector_size
        outputs = 1 if self.architecture == "cbow" else 2 * self.window
        rows = words - 1 if self.output_kind == "hierarchical_softmax" else words
        return {
            "embeddings": words * size,
            "output": rows * size,
            "total": (words + rows) * size,
            "notes": (outputs + 1) * size * words,
        }

    def predict_context(self, words, topn=10):
        """The likeliest words beside (skip-gram) or amid (CBOW) the given ones.

        Returns a list of (word, probability). Words outside the vocabulary are ignored, as in
        gensim; for skip-gram the mean of the vectors stands for them all.
        """
        topn = _checks.integer("topn", topn, 1)
        ids = self.vocabulary.encode(words)
        if not len(ids):
            raise ValueError(f"None of these words is in the vocabulary: {list(words)!r}")
        logs = prediction.context(self, ids)
        best = np.argsort(-logs, kind="stable")[:topn]
        return [(self.vocabulary.words[word], float(np.exp(logs[word]))) for word in best]

    def score(self, sentences):
        """The log-likelihood of each sentence: over all pairs of whole windows, as in gensim.

        Under negative sampling a pair's probability is the softmax over all words, which it
        approximates in training.
        """
        _checks.several("sentences", sentences)
        return prediction.score(self, sentences)

    def extend(self, vocabulary):
        """A model over a longer vocabulary: known words keep their rows, new ones start anew.

        Compile it before going on. With hierarchical softmax the tree is a new one, so that the
        output starts at zero.
        """
        config = self.get_config()
        for own in ("name", "connections"):
            config.pop(own)
        config["vocabulary"] = vocabulary
        new = type(self)(**config)
        missing = [word for word in self.vocabulary.words if word not in vocabulary.indices]
        if missing:
            raise ValueError(f"The vocabulary lacks {len(missing)} words, such as {missing[0]!r}")
        rows = [vocabulary.index(word) for word in self.vocabulary.words]
        pairs = [(new.embeddings, self.embeddings)]
        if self.output_kind != "hierarchical_softmax":
            pairs.append((new.output_table, self.output_table))
        for to, source in pairs:
            table = ops.convert_to_numpy(to).copy()
            table[rows] = ops.convert_to_numpy(source)
            to.assign(table)
        return new

    def call(self, words):
        """Vectors of word indices."""
        return ops.take(self.embeddings, words, axis=0)

    def save_own_variables(self, store):
        super().save_own_variables(store)
        # Keras leaves generators out; without theirs a resumed run would not repeat.
        store["random"] = ops.convert_to_numpy(self.random.state)

    def load_own_variables(self, store):
        self.random.state.assign(store["random"][...])
        names = [
            str(number)
            for number in range(len(self._trainable_variables + self._non_trainable_variables))
        ]
        super().load_own_variables({name: store[name] for name in names})

    def get_config(self):
        return {
            "name": self.name,
            "vocabulary": self.vocabulary,
            "vector_size": self.vector_size,
            "window": self.window,
            "architecture": self.architecture,
            "output": self.output_kind,
            "negative": self.negative,
            "noise_exponent": self.noise_exponent,
            "shared_noise": self.shared_noise,
            "shrink_windows": self.shrink_windows,
            "cbow_mean": self.cbow_mean,
            "cbow_gradient": self.cbow_gradient,
            "frozen_words": self.frozen_words,
            "seed": self.seed,
            "connections": self.parameters["total"],
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        if isinstance(config["vocabulary"], dict):
            config["vocabulary"] = keras.saving.deserialize_keras_object(config["vocabulary"])
        return cls(**config)
