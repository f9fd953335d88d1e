"""What an output layer for many classes has in common, whatever it computes in training."""

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._believed import Sized


class ClassHead(Sized, keras.layers.Layer):
    """A layer between a hidden vector and very many classes.

    `layer(hidden, labels)` returns the loss of each example and adds its mean to the model's
    losses, so `compile` needs no loss; `layer(hidden)` returns the probabilities of all classes.
    Both are computed as precisely as the weights are kept, also under mixed precision.
    """

    def __init__(self, counts, **kwargs):
        super().__init__(**kwargs)
        numbers = np.asarray(counts)
        whole = numbers.dtype.kind in "iuf" and np.all(numbers == np.floor(numbers))
        if not whole or numbers.ndim != 1 or len(numbers) < 2 or numbers.min() < 0:
            _checks.fail("counts", "hold a count of at least 0 for two classes or more", counts)
        self.counts = [int(count) for count in numbers.tolist()]

    @property
    def classes(self):
        """How many there are."""
        return len(self.counts)

    def call(self, hidden, labels=None):
        if labels is None:
            return self.probabilities(hidden)
        loss = self.losses_of(hidden, ops.reshape(ops.cast(labels, "int32"), (-1,)))
        count = ops.cast(ops.shape(loss)[0], loss.dtype)
        self.add_loss(ops.sum(loss) / ops.maximum(count, 1))  # A device may get no example.
        return loss

    def probabilities(self, hidden):
        """Of all classes, (batch, classes)."""
        return ops.exp(self.log_probabilities(hidden))

    def top_k(self, hidden, k=10):
        """The `k` likeliest classes: probabilities and classes, both (batch, k)."""
        return ops.top_k(self.probabilities(hidden), k)

    def predict(self, hidden):
        """The likeliest class of each row, as a NumPy array."""
        logs = self.log_probabilities(ops.convert_to_tensor(hidden))
        return ops.convert_to_numpy(ops.argmax(logs, axis=-1))

    def compute_output_shape(self, hidden_shape, labels_shape=None):
        return hidden_shape[:1] if labels_shape is not None else (hidden_shape[0], self.classes)

    def compute_output_spec(self, hidden, labels=None):
        shapes = hidden.shape, None if labels is None else labels.shape
        return keras.KerasTensor(self.compute_output_shape(*shapes), self.variable_dtype)

    def get_config(self):
        return {**super().get_config(), "counts": list(self.counts)}
