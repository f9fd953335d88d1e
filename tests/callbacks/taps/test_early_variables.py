"""A monitored fit makes its variables before its first step is traced, and so traces it once."""

import keras
import numpy as np
import pytest

from keras_dlnotes.callbacks import GradientMonitor
from keras_dlnotes.callbacks.taps.early_variables import make_variables

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("fits_as_users_do")]

X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
Y = (X[:, 0] > 0).astype("int32")


class Counting(keras.optimizers.Adam):
    """Knows how often its update was traced, over all variables."""

    updates = 0

    def update_step(self, *arguments):
        self.updates += 1
        super().update_step(*arguments)


def classifier(model=keras.Sequential, **options):
    model = model([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(Counting(), loss, metrics=["accuracy"], **options)
    return model


def test_the_step_is_traced_once_instead_of_twice():
    traces = {}
    for name, callbacks in {"bare": [], "monitored": [GradientMonitor()]}.items():
        model = classifier()
        model.fit(X, Y, epochs=3, verbose=0, callbacks=callbacks)
        traces[name] = model.optimizer.updates / len(model.trainable_variables)
    assert traces == {"bare": 2, "monitored": 1}


def test_all_variables_are_there_and_nothing_has_happened():
    model = classifier()
    weights = model.get_weights()
    make_variables(model, (X, Y))
    assert model.optimizer.built
    assert [m.variables for m in model.metrics if not m.variables] == []
    assert int(model.optimizer.iterations) == 0
    assert all(not np.any(v) for m in model.metrics for v in m.variables)
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


class Own(keras.Sequential):
    def train_step(self, data):
        return super().train_step(data)


@pytest.mark.parametrize("change", [{"run_eagerly": True}, {"model": Own}], ids=str)
def test_other_steps_are_left_alone(change):
    model = classifier(**change)
    make_variables(model, (X, Y))
    assert not model.optimizer.built


def test_wrong_data_fail_as_without_a_monitor():
    errors = []
    for callbacks in [], [GradientMonitor(on_problem=None)]:
        keras.utils.clear_session()  # names layers anew
        with pytest.raises(ValueError, match="incompatible") as caught:
            classifier().fit(X[:, :2], Y, verbose=0, callbacks=callbacks)
        errors.append(str(caught.value))
    assert errors[0] == errors[1]
