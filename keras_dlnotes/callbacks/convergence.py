"""Stop when the weights stop moving."""

import keras
import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes.callbacks.resumable import Resumable


class Convergence(Resumable):
    """Ends the training once an epoch no longer moves the weights.

    The textbook's criterion, w_new = w_old, which needs no validation data and asks about the
    optimization alone; `keras.callbacks.EarlyStopping` asks about a metric. It suits full-batch
    descent and decaying learning rates; at a constant rate the noise of small batches keeps weights
    moving for ever.

        change = ||w - w_previous|| / ||w_previous||        over all trainable weights together

    Each epoch's change goes into the logs, and so into the history, as `weight_change`.

    Args:
        tolerance: Float >= 0. An epoch with `change <= tolerance` stands still. Defaults to 1e-4.
        patience: Integer >= 1. So many such epochs in a row end the training. Defaults to 1.
        start_from_epoch: Integer >= 0. Epochs before it are not counted. Defaults to 0.
        verbose: 0 or 1. With 1, a line says when it stopped. Defaults to 0.
        state_path: Path or None. A file that keeps the count, for trainings that are resumed by
            `keras.callbacks.BackupAndRestore`. Defaults to None.

    Attributes:
        changes: List of the changes so far, one an epoch.
        stopped_epoch: The epoch, from 0, after which it stopped; None if it did not.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
        >>> model.set_weights([np.array([[1.0]])])
        >>> model.compile(keras.optimizers.SGD(0.25), "mse")
        >>> x = np.ones((4, 1))  # The error halves every epoch: w = 2 - 0.5 ** epoch.
        >>> stop = Convergence(tolerance=0.05)
        >>> history = model.fit(x, 2 * x, epochs=100, verbose=0, callbacks=[stop])
        >>> [round(change, 3) for change in stop.changes]
        [0.5, 0.167, 0.071, 0.033]
    """

    def __init__(
        self, tolerance=1e-4, patience=1, start_from_epoch=0, verbose=0, *, state_path=None
    ):
        super().__init__(state_path)
        self.tolerance = _checks.number("tolerance", tolerance, "[0, inf)")
        self.patience = _checks.integer("patience", patience, 1)
        self.start_from_epoch = _checks.integer("start_from_epoch", start_from_epoch, 0)
        self.verbose = _checks.one_of("verbose", verbose, (0, 1))
        self.reset()

    def reset(self):
        self.wait, self.changes, self.stopped_epoch = 0, [], None
        self._weights = None

    def get_state(self):
        """What has to survive a restart, as plain numbers."""
        return {"wait": self.wait, "changes": self.changes}

    def set_state(self, state):
        """Takes up what `get_state` returned."""
        self.wait, self.changes = state["wait"], list(state["changes"])

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        # By now a backup has been restored, so the first comparison is with its weights.
        if self._weights is None and self.model.built:
            self._weights = self._now()

    def on_epoch_end(self, epoch, logs=None):
        before, self._weights = self._weights, self._now()
        if before is None or len(before) != len(self._weights):
            return  # The first epoch has built the model, or thawed a layer.
        moved = _norm([new - old for new, old in zip(self._weights, before, strict=True)])
        size = _norm(before)
        change = moved / size if size != 0 else (0.0 if moved == 0 else float("inf"))
        self.changes.append(change)
        if logs is not None:
            logs["weight_change"] = change
        if epoch >= self.start_from_epoch:
            self.wait = self.wait + 1 if change <= self.tolerance else 0
        if self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True
        self.leave(epoch + 1)

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        self._weights = None
        if self.stopped_epoch is not None and self.verbose:
            print(
                f"Epoch {self.stopped_epoch + 1}: the weights have converged "
                f"(change {self.changes[-1]:.2e})"
            )

    def _now(self):
        return [
            np.array(keras.ops.convert_to_numpy(weight), "float64")
            for weight in self.model.trainable_weights
        ]


def _norm(arrays):
    return float(np.sqrt(sum(np.sum(np.square(array)) for array in arrays)))
