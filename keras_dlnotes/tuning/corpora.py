"""Texts as what trials are trained on, and questions about the vectors as their score."""

import keras

from keras_dlnotes import _checks
from keras_dlnotes.word2vec.asking import evaluation
from keras_dlnotes.word2vec.corpus import Corpus


def answers(hypermodel, vectors):
    """What vectors score on the hypermodel's questions, by the names used in the logs."""
    scores = {}
    limit = {"restrict_vocab": hypermodel.restrict_vocab}
    if hypermodel.analogies is not None:
        share, sections = evaluation.analogies(vectors, hypermodel.analogies, **limit)
        if not any(sections[-1][key] for key in ("correct", "incorrect")):
            raise ValueError(
                f"None of the analogies in {str(hypermodel.analogies)!r} has all its words in the "
                "vocabulary."
            )
        scores["analogies"] = float(share)
    if hypermodel.word_pairs is not None:
        _, spearman, _ = evaluation.word_pairs(vectors, hypermodel.word_pairs, **limit)
        scores["word_pairs"] = float(spearman[0])
    return scores


class Questions(keras.callbacks.Callback):
    """Asks after each epoch, and puts the answers into its logs."""

    def __init__(self, hypermodel):
        super().__init__()
        self.hypermodel = hypermodel

    def on_epoch_end(self, epoch, logs=None):
        logs.update(answers(self.hypermodel, self.model.vectors))


class Texts:
    """A corpus, with a part held out for the validation loss if that is asked for.

    What is held out is for curves and early stopping. The score comes from questions, whatever
    was held out, so folds would say nothing. The methods are those of `sources.Arrays`.
    """

    def __init__(self, hypermodel, corpus, validation, folds):
        self.hypermodel = hypermodel
        if folds is not None:
            _checks.fail("folds", "be None for a corpus, whose vectors answer questions", folds)
        held_out = None
        if isinstance(validation, Corpus):
            if validation.vocabulary.words != corpus.vocabulary.words:
                _checks.fail("validation", "be encoded with the corpus' own vocabulary", validation)
            held_out = validation
        elif validation is not None:
            corpus, held_out = corpus.split(_checks.number("validation", validation, "(0, 1)"))
        self.parts = [((corpus,), held_out)]

    def names(self, model):
        return list(self.evaluate(model, self.parts[0]))

    def evaluate(self, model, part):
        return answers(self.hypermodel, model.vectors)
