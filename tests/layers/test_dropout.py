import keras
import numpy as np
import pytest

from keras_dlnotes import layers

X = np.random.default_rng(0).normal(size=(64, 50)).astype("float32")


def numpy(x):
    return keras.ops.convert_to_numpy(x)


@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout"])
@pytest.mark.parametrize("noise_shape", [None, (None, 1), (64, 1)])
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5])
def test_equals_keras_draw_for_draw(name, noise_shape, rate):
    ours = getattr(layers, name)(rate, noise_shape, seed=7)
    theirs = getattr(keras.layers, name)(rate, noise_shape, seed=7)
    for _ in range(2):
        np.testing.assert_allclose(
            numpy(ours(X, training=True)), numpy(theirs(X, training=True)), rtol=1e-6
        )
    np.testing.assert_array_equal(numpy(ours(X)), X)


def test_the_notes_scale_at_test_time():
    layer = layers.Dropout(0.25, seed=1, scaling="notes")
    kept = numpy(layer(X, training=True))
    np.testing.assert_allclose(kept[kept != 0], X[kept != 0], rtol=1e-6)
    assert abs(np.mean(kept == 0) - 0.25) < 0.03
    np.testing.assert_allclose(numpy(layer(X)), 0.75 * X, rtol=1e-6)


@pytest.mark.parametrize("scaling", ["inverted", "notes"])
def test_expectation_is_that_of_prediction(scaling):
    layer = layers.Dropout(0.4, seed=2, scaling=scaling)
    ones = np.ones((200, 200), "float32")
    trained, predicted = numpy(layer(ones, training=True)), numpy(layer(ones))
    assert abs(trained.mean() - predicted.mean()) < 0.02


def test_noise_shape_shares_decisions():
    y = numpy(layers.Dropout(0.5, (None, 1), seed=3)(np.ones((100, 8)), training=True))
    assert np.all(y == y[:, :1])


def test_alpha_dropout_keeps_mean_and_variance_behind_selu():
    """SELU's fixed point: outputs of a standard normal have mean 0 and variance 1."""
    x = numpy(keras.activations.selu(np.random.default_rng(0).normal(size=(400, 400))))
    y = numpy(layers.AlphaDropout(0.2, seed=1)(x, training=True))
    assert abs(y.mean() - x.mean()) < 0.01
    assert abs(y.var() - x.var()) < 0.02


@pytest.mark.parametrize("make", [layers.Dropout, layers.AlphaDropout])
@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5, float("nan"), "half"])
def test_rejects_rates(make, rate):
    with pytest.raises(ValueError, match=r"`rate` must be .*\[0, 1\). Received: rate="):
        make(rate)


@pytest.mark.parametrize("shape", ["all", 3, (0, 1), (None, 1.5)])
def test_rejects_noise_shapes(shape):
    with pytest.raises(ValueError, match=r"`noise_shape` must .* Received: noise_shape="):
        layers.Dropout(0.5, shape)


def test_rejects_unknown_scaling():
    with pytest.raises(ValueError, match="Received: scaling='up'"):
        layers.Dropout(0.5, scaling="up")
