"""Search spaces and hypermodels for Keras Tuner, and one call that runs a search."""

from keras_dlnotes.tuning.autoencoder import AutoencoderHyperModel
from keras_dlnotes.tuning.hopeless import HopelessGradients
from keras_dlnotes.tuning.mlp import MLPHyperModel
from keras_dlnotes.tuning.result import TuningResult
from keras_dlnotes.tuning.search import tune
from keras_dlnotes.tuning.word2vec import Word2VecHyperModel

__all__ = [
    "AutoencoderHyperModel",
    "HopelessGradients",
    "MLPHyperModel",
    "TuningResult",
    "Word2VecHyperModel",
    "tune",
]
