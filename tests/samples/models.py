import keras

from keras_dlnotes import models
from samples import Layer, TestedIn


def member():
    return keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])


SAMPLES = {
    "Diversity": TestedIn("models/test_ensemble.py"),
    "Ensemble": Layer(lambda: models.Ensemble([member(), member()]), shape=(4, 5)),
    "Perceptron": TestedIn("models/test_perceptron.py"),
    "SnapshotRecorder": TestedIn("models/test_ensemble.py"),
    "measure_diversity": TestedIn("models/test_ensemble.py"),
    "monte_carlo": TestedIn("models/test_ensemble.py"),
    "snapshot_ensemble": TestedIn("models/test_ensemble.py"),
}
