"""Vectors of words: from text to a trained model, and what to ask it."""

from keras_dlnotes.word2vec.corpus import Corpus
from keras_dlnotes.word2vec.phrases import Phrases
from keras_dlnotes.word2vec.vectors import WordVectors
from keras_dlnotes.word2vec.vocabulary import Vocabulary

__all__ = [
    "Corpus",
    "Phrases",
    "Vocabulary",
    "WordVectors",
]
