"""What all tests and docstring examples share: a backend, two virtual CPUs, a fixed seed."""

import contextlib
import gc
import itertools
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "agg")
# Tests compile much and run it once: XLA need not search for the fastest code.
os.environ.setdefault("XLA_FLAGS", "--xla_llvm_disable_expensive_passes=true")
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")

import keras
import numpy as np
import pytest

import keras_dlnotes  # noqa: F401  (registers everything that can be saved)

BACKEND = keras.backend.backend()

if BACKEND == "tensorflow":
    import tensorflow as tf

    # Devices can only be split before the first operation runs, hence here: the tests under
    # MirroredStrategy need two of them.
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

    import short_fits

    short_fits.shorten_fits()


def pytest_collection_modifyitems(items):
    if BACKEND == "tensorflow":
        return
    skip = pytest.mark.skip(reason=f"rests on TensorFlow; the backend here is {BACKEND}")
    for item in items:
        if "tensorflow" in item.keywords:
            item.add_marker(skip)


TESTS = itertools.count()


@pytest.fixture(autouse=True)
def fresh_state():
    """Each test starts from the same seed, an empty Keras session and the float32 policy."""
    if next(TESTS) % 8 == 0:
        # What is there to stay (imports, tests, graphs that Keras never lets go) is half a million
        # objects and more; no later collection need look through them, of which Keras Tuner asks
        # for one after each trial.
        gc.collect()
        gc.freeze()
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy("float32")
    if BACKEND == "tensorflow":
        # Strategies number their reductions from here; TensorFlow's own tests keep them apart so.
        tf.distribute.MirroredStrategy._collective_key_base += 100_000
    yield
    keras.config.set_dtype_policy("float32")
    keras.utils.clear_session(free_memory=False)


@pytest.fixture
def fits_as_users_do():
    """Undoes what makes all other tests' fits begin sooner."""
    with short_fits.fits_as_users_do() if BACKEND == "tensorflow" else contextlib.nullcontext():
        yield


@pytest.fixture(autouse=True)
def example_names(doctest_namespace):
    """Docstring examples take these two imports for granted."""
    doctest_namespace.update(keras=keras, np=np)
