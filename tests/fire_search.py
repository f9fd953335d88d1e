"""The search that tests start and kill. Imported by its processes before they part."""

import json
import os
import time

import fire_workers
import keras
import keras_tuner
import numpy as np

from keras_dlnotes.tuning import tune


class Small(keras_tuner.HyperModel):
    """Trials of a tenth of a second."""

    def build(self, hp):
        units = hp.Int("units", 1, 40)
        model = keras.Sequential(
            [keras.Input((3,)), keras.layers.Dense(units), keras.layers.Dense(1)]
        )
        model.compile(keras.optimizers.SGD(hp.Float("rate", 1e-3, 0.1)), "mse", run_eagerly=True)
        return model


class Begun(keras.callbacks.Callback):
    """Leaves a mark for each trial that begins."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def on_train_begin(self, logs=None):
        for name in ("begun", "runs"):
            with open(os.path.join(self.folder, name), "a") as file:
                file.write("x")
        time.sleep(0.15)  # So few trials pass before a kill that it always comes in time.


def rows(folder, trials):
    """Number, status and score of each trial of a search that is begun or gone on with."""
    x = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
    result = tune(
        Small(), x, x[:, :1], directory=os.path.join(folder, "tuning"), max_trials=trials,
        max_epochs=1, monitor=False, verbose=0, callbacks=[Begun(folder)],
    )  # fmt: skip
    return [[row["trial"], row["status"], row["score"]] for row in result.trials]


def search(folder, trials, *_):
    fire_workers.interruptible()
    found = rows(folder, trials)
    with open(os.path.join(folder, "found"), "w") as file:
        json.dump(found, file)
