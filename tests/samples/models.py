import keras

from keras_dlnotes import models
from samples import Layer, TestedIn


def member():
    return keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])


SAMPLES = {
    "MLP": Layer(lambda: models.MLP(2, (4, 3), l2=0.01, input_shape=(5,), seed=1), shape=(4, 5)),
    "DenoisingAutoencoder": Layer(
        lambda: models.DenoisingAutoencoder(3, (4,), noise=0.2, seed=1), shape=(4, 5), random=True
    ),
    "Diversity": TestedIn("models/test_ensemble.py"),
    "Ensemble": Layer(lambda: models.Ensemble([member(), member()]), shape=(4, 5)),
    "LinearAutoencoder": Layer(lambda: models.LinearAutoencoder(2, seed=1), shape=(4, 5)),
    "Perceptron": TestedIn("models/test_perceptron.py"),
    "SnapshotRecorder": TestedIn("models/test_ensemble.py"),
    "SparseAutoencoder": Layer(lambda: models.SparseAutoencoder(3, seed=1), shape=(4, 5)),
    "StackedAutoencoder": Layer(lambda: models.StackedAutoencoder(2, (4,), seed=1), shape=(4, 5)),
    "initializer_for": TestedIn("models/test_mlp.py"),
    "measure_diversity": TestedIn("models/test_ensemble.py"),
    "monte_carlo": TestedIn("models/test_ensemble.py"),
    "snapshot_ensemble": TestedIn("models/test_ensemble.py"),
}
