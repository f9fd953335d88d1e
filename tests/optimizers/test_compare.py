"""`optimizers.compare`: the same start and the same batches for every optimizer."""

import random

import keras
import numpy as np
import pytest

from keras_dlnotes import optimizers, schedules

X = np.random.default_rng(0).normal(size=(60, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def network(compiled=True, start="glorot_uniform"):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, "relu", kernel_initializer=start),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1),
        ]
    )
    if compiled:
        model.compile("sgd", "mse", metrics=["mae"])
    return model


def test_the_same_optimizer_twice_gives_the_same_history():
    twice = {"one": optimizers.Adam(0.01), "two": optimizers.Adam(0.01), "three": "adam"}
    histories = optimizers.compare(network, twice, (X, Y), epochs=3, batch_size=16)
    assert list(histories) == ["one", "two", "three"]
    for metric in ("loss", "mae"):
        assert histories["one"][metric].shape == (3,)
        np.testing.assert_array_equal(histories["one"][metric], histories["two"][metric])
    assert not np.allclose(histories["one"]["loss"], histories["three"]["loss"])


def test_randomness_from_elsewhere_does_not_matter():
    fresh = np.random.default_rng()

    def start(shape, dtype=None):
        return keras.ops.convert_to_tensor(fresh.normal(size=shape), dtype)

    histories = optimizers.compare(
        lambda: network(start=start), ["sgd", "sgd"], (X, Y), epochs=2, batch_size=16
    )
    assert list(histories) == ["sgd", "sgd 2"]
    np.testing.assert_array_equal(histories["sgd"]["loss"], histories["sgd 2"]["loss"])


def test_is_the_plain_fit():
    histories = optimizers.compare(network, {"a": optimizers.SGD(0.05)}, (X, Y), epochs=3, seed=7)
    keras.utils.set_random_seed(7)
    model = network()
    model.compile(optimizers.SGD(0.05), "mse", metrics=["mae"])
    expected = model.fit(X, Y, epochs=3, verbose=0).history
    np.testing.assert_allclose(histories["a"]["loss"], expected["loss"], rtol=1e-6)


def test_one_model_handed_out_again():
    model = network()
    model.fit(X, Y, verbose=0)
    both = [optimizers.SGD(0.05), optimizers.Momentum(0.05), optimizers.SGD(0.05)]
    histories = optimizers.compare(lambda: model, both, (X, Y), epochs=2)
    assert list(histories) == ["SGD", "Momentum", "SGD 2"]
    # Dropout's seeds begin anew as well, so even this is exact.
    np.testing.assert_array_equal(histories["SGD"]["loss"], histories["SGD 2"]["loss"])
    assert histories["Momentum"]["loss"][-1] != histories["SGD"]["loss"][-1]


def test_one_model_handed_out_again_that_was_not_compiled():
    model = network(compiled=False)
    both = [optimizers.SGD(0.05), optimizers.SGD(0.05)]
    histories = optimizers.compare(lambda: model, both, (X, Y), epochs=2, loss="mse")
    np.testing.assert_array_equal(histories["SGD"]["loss"], histories["SGD 2"]["loss"])


def test_one_model_handed_out_again_whose_start_nobody_saw():
    model = keras.Sequential([keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="return a new model each time, or a built one"):
        optimizers.compare(lambda: model, ["sgd", "sgd"], (X, Y), epochs=1, loss="mse")


def test_leaves_optimizers_and_seeds_alone():
    mine = optimizers.Adam(schedules.OneCycle(0.1, 10), beta_1=schedules.OneCycleMomentum(10))
    scaled = keras.optimizers.LossScaleOptimizer(optimizers.SGD(0.1))
    states = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    optimizers.compare(network, [mine, scaled], (X, Y), epochs=1)
    assert not mine.built
    assert not scaled.built
    assert random.getstate() == states[0]
    np.testing.assert_array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002


def test_uncompiled_models_sample_weights_and_datasets():
    class Dataset(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return X[20 * index : 20 * index + 20], Y[20 * index : 20 * index + 20]

    def plain():
        return network(compiled=False)

    weighted = (X, Y, np.zeros(60))
    rated = optimizers.compare(plain, ["sgd"], weighted, epochs=1, loss="mse", metrics=["mae"])
    assert rated["sgd"]["loss"] == pytest.approx(0)
    assert rated["sgd"]["mae"] > 0
    data = Dataset(workers=1)
    histories = optimizers.compare(
        plain, ["sgd"], data, epochs=2, loss="mse", validation_data=(X, Y)
    )
    assert histories["sgd"]["val_loss"].shape == (2,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizers": []}, "Argument `optimizers` must hold one optimizer at least"),
        ({"optimizers": "sgd"}, "Argument `optimizers` must be a dict or a list of optimizers"),
        ({"optimizers": {"a": 0.1}}, r"Argument `optimizers\['a'\]` must be an optimizer"),
        ({"epochs": 0}, "Argument `epochs` must be an integer of at least 1"),
        ({"data": iter([])}, "Argument `data` must be something that can be passed over several"),
        ({"model_fn": lambda: network(False)}, "not compiled: pass `loss`"),
        ({"loss": "mse"}, "leave them out here"),
        (
            {"optimizers": [optimizers.Adam]},
            r"Argument `optimizers\['Adam'\]` must be an optimizer",
        ),
        ({"model_fn": keras.Sequential()}, "Argument `model_fn` must be a function"),
        ({"model_fn": lambda: None}, "Argument `model_fn` must return a Keras model"),
    ],
)
def test_wrong_arguments(change, message):
    arguments = {"model_fn": network, "optimizers": ["sgd"], "data": (X, Y), **change}
    with pytest.raises(ValueError, match=message):
        optimizers.compare(**arguments)


def test_models_of_different_form():
    sizes = iter([3, 4])

    def growing():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(next(sizes))])
        model.compile("sgd", "mse")
        return model

    with pytest.raises(ValueError, match="a model of the same form each time"):
        optimizers.compare(growing, ["sgd", "adam"], (X, Y), epochs=1)
