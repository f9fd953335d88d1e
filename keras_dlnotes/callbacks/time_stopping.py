"""Stop when the time is up."""

import datetime
import time

from keras_dlnotes import _checks
from keras_dlnotes.callbacks.resumable import Resumable


class TimeStopping(Resumable):
    """Ends the training after a given time, at the end of an epoch.

    For shared machines and fair comparisons. Keras has none; this is the one of TensorFlow Addons,
    with the same arguments, and it can count on across restarts and end within an epoch.

    Args:
        seconds: Number > 0. Defaults to 86400, a day.
        verbose: 0 or 1. With 1, a line says when it stopped. Defaults to 0.
        check: "epoch" or "batch". Where the training may end. Defaults to "epoch".
        state_path: Path or None. A file that keeps the time used, for trainings that are resumed
            by `keras.callbacks.BackupAndRestore`: the time then counts over all runs together, up
            to the last epoch that each has finished. Defaults to None.

    Attributes:
        elapsed: Seconds used so far, earlier runs included.
        stopped_epoch: The epoch, from 0, in which it stopped; None if it did not.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x = np.ones((4, 1))
        >>> history = model.fit(x, x, epochs=10**9, verbose=0, callbacks=[TimeStopping(0.5)])
        >>> len(history.epoch) < 10**9
        True
    """

    def __init__(self, seconds=86400, verbose=0, *, check="epoch", state_path=None):
        super().__init__(state_path)
        _checks.number("seconds", seconds, "(0, inf)")
        self.seconds = seconds
        self.verbose = _checks.one_of("verbose", verbose, (0, 1))
        self.check = _checks.one_of("check", check, ("epoch", "batch"))
        self.reset()

    def reset(self):
        self.stopped_epoch = None
        self._before, self._began, self._ended = 0.0, time.monotonic(), None

    @property
    def elapsed(self):
        now = time.monotonic() if self._ended is None else self._ended
        return self._before + now - self._began

    def get_state(self):
        """What has to survive a restart, as plain numbers."""
        return {"elapsed": self.elapsed}

    def set_state(self, state):
        """Takes up what `get_state` returned."""
        self._before += float(state["elapsed"])

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.check == "batch":
            self._stop_in_time()

    def on_epoch_end(self, epoch, logs=None):
        self._stop_in_time()
        self.leave(epoch + 1)

    def _stop_in_time(self):
        if self.elapsed >= self.seconds and self.stopped_epoch is None:
            self.stopped_epoch = self._epoch
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        self._ended = time.monotonic()
        if self.stopped_epoch is not None and self.verbose:
            print(
                f"Timed stopping at epoch {self.stopped_epoch + 1} after training for "
                f"{datetime.timedelta(seconds=round(self.elapsed))}"
            )
