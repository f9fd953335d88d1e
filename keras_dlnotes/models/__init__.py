"""Whole models: the perceptron, the MLP, autoencoders and ensembles."""

from keras_dlnotes.models.autoencoders.denoising import DenoisingAutoencoder
from keras_dlnotes.models.autoencoders.linear import LinearAutoencoder
from keras_dlnotes.models.autoencoders.sparse import SparseAutoencoder
from keras_dlnotes.models.autoencoders.stacked import StackedAutoencoder
from keras_dlnotes.models.ensemble import Diversity, Ensemble, measure_diversity
from keras_dlnotes.models.mlp import MLP, initializer_for
from keras_dlnotes.models.monte_carlo import monte_carlo
from keras_dlnotes.models.perceptron import Perceptron
from keras_dlnotes.models.snapshots import SnapshotRecorder, snapshot_ensemble

__all__ = [
    "MLP",
    "DenoisingAutoencoder",
    "Diversity",
    "Ensemble",
    "LinearAutoencoder",
    "Perceptron",
    "SnapshotRecorder",
    "SparseAutoencoder",
    "StackedAutoencoder",
    "initializer_for",
    "measure_diversity",
    "monte_carlo",
    "snapshot_ensemble",
]
