"""The search space of word vectors, judged by what they answer."""

import os

from keras_dlnotes import _checks
from keras_dlnotes.tuning.corpora import Questions, Texts
from keras_dlnotes.tuning.hypermodel import TrainedHyperModel
from keras_dlnotes.tuning.spaces import checked_bounds, checked_choices, choice, integer, real
from keras_dlnotes.word2vec.corpus import Corpus
from keras_dlnotes.word2vec.model import Word2Vec


class Word2VecHyperModel(TrainedHyperModel):
    """Word vectors: their size, window, noise, thinning out and learning rate.

    Trials are judged by questions about the vectors, asked after each epoch, not by their loss:
    another window or more noise words make another loss, which says nothing about the vectors.

    Each range is an argument: a pair is searched, a single value is fixed. The names Keras Tuner
    sees are `vector_size`, `window`, `negative`, `sample`, `learning_rate`, `architecture`,
    `output`, `batch_tokens` and `epochs`.

    Args:
        analogies: Path of analogies in the form of questions-words.txt. The share solved is called
            "analogies" in the logs, and is the objective unless another is named.
        word_pairs: Path of word pairs with judgements of similarity. Spearman's coefficient is
            called "word_pairs"; the objective where there are no analogies.
        vector_size: Integer or pair. Defaults to (50, 300).
        window: Integer or pair. Defaults to (2, 10).
        negative: Integer or pair. Idle with hierarchical softmax. Defaults to (3, 15).
        sample: Float or pair: how strongly frequent words are thinned out; 0 is not at all.
            Defaults to (1e-5, 1e-3).
        learning_rate: Float or pair. It falls to 0 over the epochs. Defaults to (0.01, 0.1).
        architectures: Of "skip_gram" and "cbow". Defaults to "skip_gram".
        outputs: Of "negative_sampling" and "hierarchical_softmax". Defaults to the first.
        batch_tokens: Integers to choose from: words a step. Defaults to 4096.
        epochs: Integer or pair; Hyperband decides by itself. Defaults to 5.
        restrict_vocab: Integer. Only so many of the first words take part in the questions.
            Defaults to 30000.
        seed: Integer.

    Example:
        >>> hypermodel = Word2VecHyperModel(word_pairs="similar.tsv", window=5)
        >>> hypermodel.default_objective
        'word_pairs'
    """

    watched = False  # Its descent is several times as fast with nobody between.
    directions = {"analogies": "max", "word_pairs": "max"}

    def __init__(
        self,
        analogies=None,
        word_pairs=None,
        vector_size=(50, 300),
        window=(2, 10),
        negative=(3, 15),
        sample=(1e-5, 1e-3),
        learning_rate=(0.01, 0.1),
        architectures="skip_gram",
        outputs="negative_sampling",
        batch_tokens=4096,
        epochs=5,
        *,
        restrict_vocab=30000,
        seed=0,
    ):
        super().__init__(None, _checks.integer("seed", seed, 0))
        if analogies is None and word_pairs is None:
            _checks.fail("analogies", "be a file unless `word_pairs` is one", analogies)
        self.analogies, self.word_pairs = analogies, word_pairs
        self.vector_size = checked_bounds("vector_size", vector_size, _checks.integer, 1)
        self.window = checked_bounds("window", window, _checks.integer, 1)
        self.negative = checked_bounds("negative", negative, _checks.integer, 1)
        self.sample = checked_bounds("sample", sample, _checks.number, "[0, 1]")
        if self.sample[0] == 0 < self.sample[1]:
            _checks.fail(
                "sample", "be 0 or a range above 0, since it is searched by powers", sample
            )
        self.learning_rate = checked_bounds(
            "learning_rate", learning_rate, _checks.number, "(0, inf)"
        )
        self.architectures = checked_choices("architectures", architectures, ("skip_gram", "cbow"))
        self.outputs = checked_choices(
            "outputs", outputs, ("negative_sampling", "hierarchical_softmax")
        )
        self.batch_tokens = checked_choices("batch_tokens", batch_tokens)
        for size in self.batch_tokens:
            _checks.integer("batch_tokens", size, 1)
        self.epochs = checked_bounds("epochs", epochs, _checks.integer, 1)
        self.restrict_vocab = _checks.integer("restrict_vocab", restrict_vocab, 1)
        self.vocabulary = None

    @property
    def default_objective(self):
        return "word_pairs" if self.analogies is None else "analogies"

    def prepare(self, x, y=None):
        if not isinstance(x, Corpus):
            _checks.fail("x", "be a Corpus", x)
        if y is not None:
            _checks.fail("y", "be None: a text is its own target", y)
        self.vocabulary = x.vocabulary

    def source(self, x, y, validation, folds, seed):
        self.prepare(x, y)
        return Texts(self, x, validation, folds)

    def build(self, hp):
        if self.vocabulary is None:
            raise ValueError("What to build follows from the data: call `prepare(corpus)` first.")
        real(hp, "sample", self.sample, sampling="log")
        choice(hp, "batch_tokens", self.batch_tokens)
        integer(hp, "epochs", self.epochs)
        model = Word2Vec(
            self.vocabulary,
            integer(hp, "vector_size", self.vector_size, sampling="log"),
            integer(hp, "window", self.window),
            choice(hp, "architecture", self.architectures),
            choice(hp, "output", self.outputs),
            integer(hp, "negative", self.negative, sampling="log"),
            seed=self.seed,
        )
        rate = real(hp, "learning_rate", self.learning_rate, sampling="log")
        model.compile(learning_rate=float(rate))
        # With its count of steps made now, saved weights can be loaded before the first step.
        model.optimizer.build(model.trainable_variables)
        return model

    def fit(
        self,
        hp,
        model,
        corpus,
        validation_data=None,
        epochs=None,
        initial_epoch=0,
        callbacks=(),
        **more,
    ):
        """Trains one trial on the corpus, thinned out by its own `sample`."""
        planned = self.total_epochs or hp.get("epochs")
        epochs = epochs or planned

        def batches(text, seed, **how):
            text = Corpus(
                text.vocabulary,
                text.tokens,
                text.sentence_starts,
                sample=hp.get("sample"),
                formula=text.formula,
            )
            return text.dataset(hp.get("batch_tokens"), hp.get("window"), seed=seed, **how)

        if validation_data is not None:
            more["validation_data"] = batches(validation_data, 0, shuffle=False)
        # The rate falls over all epochs planned, whichever of them this rung of Hyperband trains.
        words = corpus.total_words
        model.words_seen.assign(initial_epoch * words)
        return model.fit(
            batches(corpus, self.seed + initial_epoch),
            epochs=epochs,
            initial_epoch=initial_epoch,
            total_words=words * planned / epochs,
            callbacks=[Questions(self), *callbacks],
            **more,
        )

    def settings(self):
        ranges = ("vector_size", "window", "negative", "sample", "learning_rate", "architectures")
        names = (*ranges, "outputs", "batch_tokens", "epochs", "restrict_vocab", "seed")
        files = (self.analogies, self.word_pairs)
        return {
            "model": "Word2Vec",
            "questions": [None if file is None else os.fspath(file) for file in files],
            **{name: getattr(self, name) for name in names},
            "words": None if self.vocabulary is None else len(self.vocabulary),
        }
