"""Keeps the weights on their way through training."""

import keras
from keras import ops

from keras_dlnotes import _checks


class TrajectoryRecorder(keras.callbacks.Callback):
    """Remembers the weights at the start of training and then every so often.

    For ``diagnostics.loss_landscape(..., directions="pca", trajectory=recorder)``, which draws the
    way of training onto the surface of the loss. `keras.callbacks.ModelCheckpoint` writes files
    instead, and not the weights before the first step. A second `fit` goes on recording;
    ``clear()`` forgets.

    Each snapshot is a list of arrays in memory, one for each floating-point weight in the order of
    ``model.weights``, so ``n`` snapshots take ``n`` times the memory of the weights.

    Args:
        every: "epoch", or a number of batches. Defaults to "epoch".

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> recorder = TrajectoryRecorder()
        >>> x = np.ones((4, 2))
        >>> _ = model.fit(x, x[:, :1], epochs=3, verbose=0, callbacks=[recorder])
        >>> len(recorder.snapshots), [w.shape for w in recorder.snapshots[0]]
        (4, [(2, 1), (1,)])
    """

    def __init__(self, every="epoch"):
        super().__init__()
        self.every = every if every == "epoch" else _checks.integer("every", every, 1)
        self.snapshots = []
        self.batches = 0

    def clear(self):
        """Forgets all snapshots."""
        self.snapshots, self.batches = [], 0

    def on_train_begin(self, logs=None):
        # Weights of a model that is built by its first batch do not exist yet.
        if not self.snapshots and self.model.built:
            self._record()

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1
        if self.every != "epoch" and self.batches % self.every == 0:
            self._record()

    def on_epoch_end(self, epoch, logs=None):
        if self.every == "epoch":
            self._record()

    def _record(self):
        weights = [v for v in self.model.weights if "float" in v.dtype]
        values = [ops.convert_to_numpy(ops.cast(v.value, "float32")).copy() for v in weights]
        self.snapshots.append(values)
