"""Search spaces and hypermodels for Keras Tuner, and one call that runs a search."""

from keras_dlnotes.tuning.hopeless import HopelessGradients
from keras_dlnotes.tuning.hypermodels import AutoencoderHyperModel, MLPHyperModel
from keras_dlnotes.tuning.result import TuningResult
from keras_dlnotes.tuning.search import tune

__all__ = [
    "AutoencoderHyperModel",
    "HopelessGradients",
    "MLPHyperModel",
    "TuningResult",
    "tune",
]
