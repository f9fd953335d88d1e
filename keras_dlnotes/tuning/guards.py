"""Callbacks that look after one trial: its rate, its numbers and its gradients."""

import math

import keras
import keras_tuner
import numpy as np


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
        self.steps = self.params["steps"]
        self.step = self.initial_epoch * self.steps

    def on_train_batch_begin(self, batch, logs=None):
        position = min(self.step / (self.epochs * self.steps), 1)
        self.model.optimizer.learning_rate = self.rate * fraction(self.kind, position)
        self.step += 1


def fraction(kind, position):
    """The share of the highest rate at a position in [0, 1].

    Example:
        >>> [round(fraction("one_cycle", p), 2) for p in (0, 0.3, 0.65, 1)]
        [0.04, 1.0, 0.5, 0.0]
    """
    if kind == "constant":
        return 1.0
    if kind == "cosine":
        return (1 + math.cos(math.pi * position)) / 2
    warm, start, end = 0.3, 1 / 25, 1e-4
    if position < warm:
        low, high, part = start, 1.0, position / warm
        return low + (high - low) * (1 - math.cos(math.pi * part)) / 2
    part = (position - warm) / (1 - warm)
    return end + (1 - end) * (1 + math.cos(math.pi * part)) / 2


class FailOnNonFinite(keras.callbacks.Callback):
    """Marks the trial as failed at the first loss that is no number; the search goes on."""

    def on_train_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss", 0.0)
        if not np.isfinite(loss):
            raise keras_tuner.errors.FailedTrialError(f"The loss became {loss} at batch {batch}.")


def out_of_memory(error):
    """Whether an exception says that memory ran out, on whatever backend."""
    names = {type(error).__name__} | {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"ResourceExhaustedError", "MemoryError", "OutOfMemoryError"}) or (
        "RESOURCE_EXHAUSTED" in str(error)
    )
