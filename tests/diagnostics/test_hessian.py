import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_dlnotes.diagnostics import HessianEigenvalues, hessian_eigenvalues

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(40, 3)).astype("float32")
Y = np.sin(2 * X[:, :1]) + X[:, 1:2]


def net():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, "tanh"), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def dense_hessian(model):
    """By central differences of the loss in float64, entry by entry."""
    shapes = [w.shape for w in model.get_weights()]
    start = np.concatenate([w.ravel() for w in model.get_weights()]).astype("float64")

    def loss(flat):
        parts = np.split(flat, np.cumsum([int(np.prod(s)) for s in shapes])[:-1])
        a, b, c, d = (p.reshape(s) for p, s in zip(parts, shapes, strict=True))
        return np.mean((np.tanh(X.astype("float64") @ a + b) @ c + d - Y) ** 2)

    n, h = len(start), 1e-4
    unit = np.eye(n) * h
    hessian = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            hessian[i, j] = (
                loss(start + unit[i] + unit[j])
                - loss(start + unit[i] - unit[j])
                - loss(start - unit[i] + unit[j])
                + loss(start - unit[i] - unit[j])
            ) / (4 * h * h)
    return hessian


@pytest.mark.parametrize("batch_size", [64, 15])
def test_eigenvalues_are_those_of_the_dense_hessian(batch_size):
    model = net()
    expected = np.linalg.eigvalsh(dense_hessian(model))
    found = hessian_eigenvalues(model, (X, Y), count=3, tolerance=1e-5, batch_size=batch_size)
    assert isinstance(found, HessianEigenvalues)
    assert found.converged
    np.testing.assert_allclose(found.eigenvalues, expected[::-1][:3], rtol=1e-3, atol=1e-4)
    power = hessian_eigenvalues(
        model, (X, Y), method="power", tolerance=1e-4, steps=500, batch_size=batch_size
    )
    largest = expected[np.argmax(np.abs(expected))]
    assert power.eigenvalues[0] == pytest.approx(largest, rel=1e-3)
    assert power.converged
    vector = found.eigenvectors[:, 0]
    hessian = dense_hessian(model)
    np.testing.assert_allclose(hessian @ vector, expected[-1] * vector, atol=1e-2)


def test_power_iteration_finds_the_next_ones_too():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, use_bias=False)])
    scaled = np.diag([3.0, 2.0, 1.0])
    for method in ("power", "lanczos"):
        found = hessian_eigenvalues(
            model, (scaled, np.zeros((3, 1))), loss="mse", count=3, method=method, tolerance=1e-6
        )
        # d2/dw2 of the mean of (x w)^2 over three rows
        np.testing.assert_allclose(found.eigenvalues, [6, 8 / 3, 2 / 3], rtol=1e-5)


def test_what_does_not_bend_and_what_did_not_converge():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    flat = hessian_eigenvalues(model, (X, Y), loss=lambda y, p: ops.mean(p, axis=-1))
    np.testing.assert_allclose(flat.eigenvalues, 0, atol=1e-6)
    early = hessian_eigenvalues(net(), (X, Y), steps=2, tolerance=1e-9)
    assert not early.converged
    assert "NOT converged after 2 products" in early.report()


def test_nothing_changes_and_bad_arguments():
    model = net()
    before = model.get_weights()
    hessian_eigenvalues(model, (X, Y))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    with pytest.raises(ValueError, match="`count` must be at most"):
        hessian_eigenvalues(model, (X, Y), count=1000)
    with pytest.raises(ValueError, match="`method` must"):
        hessian_eigenvalues(model, (X, Y), method="qr")
    with pytest.raises(ValueError, match="second derivatives of the loss are not finite"):
        hessian_eigenvalues(model, (X * np.nan, Y))
    with pytest.raises(ValueError, match="`model` must be a Keras model"):
        hessian_eigenvalues(len, (X, Y))
    with pytest.raises(ValueError, match="`loss` must be given"):
        hessian_eigenvalues(keras.Sequential([keras.Input((3,)), layers.Dense(1)]), (X, Y))
