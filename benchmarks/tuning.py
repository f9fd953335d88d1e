"""Trials and seconds until 98 % validation accuracy on digits: our space against a tutorial's.

The plain space is the one that introductions to Keras Tuner show: units from 32 to 512, ReLU, an
optional dropout layer, Adam with a learning rate between 1e-4 and 1e-2. Both spaces are searched by
Keras Tuner's own random search, on the same split, with the same seeds and the same epochs for a
trial, one seed after the other, ours and theirs in turn.

    python benchmarks/tuning.py [--seeds 1 2 3 4 5] [--trials 10] [--epochs 15] [--goal 0.98]
"""

import argparse
import statistics
import tempfile
import time

import keras
import keras_tuner
import numpy as np
from sklearn.datasets import load_digits

from keras_dlnotes.tuning import MLPHyperModel
from keras_dlnotes.tuning.guards import FailOnNonFinite


class Goal(keras.callbacks.Callback):
    def __init__(self, goal):
        super().__init__()
        self.goal = goal

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_accuracy"] >= self.goal:
            raise keras_tuner.errors.FatalRuntimeError("goal")


class Plain(keras_tuner.HyperModel):
    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def build(self, hp):
        model = keras.Sequential([keras.Input((64,))])
        for index in range(hp.Int("num_layers", 1, 3)):
            units = hp.Int(f"units_{index}", 32, 512, step=32)
            model.add(keras.layers.Dense(units, hp.Choice("activation", ["relu", "tanh"])))
        if hp.Boolean("dropout"):
            model.add(keras.layers.Dropout(0.25))
        model.add(keras.layers.Dense(10, "softmax"))
        rate = hp.Float("lr", 1e-4, 1e-2, sampling="log")
        model.compile(
            keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        return model

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, epochs=self.epochs, **kwargs)


def until(goal, hypermodel, data, held_out, trials, seed):
    """Trials and seconds a random search takes; None for the first if it never gets there."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory:
        tuner = keras_tuner.RandomSearch(
            hypermodel,
            "val_accuracy",
            max_trials=trials,
            seed=seed,
            directory=directory,
            max_consecutive_failed_trials=trials,
        )
        try:
            tuner.search(
                *data,
                validation_data=held_out,
                verbose=0,
                callbacks=[Goal(goal), FailOnNonFinite()],
            )
        except keras_tuner.errors.FatalError:
            return len(tuner.oracle.trials), time.perf_counter() - start
    return None, time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--goal", type=float, default=0.98)
    chosen = parser.parse_args()
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order].astype("float32"), y[order]
    data, held_out = (x[360:], y[360:]), (x[:360], y[:360])
    ours = MLPHyperModel(epochs=chosen.epochs, seed=0)
    ours.prepare(*data)
    times = {"ours": [], "plain": []}
    for seed in chosen.seeds:
        pair = [("ours", ours), ("plain", Plain(chosen.epochs))]
        for name, hypermodel in pair[:: 1 if seed % 2 else -1]:  # Each goes first in turn.
            keras.utils.set_random_seed(seed)
            trials, seconds = until(chosen.goal, hypermodel, data, held_out, chosen.trials, seed)
            # A search that never got there counts with one trial more than it was given.
            times[name].append((trials or chosen.trials + 1, seconds))
            print(f"seed {seed}  {name:5}  {trials or 'not in time':>11} trials  {seconds:6.1f} s")
    print(
        f"{'':5}  trials  seconds   trials  seconds   (medians and means until {chosen.goal:.0%})"
    )
    for name, rows in times.items():
        columns = list(zip(*rows, strict=True))
        middle, mean = ([of(c) for c in columns] for of in (statistics.median, statistics.mean))
        print(f"{name:5}  {middle[0]:6.1f}  {middle[1]:7.1f}   {mean[0]:6.2f}  {mean[1]:7.1f}")


if __name__ == "__main__":
    main()
