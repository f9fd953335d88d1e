"""GradientMonitor in a real Keras Tuner search: copies, and each trial's own directory."""

import os
import pathlib

import keras
import numpy as np
import pytest

from keras_dlnotes.callbacks import GradientMonitor
from keras_dlnotes.callbacks.reports.tuner_trial import trial_directory


def test_outside_of_a_search_the_directory_is_the_one_given():
    assert trial_directory(pathlib.Path("logs")) == "logs"


@pytest.mark.tensorflow
@pytest.mark.parametrize("beside_tensorboard", [True, False])
def test_every_execution_of_every_trial_writes_beside_tensorboard(tmp_path, beside_tensorboard):
    import keras_tuner

    def build(hp):
        units = hp.Choice("units", [2, 3])
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units, name="hidden")])
        model.add(keras.layers.Dense(1))
        model.compile(keras.optimizers.SGD(1e-2), "mse")
        return model

    logs = tmp_path / "logs"
    monitor = GradientMonitor(logs, csv=tmp_path / "csv" / "gradients.csv", image=False)
    callbacks = [monitor]
    if beside_tensorboard:
        callbacks.insert(0, keras.callbacks.TensorBoard(logs, write_graph=False))
    tuner = keras_tuner.GridSearch(
        build,
        objective="loss",
        executions_per_trial=2,
        directory=tmp_path,
        project_name="search",
    )
    x = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
    tuner.search(x, x[:, :1], epochs=1, verbose=0, callbacks=callbacks)
    trials = sorted(trial.trial_id for trial in tuner.oracle.get_best_trials(5))
    assert len(trials) == 2
    for trial in trials:
        for execution in ("execution0", "execution1"):
            files = os.listdir(logs / trial / execution / "train")
            assert len(files) == 1 + beside_tensorboard
            assert (tmp_path / "csv" / trial / execution / "gradients.csv").exists()
    assert sorted(os.listdir(logs)) == trials
    assert monitor.history == {}  # each execution trained a copy
