"""Regularizers against NumPy and Keras: on kernels, on biases, on outputs, and in `fit`."""

import keras
import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_dlnotes import regularizers

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
SAME = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L2", {}),
    ("L2", {"l2": 0.3}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.3, "l2": 0.2}),
]


def kl(means, rho, beta):
    return beta * np.sum(rho * np.log(rho / means) + (1 - rho) * np.log((1 - rho) / (1 - means)))


@pytest.mark.parametrize(("name", "kwargs"), SAME)
def test_value_and_gradient_equal_keras(name, kwargs):
    ours, theirs = (getattr(m, name)(**kwargs) for m in (regularizers, keras.regularizers))
    x = ops.convert_to_tensor(X)
    value, expected = (ops.convert_to_numpy(regularizer(x)) for regularizer in (ours, theirs))
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    np.testing.assert_allclose(gradient(ours, X), gradient(theirs, X), rtol=1e-6)


@pytest.mark.parametrize(("name", "kwargs"), SAME)
def test_losses_of_a_layer_equal_those_with_keras(name, kwargs):
    def all_losses(module):
        keras.utils.set_random_seed(1)
        layer = keras.layers.Dense(
            3,
            bias_initializer="ones",
            kernel_regularizer=getattr(module, name)(**kwargs),
            bias_regularizer=getattr(module, name)(**kwargs),
            activity_regularizer=getattr(module, name)(**kwargs),
        )
        layer(X)
        return [float(ops.convert_to_numpy(loss)) for loss in layer.losses]

    ours, theirs = all_losses(regularizers), all_losses(keras.regularizers)
    assert len(ours) == 3
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_formulas():
    x = np.array([[1.0, -2.0], [0.5, 3.0]], "float32")
    for regularizer, expected in (
        (regularizers.L1(0.1), 0.65),
        (regularizers.L2(0.1), 1.425),
        (regularizers.L1L2(0.1, 0.2), 0.65 + 2.85),
    ):
        assert float(ops.convert_to_numpy(regularizer(x))) == pytest.approx(expected, rel=1e-6)


def test_gradient_of_l1_at_zero_is_zero():
    assert gradient(regularizers.L1(0.1), np.zeros(3, "float32")).tolist() == [0, 0, 0]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_kl_sparsity_of_outputs_does_not_depend_on_the_batch_size(size):
    row = np.array([[0.2, 0.05, 0.9]], "float32")
    layer = keras.layers.Activation("linear")
    layer.activity_regularizer = regularizers.KLSparsity(rho=0.1, beta=3.0)
    layer(np.repeat(row, size, axis=0))
    found = float(ops.convert_to_numpy(layer.losses[0]))
    assert found == pytest.approx(kl(row[0].astype("float64"), 0.1, 3.0), rel=1e-5)


def test_kl_sparsity_is_about_the_mean_of_each_unit():
    x = np.random.default_rng(1).uniform(size=(6, 4, 4, 3)).astype("float32")
    regularizer = regularizers.KLSparsity(rho=0.2, beta=0.5)
    expected = kl(x.reshape(-1, 3).mean(0).astype("float64"), 0.2, 0.5)
    assert float(ops.convert_to_numpy(regularizer.penalty(x))) == pytest.approx(expected, rel=1e-5)
    # Two units with opposite habits have the right mean together, but neither has.
    opposite = np.array([[0.39, 0.01]] * 4, "float32")
    assert float(ops.convert_to_numpy(regularizer.penalty(opposite))) > 0.1
    at_target = np.array([[0.1, 0.3], [0.3, 0.1]], "float32")
    assert float(ops.convert_to_numpy(regularizer.penalty(at_target))) == pytest.approx(0, abs=1e-6)


def test_kl_sparsity_gradient():
    x = np.random.default_rng(2).uniform(0.1, 0.9, size=(6, 3)).astype("float32")
    rho, beta = 0.2, 0.5
    m = x.mean(0)
    expected = beta * (-rho / m + (1 - rho) / (1 - m)) / 6
    slopes = gradient(regularizers.KLSparsity(rho, beta).penalty, x)
    np.testing.assert_allclose(slopes, np.broadcast_to(expected, x.shape), rtol=1e-4)


def test_kl_sparsity_of_a_kernel_is_the_formula_itself():
    kernel = np.random.default_rng(3).uniform(0.1, 0.9, (5, 3)).astype("float32")
    layer = keras.layers.Dense(3, kernel_regularizer=regularizers.KLSparsity(0.2, 0.5))
    layer.build((None, 5))
    layer.kernel.assign(kernel)
    expected = kl(kernel.mean(0).astype("float64"), 0.2, 0.5)
    assert float(ops.convert_to_numpy(layer.losses[0])) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("value", [0.0, 1.0, -5.0, 1e4])
def test_kl_sparsity_is_finite_for_dead_and_saturated_units(value, dtype):
    x = np.full((4, 2), value, dtype)
    regularizer = regularizers.KLSparsity()
    assert np.isfinite(ops.convert_to_numpy(regularizer(ops.convert_to_tensor(x))))
    assert np.all(np.isfinite(gradient(regularizer, x).astype("float32")))


def test_a_sparse_autoencoder_becomes_sparse():
    x = np.random.default_rng(4).uniform(size=(256, 8)).astype("float32")

    def mean_activation(regularizer):
        keras.utils.set_random_seed(1)
        code = keras.layers.Dense(16, "sigmoid", activity_regularizer=regularizer)
        model = keras.Sequential([keras.Input((8,)), code, keras.layers.Dense(8)])
        model.compile(keras.optimizers.Adam(0.02), "mse")
        model.fit(x, x, batch_size=64, epochs=30, verbose=0)
        return ops.convert_to_numpy(code(x)).mean(0)

    assert mean_activation(None).mean() > 0.3
    np.testing.assert_allclose(mean_activation(regularizers.KLSparsity(0.05, 1.0)), 0.05, atol=0.03)


@pytest.mark.parametrize("name", ["L1", "L2", "L1L2"])
def test_half_precision_does_not_overflow(name):
    x = np.full((300, 300), 4.0, "float16")
    arguments = {"l1": 1.0, "l2": 1.0} if name == "L1L2" else {name.lower(): 1.0}
    value = getattr(regularizers, name)(**arguments)(ops.convert_to_tensor(x))
    expected = 90000 * {"L1": 4, "L2": 16, "L1L2": 20}[name]
    assert float(ops.convert_to_numpy(value)) == expected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: regularizers.L1(-1), "Argument `l1` must be in [0, inf). Received: l1=-1"),
        (lambda: regularizers.L2(float("nan")), "Received: l2=nan"),
        (lambda: regularizers.L1L2(l2="a"), "Received: l2='a'"),
        (lambda: regularizers.L1L2(l1=float("inf")), "Received: l1=inf"),
        (lambda: regularizers.KLSparsity(0.0), "must be in (0, 1). Received: rho=0.0"),
        (lambda: regularizers.KLSparsity(1), "must be in (0, 1). Received: rho=1"),
        (lambda: regularizers.KLSparsity(beta=-2), "Received: beta=-2"),
    ],
)
def test_bad_arguments_are_named_with_what_was_received(make, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        make()
    assert message in str(error.value)
