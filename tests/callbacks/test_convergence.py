"""Stopping when weights stand still, and when time is up; both across restarts."""

import json

import keras
import numpy as np
import pytest

from keras_dlnotes import callbacks
from keras_dlnotes.callbacks import time_stopping

X = np.ones((4, 1), "float32")


def halving():
    """One weight whose distance to 2 halves every epoch: w = 2 - 0.5 ** epoch."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[1.0]])])
    model.compile(keras.optimizers.SGD(0.25), "mse")
    return model


def changes(epochs):
    w = 2 - 0.5 ** np.arange(epochs + 1)
    return np.diff(w) / w[:-1]


def fit(model, *extra, epochs=40, **kwargs):
    return model.fit(X, 2 * X, epochs=epochs, verbose=0, callbacks=list(extra), **kwargs)


@pytest.mark.parametrize("patience", [1, 3])
def test_stops_when_the_weights_stand_still(patience):
    stop = callbacks.Convergence(tolerance=0.01, patience=patience)
    history = fit(halving(), stop).history["weight_change"]
    first = int(np.argmax(changes(40) <= 0.01))
    assert stop.stopped_epoch == first + patience - 1
    np.testing.assert_allclose(history, changes(stop.stopped_epoch + 1), rtol=1e-3)
    assert stop.changes == history


def test_the_textbooks_equality():
    model = halving()
    stop = callbacks.Convergence(tolerance=0.0)
    fit(model, stop, epochs=200)
    # In float32 the halving ends after about 24 of them, and then w_new == w_old.
    assert 20 < stop.stopped_epoch < 30
    assert model.get_weights()[0].item() == pytest.approx(2.0)
    assert stop.changes[-1] == 0.0
    assert stop.changes[-2] > 0.0


def test_all_trainable_weights_count_together_and_frozen_ones_do_not():
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, name="frozen"), keras.layers.Dense(1)]
    )
    model.layers[0].trainable = False
    model.compile(keras.optimizers.SGD(0.1), "mse")
    before = [w.numpy() if hasattr(w, "numpy") else w for w in model.trainable_weights]
    before = [keras.ops.convert_to_numpy(w).copy() for w in model.trainable_weights]
    stop = callbacks.Convergence()
    fit(model, stop, epochs=1)
    after = [keras.ops.convert_to_numpy(w) for w in model.trainable_weights]
    old, new = (np.concatenate([w.ravel() for w in ws]) for ws in (before, after))
    expected = np.linalg.norm(new - old) / np.linalg.norm(old)
    assert stop.changes == [pytest.approx(expected, rel=1e-5)]


def test_waits_for_still_epochs_in_a_row_and_for_the_start():
    rates = iter([0.0, 0.1, 0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 0.1])
    changing = keras.callbacks.LearningRateScheduler(lambda epoch, _: next(rates))
    stop = callbacks.Convergence(tolerance=1e-6, patience=3)
    fit(halving(), changing, stop)
    assert stop.stopped_epoch == 7
    rates = iter([0.0] * 10)
    stop = callbacks.Convergence(tolerance=1e-6, patience=2, start_from_epoch=4)
    fit(halving(), changing, stop)
    assert stop.stopped_epoch == 5


def test_does_not_stop_for_nan():
    model = halving()
    model.set_weights([np.array([[np.nan]])])
    stop = callbacks.Convergence(tolerance=1.0)
    fit(model, stop, epochs=3)
    assert stop.stopped_epoch is None


def test_a_model_built_by_its_first_epoch():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0001), "mse")
    stop = callbacks.Convergence(tolerance=1e-9, patience=3)
    history = fit(model, stop, epochs=3)
    assert len(history.epoch) == 3


def test_speaks_when_asked(capsys):
    fit(halving(), callbacks.Convergence(tolerance=0.3, verbose=1))
    assert capsys.readouterr().out == "Epoch 2: the weights have converged (change 1.67e-01)\n"
    fit(halving(), callbacks.Convergence(tolerance=0.3))
    assert capsys.readouterr().out == ""


# ------------------------------------------------------------------------------------ restarts


class Crash(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise RuntimeError("power cut")


def test_convergence_goes_on_after_a_restart(tmp_path):
    path = tmp_path / "deep" / "convergence.json"
    whole = callbacks.Convergence(tolerance=0.01, patience=4)
    fit(halving(), whole)

    def parts(model, *extra):
        stop = callbacks.Convergence(tolerance=0.01, patience=4, state_path=path)
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        fit(model, backup, stop, *extra)
        return stop

    crash = whole.stopped_epoch - 1  # In the middle of the patience.
    with pytest.raises(RuntimeError, match="power cut"):
        parts(halving(), Crash(crash))
    assert json.loads(path.read_text())["epoch"] == crash
    resumed = parts(halving())
    assert resumed.stopped_epoch == whole.stopped_epoch
    np.testing.assert_allclose(resumed.changes, whole.changes, rtol=1e-6)
    assert not path.exists()  # The training is over.


def test_state_of_another_training_is_let_go(tmp_path):
    path = tmp_path / "state.json"
    with pytest.raises(RuntimeError, match="power cut"):
        fit(halving(), callbacks.Convergence(0.0, state_path=path), Crash(3))
    again = callbacks.Convergence(0.0, state_path=path)
    fit(halving(), again, epochs=2)
    assert len(again.changes) == 2


@pytest.mark.parametrize("text", ["{", "[]", '{"epoch": 3}'])
def test_a_broken_state_file_is_refused_before_training(tmp_path, text):
    path = tmp_path / "state.json"
    path.write_text(text)
    model = halving()
    with pytest.raises(ValueError, match="holds no state of a callback"):
        fit(model, callbacks.TimeStopping(state_path=path))
    assert model.get_weights()[0].item() == 1.0
    assert path.read_text() == text


# ---------------------------------------------------------------------------------------- time


class Clock:
    """A clock that only `Work` moves."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Work(keras.callbacks.Callback):
    def __init__(self, clock, seconds_a_batch):
        super().__init__()
        self.clock, self.seconds = clock, seconds_a_batch

    def on_train_batch_begin(self, batch, logs=None):
        self.clock.now += self.seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time_stopping.time, "monotonic", clock)
    return clock


def test_stops_at_the_end_of_the_epoch(clock, capsys):
    stop = callbacks.TimeStopping(seconds=10, verbose=1)
    history = fit(halving(), Work(clock, 2.0), stop, batch_size=1)  # Eight seconds an epoch.
    assert len(history.epoch) == 2
    assert stop.stopped_epoch == 1
    assert stop.elapsed == 16.0
    clock.now += 100
    assert stop.elapsed == 16.0
    text = "Timed stopping at epoch 2 after training for 0:00:16\n"
    assert capsys.readouterr().out == text
    fit(halving(), Work(clock, 2.0), stop, batch_size=1)  # Another fit, another allowance.
    assert stop.elapsed == 16.0


def test_stops_within_the_epoch_when_told(clock):
    stop = callbacks.TimeStopping(seconds=10, check="batch")
    history = fit(halving(), Work(clock, 2.0), stop, batch_size=1)
    assert len(history.epoch) == 2
    assert stop.elapsed == 10.0


def test_does_not_stop_in_time(clock, capsys):
    stop = callbacks.TimeStopping(verbose=1)
    assert stop.seconds == 86400
    assert len(fit(halving(), Work(clock, 2.0), stop, epochs=3).epoch) == 3
    assert stop.stopped_epoch is None
    assert capsys.readouterr().out == ""


def test_time_counts_on_after_a_restart(clock, tmp_path):
    def parts(*extra):
        stop = callbacks.TimeStopping(seconds=30, state_path=tmp_path / "time.json")
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        return stop, fit(halving(), Work(clock, 2.0), backup, stop, *extra, batch_size=1)

    with pytest.raises(RuntimeError, match="power cut"):
        parts(Crash(2))
    clock.now += 5000  # The machine was off.
    stop, history = parts()
    assert history.epoch == [2, 3]  # 16 seconds before, 16 after.
    assert stop.elapsed == 32.0


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: callbacks.Convergence(-1.0), "tolerance"),
        (lambda: callbacks.Convergence(patience=0), "patience"),
        (lambda: callbacks.Convergence(start_from_epoch=-1), "start_from_epoch"),
        (lambda: callbacks.Convergence(verbose=2), "verbose"),
        (lambda: callbacks.TimeStopping(0), "seconds"),
        (lambda: callbacks.TimeStopping(check="step"), "check"),
    ],
)
def test_wrong_arguments(make, argument):
    with pytest.raises(ValueError, match=rf"^Argument `{argument}` must .*Received: {argument}="):
        make()
