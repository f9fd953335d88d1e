"""Numbers that are scheduled, set by a callback, saved and restored."""

import json

import keras
import numpy as np
import optimizer_cases as cases
import pytest
from keras import ops

from keras_dlnotes import optimizers

Decay = keras.optimizers.schedules.ExponentialDecay


def data():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(32, 3)).astype("float32")
    return x, (x @ np.ones((3, 1))).astype("float32")


class Counted(keras.layers.Dense):
    traces = 0

    def call(self, inputs):
        Counted.traces += 1
        return super().call(inputs)


def model_with(optimizer, **kwargs):
    model = keras.Sequential([keras.Input((3,)), Counted(1, kernel_initializer="zeros")])
    model.compile(optimizer, "mse", **kwargs)
    return model


@pytest.mark.parametrize(
    ("label", "name", "value"),
    [
        ("momentum", "momentum", 0.5),
        ("nesterov", "momentum", 0.5),
        ("adam", "beta_1", 0.5),
        ("adam", "beta_2", 0.9),
        ("adamax", "beta_1", 0.5),
        ("nadam", "beta_1", 0.5),
        ("rectified_adam", "beta_1", 0.5),
        ("rmsprop", "rho", 0.5),
        ("adadelta", "rho", 0.5),
        ("adamw", "weight_decay", 0.5),
    ],
)
def test_setting_changes_the_next_step_without_retracing(label, name, value):
    def run(change):
        keras.utils.set_random_seed(1)
        optimizer = cases.make(label, learning_rate=0.05)

        def begin(batch, logs=None):
            if change and batch == 2:
                if keras.backend.backend() == "jax":
                    model.jax_state_sync()
                setattr(optimizer, name, value)

        model = model_with(optimizer)
        callback = keras.callbacks.LambdaCallback(on_train_batch_begin=begin)
        model.fit(*data(), batch_size=8, verbose=0, shuffle=False)
        before = Counted.traces
        model.fit(*data(), batch_size=8, verbose=0, shuffle=False, callbacks=[callback])
        if keras.backend.backend() != "torch":  # PyTorch runs eagerly.
            assert Counted.traces == before
        expected = value if change else getattr(cases.make(label), name)
        assert getattr(optimizer, name) == expected
        return model.layers[0].get_weights()[0]

    assert np.abs(run(True) - run(False)).max() > 1e-5


@pytest.mark.parametrize("label", ["momentum", "adam", "nadam", "rmsprop", "adadelta", "adamw"])
def test_a_schedule_equals_setting_its_values(label):
    name = {"adam": "beta_1", "nadam": "beta_1", "adamw": "weight_decay"}.get(label, "rho")
    name = "momentum" if label == "momentum" else name
    schedule = Decay(0.9, 3, 0.8)
    scheduled = cases.make(label, **{name: schedule})
    by_hand = cases.make(label, **{name: 0.9})
    one, other = cases.variable([1.0, 2.0]), cases.variable([1.0, 2.0])
    by_hand.build([other])
    for index in range(6):
        setattr(by_hand, name, float(schedule(index)))
        assert getattr(scheduled, name) == pytest.approx(float(schedule(index)))
        gradient = ops.array([0.3, -0.2 * index])
        cases.step(scheduled, [gradient], [one])
        cases.step(by_hand, [gradient], [other])
    np.testing.assert_allclose(cases.numbers([one]), cases.numbers([other]), atol=1e-7)
    copy = type(scheduled).from_config(json.loads(json.dumps(scheduled.get_config())))
    assert copy.get_config() == scheduled.get_config()
    with pytest.raises(TypeError, match="follows a schedule"):
        setattr(scheduled, name, 0.5)


def test_numbers_read_as_given_and_round_trip():
    optimizer = optimizers.Adam(0.002, beta_1=0.85, weight_decay=0.1)
    assert (optimizer.beta_1, optimizer.beta_2, optimizer.weight_decay) == (0.85, 0.999, 0.1)
    optimizer.build([cases.variable([1.0])])
    assert (optimizer.beta_1, optimizer.beta_2, optimizer.weight_decay) == (0.85, 0.999, 0.1)
    optimizer.beta_1 = 0.7
    assert optimizer.beta_1 == 0.7
    assert optimizer.get_config()["beta_1"] == 0.7
    with pytest.raises(ValueError, match="`beta_1` must be in"):
        optimizer.beta_1 = 1.0


def test_what_was_left_out_at_build_cannot_be_set_later():
    sgd = optimizers.SGD()
    sgd.momentum = 0.5
    sgd.momentum = 0.0
    sgd.build([cases.variable([1.0])])
    with pytest.raises(TypeError, match="`momentum` was left out"):
        sgd.momentum = 0.5
    with pytest.raises(TypeError, match="`weight_decay` was left out"):
        sgd.weight_decay = 0.1


def test_a_rate_that_ended_at_zero_loads_again():
    optimizer = optimizers.Adam()
    optimizer.learning_rate = 0.0
    assert float(optimizers.Adam.from_config(optimizer.get_config()).learning_rate) == 0.0


@pytest.mark.parametrize("label", cases.CLASSES)
def test_training_goes_on_bit_for_bit_after_loading(label, tmp_path):
    x, y = data()

    def fit(model, epochs):
        model.fit(x, y, batch_size=8, epochs=epochs, verbose=0, shuffle=False)

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    model.compile(cases.make(label, learning_rate=0.01), "mse")
    fit(model, 1)
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    assert type(copy.optimizer) is type(model.optimizer)
    fit(model, 2)
    fit(copy, 2)
    for one, other in zip(model.get_weights(), copy.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(model.optimizer.variables, copy.optimizer.variables, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(one), ops.convert_to_numpy(other))
