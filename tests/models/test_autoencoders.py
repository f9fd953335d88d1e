import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from keras_dlnotes.layers import GaussianCorruption, PReLU
from keras_dlnotes.models import (
    DenoisingAutoencoder,
    LinearAutoencoder,
    SparseAutoencoder,
    StackedAutoencoder,
)


@pytest.fixture(scope="module")
def digits():
    return (load_digits().data / 16).astype("float32")


def trained(autoencoder, x, epochs, rate=1e-3, **fit):
    autoencoder.compile(keras.optimizers.Adam(rate), "mse")
    autoencoder.fit(x, epochs=epochs, verbose=0, **fit)
    return autoencoder


def pca(x, count):
    return np.linalg.svd(x - x.mean(0), full_matrices=False)[2][:count]


def test_linear_autoencoder_spans_the_principal_subspace():
    """Closed form: principal angles between its decoder's span and the SVD's, under a degree."""
    generator = np.random.default_rng(0)
    axes = np.linalg.qr(generator.normal(size=(12, 12)))[0]
    spread = np.r_[5, 3, 2, 0.3 * np.ones(9)]
    x = (generator.normal(size=(512, 12)) * spread @ axes.T).astype("float32")
    autoencoder = trained(LinearAutoencoder(3, seed=1), x, 60, 1e-2, batch_size=64)
    autoencoder.optimizer.learning_rate = 1e-3
    autoencoder.fit(x, epochs=20, batch_size=128, verbose=0)
    components = autoencoder.to_components()
    np.testing.assert_allclose(components @ components.T, np.eye(3), atol=1e-6)
    cosines = np.linalg.svd(components @ pca(x, 3).T)[1]
    assert np.degrees(np.arccos(np.clip(cosines.min(), -1, 1))) < 1
    # With data to order them by, the rows are the principal axes themselves.
    alignment = np.abs(np.diag(autoencoder.to_components(x) @ pca(x, 3).T))
    assert np.degrees(np.arccos(alignment.clip(0, 1))).max() < 2


def test_denoiser_beats_the_noise_and_pca_on_digits(digits):
    """Noise of 0.5 on the digits: the error is well under the input's and under PCA's."""
    train, test = digits[:1500], digits[1500:]
    noisy = test + np.random.default_rng(1).normal(0, 0.5, test.shape).astype("float32")
    options = {"hidden": (128,), "noise": 0.5, "output_activation": "sigmoid", "seed": 0}
    denoiser = trained(DenoisingAutoencoder(32, **options), train, 25, 3e-3, batch_size=64)
    error = denoiser.reconstruction_error(noisy, test).mean()
    pictures = {"convolutional": True, **options, "hidden": (16, 32)}
    folded = trained(
        DenoisingAutoencoder(32, **pictures), train.reshape(-1, 8, 8, 1), 12, 3e-3, batch_size=64
    )
    noisy_pictures, clean = noisy.reshape(-1, 8, 8, 1), test.reshape(-1, 8, 8, 1)
    by_convolution = folded.reconstruction_error(noisy_pictures, clean).mean()
    components, mean = pca(train, 32), train.mean(0)
    by_pca = (noisy - mean) @ components.T @ components + mean
    assert error < 0.25 * np.mean((noisy - test) ** 2)
    for found in (error, by_convolution):
        assert found < 0.5 * np.mean((by_pca - test) ** 2)


@pytest.mark.parametrize("corruption", ["gaussian", "masking", "salt_and_pepper"])
def test_corrupts_while_training_only(corruption):
    x = np.random.default_rng(0).normal(size=(16, 6)).astype("float32")
    autoencoder = DenoisingAutoencoder(4, (5,), corruption, 0.5, seed=3)
    autoencoder.build((None, 6))
    np.testing.assert_array_equal(autoencoder(x), autoencoder.decoder(autoencoder.encoder(x)))
    assert not np.allclose(autoencoder(x, training=True), autoencoder(x))


@pytest.mark.parametrize(
    ("code_size", "shape", "code_shape"),
    [(10, (8, 8, 1), (10,)), (10, (7, 9, 2), (10,)), (None, (7, 9, 2), (2, 3, 4))],
)
def test_convolutional(code_size, shape, code_shape):
    x = np.random.default_rng(0).uniform(size=(32, *shape)).astype("float32")
    autoencoder = DenoisingAutoencoder(code_size, (8, 4), convolutional=True, noise=0.1)
    autoencoder.compile("adam", "mse")
    losses = autoencoder.fit(x, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert autoencoder.encode(x).shape == (32, *code_shape)
    assert autoencoder.decode(autoencoder.encode(x)).shape == x.shape
    assert autoencoder.reconstruction_error(x).shape == (32,)


def test_kl_penalty_brings_the_code_to_its_target(digits):
    x = digits[:600]
    means = {}
    for weight in (0.0, 1.0):
        sparse = SparseAutoencoder(40, target=0.1, weight=weight, seed=0)
        trained(sparse, x, 30, 1e-2, batch_size=100)
        means[weight] = sparse.mean_activations(x)
    assert np.abs(means[1.0] - 0.1).mean() < 0.02
    assert np.abs(means[0.0] - 0.1).mean() > 0.1


def test_l1_penalty_silences_units(digits):
    x = digits[:600]
    shares = {}
    for weight in (0.0, 0.01):
        sparse = SparseAutoencoder(40, penalty="l1", weight=weight, seed=0)
        trained(sparse, x, 15, 1e-2, batch_size=100)
        shares[weight] = np.mean(sparse.encode(x) == 0)
    assert shares[0.01] > shares[0.0] + 0.2


def test_tied_weights_are_shared_and_trained_once(digits):
    x = digits[:200]
    autoencoder = trained(DenoisingAutoencoder(8, (16,), tied=True, seed=0), x, 1)
    kernels = [w for w in autoencoder.trainable_weights if "kernel" in w.path]
    assert [tuple(k.shape) for k in kernels] == [(64, 16), (16, 8)]
    w1, b1, w2, b2, c1, c2 = autoencoder.get_weights()
    code = np.maximum(x @ w1 + b1, 0) @ w2 + b2
    expected = np.maximum(code @ w2.T + c1, 0) @ w1.T + c2
    np.testing.assert_allclose(autoencoder.reconstruct(x), expected, atol=1e-5)


def test_pretraining_helps_the_stack(digits):
    """After greedy pre-training the whole stack starts far below a stack that was not trained."""
    x = digits[:600]
    fresh = StackedAutoencoder(8, (32, 16), seed=0)
    stacked = StackedAutoencoder(8, (32, 16), seed=0)
    histories = stacked.pretrain(x, epochs=15, optimizer=keras.optimizers.Adam(5e-3))
    assert [h.history["loss"][-1] < h.history["loss"][0] for h in histories] == [True] * 3
    before = stacked.reconstruction_error(x).mean()
    assert before < 0.6 * fresh.reconstruction_error(x).mean()
    trained(stacked, x, 5)
    assert stacked.reconstruction_error(x).mean() < before


@pytest.mark.parametrize(
    "make",
    [
        lambda: DenoisingAutoencoder(4, (5,), GaussianCorruption(0.1), seed=1),
        lambda: DenoisingAutoencoder(4, (5,), tied=True, activation="keras_dlnotes>mish"),
        lambda: SparseAutoencoder(4, penalty="l1"),
        lambda: SparseAutoencoder(4, (5,), target=0.2),
        lambda: LinearAutoencoder(2, tied=True),
        lambda: StackedAutoencoder(2, (4, 3)),
        lambda: DenoisingAutoencoder(4, (5, 3), activation=PReLU(), tied=True),
    ],
)
def test_saved_and_trained_on(make, tmp_path):
    x = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")
    autoencoder = trained(make(), x, 1)
    autoencoder.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras")
    assert type(again) is type(autoencoder)
    np.testing.assert_allclose(again.reconstruct(x), autoencoder.reconstruct(x), rtol=1e-5)
    again.fit(x, epochs=1, verbose=0)


def test_each_layer_has_an_activation_of_its_own():
    pictures = np.ones((2, 8, 8, 1), "float32")
    model = DenoisingAutoencoder(4, (3, 5), activation=keras.layers.PReLU(), convolutional=True)
    model.build(pictures.shape)
    slopes = [v.shape for v in model.trainable_variables if v.path.endswith("alpha")]
    assert slopes == [(4, 4, 3), (2, 2, 5), (20,), (4, 4, 5), (8, 8, 3)]
    assert model.reconstruct(pictures).shape == pictures.shape


def test_trains_against_another_target():
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    autoencoder = LinearAutoencoder(3, seed=0)
    autoencoder.compile(keras.optimizers.Adam(0.05), "mse")
    autoencoder.fit(x, -x, epochs=60, verbose=0)
    assert autoencoder.reconstruction_error(x, -x).mean() < 1e-2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DenoisingAutoencoder(0), "Received: code_size=0"),
        (lambda: DenoisingAutoencoder(4, (0,)), "Received: hidden=0"),
        (lambda: DenoisingAutoencoder(4, 5), "be a tuple or list of integers. Received: hidden=5"),
        (lambda: DenoisingAutoencoder(4, corruption="fog"), "Received: corruption='fog'"),
        (lambda: DenoisingAutoencoder(4, convolutional=True, tied=True), "Received: tied=True"),
        (lambda: SparseAutoencoder(4, target=1), "Received: target=1"),
        (lambda: SparseAutoencoder(4, penalty="l3"), "Received: penalty='l3'"),
        (lambda: StackedAutoencoder(4, ()), r"Received: hidden=\(\)"),
        (lambda: LinearAutoencoder(2).to_components(), "fit the autoencoder first"),
        (lambda: LinearAutoencoder(2).decode(np.zeros((1, 2))), "fit or build"),
    ],
)
def test_rejects(make, message):
    with pytest.raises(ValueError, match=message):
        make()
