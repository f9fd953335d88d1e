"""Vectors of words: from text to a trained model, and what to ask it."""

from keras_dlnotes.word2vec.batches import Batches
from keras_dlnotes.word2vec.corpus import Corpus
from keras_dlnotes.word2vec.hierarchical_softmax import HierarchicalSoftmax
from keras_dlnotes.word2vec.huffman import HuffmanTree
from keras_dlnotes.word2vec.model import Word2Vec
from keras_dlnotes.word2vec.negative_sampling import NegativeSampling
from keras_dlnotes.word2vec.noise import NoiseDistribution
from keras_dlnotes.word2vec.phrases import Phrases
from keras_dlnotes.word2vec.vectors import WordVectors
from keras_dlnotes.word2vec.vocabulary import Vocabulary

__all__ = [
    "Batches",
    "Corpus",
    "HierarchicalSoftmax",
    "HuffmanTree",
    "NegativeSampling",
    "NoiseDistribution",
    "Phrases",
    "Vocabulary",
    "Word2Vec",
    "WordVectors",
]
