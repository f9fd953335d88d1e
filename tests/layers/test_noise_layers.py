"""Dropout, AlphaDropout and the corruptions: Keras' numbers, the laws of chance, bad arguments."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_dlnotes import layers

X = np.random.default_rng(0).normal(size=(50, 40, 6)).astype("float32")
RANDOM = [
    lambda **kwargs: layers.Dropout(0.3, **kwargs),
    lambda **kwargs: layers.Dropout(0.3, scaling="notes", **kwargs),
    lambda **kwargs: layers.AlphaDropout(0.3, **kwargs),
    lambda **kwargs: layers.GaussianCorruption(0.3, **kwargs),
    lambda **kwargs: layers.MaskingCorruption(0.3, **kwargs),
    lambda **kwargs: layers.SaltAndPepperCorruption(0.3, **kwargs),
]


def run(layer, x=X, training=True):
    return ops.convert_to_numpy(layer(x, training=training))


@pytest.mark.parametrize("noise_shape", [None, (None, 1, None), (50, 40, 1)])
@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout"])
def test_equals_keras_draw_for_draw(name, noise_shape):
    ours = getattr(layers, name)(0.3, noise_shape, 5)
    theirs = getattr(keras.layers, name)(0.3, noise_shape, 5)
    for _ in range(2):  # The second draw too.
        np.testing.assert_allclose(run(ours), run(theirs), 1e-6, 1e-6)
    np.testing.assert_array_equal(run(ours, training=False), X)


def test_gaussian_corruption_equals_keras():
    ours, theirs = layers.GaussianCorruption(0.4, 5), keras.layers.GaussianNoise(0.4, 5)
    np.testing.assert_allclose(run(ours), run(theirs), 1e-6, 1e-6)


def test_the_notes_dropout_drops_the_same_and_scales_later():
    inverted, notes = layers.Dropout(0.3, seed=5), layers.Dropout(0.3, seed=5, scaling="notes")
    a, b = run(inverted), run(notes)
    np.testing.assert_allclose(b, np.where(a != 0, X, 0), 1e-6)
    np.testing.assert_allclose(a, b / 0.7, 1e-6)
    np.testing.assert_allclose(run(notes, training=False), X * 0.7, 1e-6)
    # In the mean over the draws training and inference agree, in either form.
    mean = np.mean([run(notes, np.ones((200, 50), "float32")) for _ in range(20)])
    assert abs(mean - 0.7) < 5 * np.sqrt(0.3 * 0.7 / 200_000)


def test_alpha_dropout_keeps_mean_and_variance_of_selu():
    x = keras.random.normal((400, 500), seed=1)
    y = run(layers.AlphaDropout(0.2, seed=2), x)
    assert abs(y.mean()) < 0.01
    assert abs(y.var() - 1) < 0.02


def test_corruptions_hit_the_share_they_name():
    grey = np.full((400, 500), 0.5, "float32")
    y = run(layers.MaskingCorruption(0.3, 1), grey)
    z = run(layers.SaltAndPepperCorruption(0.2, 1, low=-1.0, high=2.0), grey)
    for found, value, share in (
        (y, 0, 0.3),
        (y, 0.5, 0.7),
        (z, -1, 0.1),
        (z, 2, 0.1),
        (z, 0.5, 0.8),
    ):
        deviation = np.sqrt(share * (1 - share) / grey.size)
        assert abs((found == value).mean() - share) < 5 * deviation


@pytest.mark.parametrize("make", RANDOM)
def test_seeds(make):
    np.testing.assert_array_equal(run(make(seed=3)), run(make(seed=3)))
    assert np.any(run(make(seed=3)) != run(make(seed=4)))
    layer = make(seed=3)
    assert np.any(run(layer) != run(layer))
    copy = type(layer).from_config(layer.get_config())
    np.testing.assert_array_equal(run(copy), run(make(seed=3)))


@pytest.mark.parametrize("make", RANDOM)
def test_inference_changes_nothing_but_the_notes_scale(make):
    layer = make()
    scale = 0.7 if layer.get_config().get("scaling") == "notes" else 1.0
    np.testing.assert_allclose(run(layer, training=False), X * scale, 1e-6)
    assert layer.built


def test_fit_with_dropout_takes_the_same_path_as_with_keras():
    weights = []
    for kind in (layers.Dropout, keras.layers.Dropout):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((6,)), kind(0.4, seed=2), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(X[:, 0], X[:, 0, :1], epochs=2, batch_size=25, verbose=0, shuffle=False)
        weights.append(model.get_weights()[0])
    np.testing.assert_allclose(*weights, 1e-6)


@pytest.mark.parametrize("kind", [layers.Dropout, layers.AlphaDropout, layers.MaskingCorruption,
                                  layers.SaltAndPepperCorruption])  # fmt: skip
@pytest.mark.parametrize("rate", [-0.5, 1.0, 1.5, float("nan"), "0.5", None, True])
def test_bad_rates(kind, rate):
    with pytest.raises(
        ValueError, match=rf"^Argument `rate` must be .*\. Received: rate={rate!r}$"
    ):
        kind(rate)


@pytest.mark.parametrize("shape", ["Invalid", 3, (20, 1.5, 10), (20, -1, 10), (20, 0, 10)])
@pytest.mark.parametrize("kind", [layers.Dropout, layers.AlphaDropout])
def test_bad_noise_shapes(kind, shape):
    with pytest.raises(ValueError, match=r"^Argument `noise_shape` must .* Received: noise_shape="):
        kind(0.5, shape)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("seed", lambda: layers.Dropout(0.5, seed=1.5)),
        ("scaling", lambda: layers.Dropout(0.5, scaling="yes")),
        ("stddev", lambda: layers.GaussianCorruption(-1)),
        ("high", lambda: layers.SaltAndPepperCorruption(0.1, low=1, high=0)),
        ("low", lambda: layers.SaltAndPepperCorruption(0.1, low=float("nan"))),
    ],
)
def test_other_bad_arguments(name, make):
    with pytest.raises(ValueError, match=rf"Argument `{name}` must .* Received: {name}="):
        make()


def test_noise_shape_is_kept_as_a_tuple():
    assert layers.Dropout(0.5, [20, 1, 10]).noise_shape == (20, 1, 10)
    config = layers.Dropout(0.5, [None, 1]).get_config()
    assert layers.Dropout.from_config(config).noise_shape == (None, 1)
