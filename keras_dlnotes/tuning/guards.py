"""Callbacks that look after one trial: its rate and its numbers."""

import keras
import keras_tuner
import numpy as np

from keras_dlnotes.schedules.cosine_decay import CosineDecay
from keras_dlnotes.schedules.one_cycle import OneCycle

#: The learning rates of a whole training, one a step, by the name of their schedule.
CURVES = {
    "constant": lambda rate, steps: np.full(steps, rate),
    "cosine": lambda rate, steps: CosineDecay(rate, steps).curve(steps),
    "one_cycle": lambda rate, steps: OneCycle(rate, steps).curve(steps),
}


class ScheduledRate(keras.callbacks.Callback):
    """Sets the learning rate for each step from a curve over the whole training.

    A trial that Hyperband promotes starts at a later epoch; its curve goes on from there instead of
    starting over, since the position is counted from the first epoch of the first rung.

    Args:
        kind: "constant", "cosine" (from the top to zero) or "one_cycle" (up, then down to nothing).
        rate: Float. The highest learning rate.
        epochs: Integer. Epochs of the whole training, all rungs together.
        initial_epoch: Integer. Epochs already trained.
    """

    def __init__(self, kind, rate, epochs, initial_epoch=0):
        super().__init__()
        self.kind, self.rate, self.epochs = kind, rate, epochs
        self.initial_epoch = initial_epoch

    def on_train_begin(self, logs=None):
        steps = self.params["steps"]
        self.rates = CURVES[self.kind](self.rate, self.epochs * steps)
        self.step = self.initial_epoch * steps

    def on_train_batch_begin(self, batch, logs=None):
        # Past the planned end, as with more epochs asked of `fit`, the last rate stays.
        self.model.optimizer.learning_rate = float(self.rates[min(self.step, len(self.rates) - 1)])
        self.step += 1


class FailOnNonFinite(keras.callbacks.Callback):
    """Marks the trial as failed at the first loss that is no number; the search goes on."""

    def on_train_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss", 0.0)
        if not np.isfinite(loss):
            raise keras_tuner.errors.FailedTrialError(f"The loss became {loss} at batch {batch}.")


def out_of_memory(error):
    """Whether an exception says that memory ran out, on whatever backend."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"ResourceExhaustedError", "MemoryError", "OutOfMemoryError"}) or (
        "RESOURCE_EXHAUSTED" in str(error)
    )
