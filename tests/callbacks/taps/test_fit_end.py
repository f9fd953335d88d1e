"""A fit that breaks off leaves the model as a fit that ends: nothing wrapped, nothing retained."""

import keras
import numpy as np
import pytest

from keras_dlnotes.callbacks import ActivationMonitor, GradientMonitor

X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")


class Breaks(keras.callbacks.Callback):
    """Another callback, with an error in it."""

    def __init__(self, hook, error=ZeroDivisionError):
        super().__init__()
        setattr(self, hook, self.fail)
        self.error = error

    def fail(self, *args, **kwargs):
        raise self.error


def trained_net():
    layers = [keras.layers.Dense(4, "relu", name="hidden"), keras.layers.Dense(1, name="out")]
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.compile(keras.optimizers.Adam(), "mse")
    model.fit(X, X[:, :1], verbose=0)
    return model


def traces(model):
    """All that hangs on the instances of the model, its optimizer and its layers.

    But for Keras' own compiled functions, which come and go.
    """
    things = [model, model.optimizer, *model.layers]
    attributes = [{k for k, v in thing.__dict__.items() if callable(v)} for thing in things]
    attributes[0] -= {"train_function", "test_function"}
    return attributes, [v.path for v in model.optimizer.variables]


def fit(model, *callbacks, **kwargs):
    return model.fit(X, X[:, :1], verbose=0, callbacks=list(callbacks), **kwargs)


def monitors():
    return GradientMonitor(on_problem=None), ActivationMonitor(sample=X, on_problem=None)


@pytest.mark.parametrize(
    "hook", ["on_epoch_begin", "on_train_batch_end", "on_epoch_end", "on_test_begin"]
)
@pytest.mark.parametrize("first", [True, False])
def test_an_error_in_another_callback(hook, first):
    model = trained_net()
    before = traces(model)
    breaks = Breaks(hook)
    callbacks = [breaks, *monitors()] if first else [*monitors(), breaks]
    with pytest.raises(ZeroDivisionError):
        fit(model, *callbacks, validation_data=(X, X[:, :1]))
    assert traces(model) == before


def test_an_interrupt():
    model = trained_net()
    before = traces(model)
    with pytest.raises(KeyboardInterrupt):
        fit(model, *monitors(), Breaks("on_train_batch_end", KeyboardInterrupt))
    assert traces(model) == before


def broken_validation():
    yield X, X[:, :1]
    raise OSError("no more data")


def test_an_error_outside_of_steps_and_callbacks():
    model = trained_net()
    before = traces(model)
    monitor = GradientMonitor(on_problem=None)
    with pytest.raises(Exception, match="no more data") as kept:
        fit(model, monitor, validation_data=broken_validation(), validation_steps=3)
    # The traceback keeps the broken fit alive, as in a notebook; so the next fit has to notice.
    fit(model)
    assert traces(model) == before
    assert len(monitor.history.get("epoch", ())) == 0
    fit(model, monitor)
    assert traces(model) == before
    assert monitor.history["steps"].tolist() == [1]
    del kept
