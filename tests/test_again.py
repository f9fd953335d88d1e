"""The same parts at work again: in two threads, in a second fit, in another model, ten times."""

import ctypes
import gc
import sys
import threading
import tracemalloc

import fire_workers
import keras
import numpy as np
import psutil
import pytest
import samples
from test_contracts import of

from keras_dlnotes.callbacks import GradientMonitor
from keras_dlnotes.optimizers import SGD

pytestmark = pytest.mark.tensorflow
X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")


def net(width=4, seed=0):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(width, "relu", kernel_initializer=keras.initializers.HeNormal(seed)),
            keras.layers.Dense(2, kernel_initializer=keras.initializers.HeNormal(seed + 1)),
        ]
    )
    model.compile(SGD(0.05, momentum=0.9), "mse")
    return model


def fit(model, *callbacks, epochs=2):
    history = model.fit(
        X, X[:, :2], batch_size=4, epochs=epochs, verbose=0, shuffle=False, callbacks=[*callbacks]
    )
    return history.history["loss"]


def test_two_models_in_two_threads():
    """Each ends where it would have ended alone, and its monitor saw its own gradients only."""
    text = fire_workers.corpus(100)

    def alone(seed):
        model, monitor = net(4 + seed, seed), GradientMonitor(on_problem=None)
        fit(model, monitor, epochs=10)
        return model.get_weights(), monitor.history["gradient_norm"]["global"]

    def vectors():
        model = fire_workers.word2vec(text.vocabulary)
        model.fit(text.dataset(128, seed=1), epochs=2, verbose=0)
        return np.array(model.embeddings)

    def nets(seed):
        model, monitor = prepared[seed]
        fit(model, monitor, epochs=10)
        together[seed] = model.get_weights(), monitor.history["gradient_norm"]["global"]

    expected = {seed: alone(seed) for seed in (0, 1)}
    expected_vectors = vectors()
    # Models are made one after the other, since Keras' seed is one for the process.
    prepared = {seed: (net(4 + seed, seed), GradientMonitor(on_problem=None)) for seed in (0, 1)}
    words, together = fire_workers.word2vec(text.vocabulary), {}
    threads = [threading.Thread(target=nets, args=(seed,)) for seed in (0, 1)]
    threads.append(
        threading.Thread(target=lambda: words.fit(text.dataset(128, seed=1), epochs=2, verbose=0))
    )
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in (0, 1):
        for a, b in zip(together[seed][0], expected[seed][0], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5)
        np.testing.assert_allclose(together[seed][1], expected[seed][1], rtol=1e-5)
    np.testing.assert_allclose(np.array(words.embeddings), expected_vectors, rtol=1e-5, atol=1e-7)


def test_a_monitor_attached_twice_measures_once():
    model, monitor = net(), GradientMonitor(on_problem=None)
    fit(model, monitor, monitor)
    once = GradientMonitor(on_problem=None)
    fit(net(), once)
    np.testing.assert_allclose(
        monitor.history["gradient_norm"]["global"], once.history["gradient_norm"]["global"], 1e-5
    )
    assert "apply" not in vars(model.optimizer)


@pytest.mark.parametrize(("thing", "sample"), of(samples.Callback))
def test_callbacks_serve_a_second_fit_and_another_model(thing, sample, tmp_path):
    callback = sample.make(tmp_path)
    first, second = net(), net(width=6, seed=3)
    for model in (first, first, second):
        losses = fit(model, callback)
        assert np.isfinite(losses).all()
    if thing.__name__ in ("OneCycle", "LearningRateFinder", "BackupAndRestore"):
        return  # which change the training, or begin where it was
    plain = net(width=6, seed=3)
    fit(plain)
    for a, b in zip(second.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def _resident():
    """Memory in use; what was freed goes back first, or tracing a graph would count for itself."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss


@pytest.mark.long
@pytest.mark.parametrize(("thing", "sample"), of(samples.Callback))
def test_ten_fits_leave_nothing_behind(thing, sample, tmp_path):
    """The first fits may fill caches, later ones may only add to what the callback has to tell."""
    model, callback = net(), sample.make(tmp_path)
    for _ in range(6):
        fit(model, callback)
    resident = _resident()
    tracemalloc.start(1)
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(10):
        fit(model, callback)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 4 << 20
    assert _resident() - resident < 32 << 20
    assert threading.active_count() < 12
