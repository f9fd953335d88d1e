"""Whole models: the perceptron, the MLP with its recipe, autoencoders and ensembles."""

from keras_dlnotes.models.ensemble import Diversity, Ensemble, measure_diversity
from keras_dlnotes.models.monte_carlo import monte_carlo
from keras_dlnotes.models.perceptron import Perceptron
from keras_dlnotes.models.snapshots import SnapshotRecorder, snapshot_ensemble

__all__ = [
    "Diversity",
    "Ensemble",
    "Perceptron",
    "SnapshotRecorder",
    "measure_diversity",
    "monte_carlo",
    "snapshot_ensemble",
]
