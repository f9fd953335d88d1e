import keras
import numpy as np
import pytest

from keras_dlnotes import layers

X = np.random.default_rng(0).uniform(0.2, 0.8, (200, 100)).astype("float32")


def corrupted(layer):
    return keras.ops.convert_to_numpy(layer(X, training=True))


@pytest.mark.parametrize(
    "layer",
    [
        layers.GaussianCorruption(0.5, seed=1),
        layers.MaskingCorruption(0.3, seed=1),
        layers.SaltAndPepperCorruption(0.3, seed=1),
    ],
)
def test_only_while_training_and_anew_each_time(layer):
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(X)), X)
    assert not np.array_equal(corrupted(layer), corrupted(layer))


def test_gaussian_is_keras_noise_and_goes_beyond_one():
    ours, theirs = layers.GaussianCorruption(0.5, seed=3), keras.layers.GaussianNoise(0.5, seed=3)
    np.testing.assert_allclose(
        corrupted(ours), keras.ops.convert_to_numpy(theirs(X, training=True)), rtol=1e-6
    )
    noise = corrupted(layers.GaussianCorruption(3.0, seed=1)) - X
    assert abs(noise.std() - 3) < 0.05
    assert abs(noise.mean()) < 0.06


def test_masking_hits_its_share_and_leaves_the_rest():
    y = corrupted(layers.MaskingCorruption(0.3, seed=1))
    assert abs(np.mean(y == 0) - 0.3) < 0.01
    np.testing.assert_array_equal(y[y != 0], X[y != 0])


def test_salt_and_pepper_hit_half_of_the_share_each():
    y = corrupted(layers.SaltAndPepperCorruption(0.4, seed=1, low=-1, high=2))
    assert abs(np.mean(y == -1) - 0.2) < 0.01
    assert abs(np.mean(y == 2) - 0.2) < 0.01
    untouched = (y != -1) & (y != 2)
    np.testing.assert_array_equal(y[untouched], X[untouched])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.GaussianCorruption(-1), "Received: stddev=-1"),
        (lambda: layers.GaussianCorruption(float("inf")), "Received: stddev=inf"),
        (lambda: layers.MaskingCorruption(1.0), "Received: rate=1.0"),
        (lambda: layers.SaltAndPepperCorruption(0.1, low=1), "Received: high=1.0"),
        (lambda: layers.MaskingCorruption(0.1, seed="x"), "Received: seed='x'"),
    ],
)
def test_rejects(make, message):
    with pytest.raises(ValueError, match=message):
        make()
