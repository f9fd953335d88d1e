"""Activations against NumPy, against Keras, at extreme inputs, and inside models."""

import math

import keras
import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_dlnotes import activations

BACKEND = keras.backend.backend()
erf = np.vectorize(math.erf)


def np_sigmoid(x):
    return 1 / (1 + np.exp(-x))


def np_softplus(x):
    return np.logaddexp(0, x)


def np_elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def np_mish_slope(x):
    t = np.tanh(np_softplus(x))
    return t + x * (1 - t**2) * np_sigmoid(x)


def np_gelu_slope(x):
    return 0.5 * (1 + erf(x / np.sqrt(2))) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


def np_gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def np_gelu_tanh_slope(x):
    t = np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2)


SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772
A = activations
#: name: (function, keyword arguments, the formula in NumPy, its derivative)
TABLE = {
    "step": (A.step, {}, lambda x: 1.0 * (x >= 0), lambda x: np.ones_like(x)),
    "step, true gradient": (
        A.step,
        {"straight_through": False, "at_zero": 0.5},
        lambda x: np.heaviside(x, 0.5),
        lambda x: np.zeros_like(x),
    ),
    "sign": (A.sign, {}, np.sign, lambda x: np.ones_like(x)),
    "sign, true gradient": (
        A.sign,
        {"straight_through": False, "at_zero": 1.0},
        lambda x: np.where(x >= 0, 1.0, -1.0),
        lambda x: np.zeros_like(x),
    ),
    "linear": (A.linear, {}, lambda x: x, lambda x: np.ones_like(x)),
    "sigmoid": (A.sigmoid, {}, np_sigmoid, lambda x: np_sigmoid(x) * (1 - np_sigmoid(x))),
    "tanh": (A.tanh, {}, np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "relu": (A.relu, {}, lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0)),
    "relu, all arguments": (
        A.relu,
        {"negative_slope": 0.25, "max_value": 3.0, "threshold": 1.0},
        lambda x: np.where(x > 1, np.minimum(x, 3), 0.25 * (x - 1)),
        lambda x: np.where(x > 1, 1.0 * (x < 3), 0.25),
    ),
    "leaky_relu": (
        A.leaky_relu,
        {},
        lambda x: np.where(x > 0, x, 0.01 * x),
        lambda x: np.where(x > 0, 1, 0.01),
    ),
    "leaky_relu 0.1": (
        A.leaky_relu,
        {"negative_slope": 0.1},
        lambda x: np.where(x > 0, x, 0.1 * x),
        lambda x: np.where(x > 0, 1, 0.1),
    ),
    "rrelu": (
        A.rrelu,
        {},
        lambda x: np.where(x > 0, x, 11 / 48 * x),
        lambda x: np.where(x > 0, 1, 11 / 48),
    ),
    "elu": (A.elu, {}, np_elu, lambda x: np.where(x > 0, 1, np.exp(x))),
    "elu 0.5": (
        A.elu,
        {"alpha": 0.5},
        lambda x: np_elu(x, 0.5),
        lambda x: np.where(x > 0, 1, 0.5 * np.exp(x)),
    ),
    "selu": (
        A.selu,
        {},
        lambda x: SCALE * np_elu(x, ALPHA),
        lambda x: SCALE * np.where(x > 0, 1, ALPHA * np.exp(x)),
    ),
    "gelu": (A.gelu, {}, lambda x: 0.5 * x * (1 + erf(x / np.sqrt(2))), np_gelu_slope),
    "gelu, approximate": (A.gelu, {"approximate": True}, np_gelu_tanh, np_gelu_tanh_slope),
    "swish": (
        A.swish,
        {},
        lambda x: x * np_sigmoid(x),
        lambda x: np_sigmoid(x) * (1 + x * (1 - np_sigmoid(x))),
    ),
    "swish 2": (
        A.swish,
        {"beta": 2.0},
        lambda x: x * np_sigmoid(2 * x),
        lambda x: np_sigmoid(2 * x) * (1 + 2 * x * (1 - np_sigmoid(2 * x))),
    ),
    "mish": (A.mish, {}, lambda x: x * np.tanh(np_softplus(x)), np_mish_slope),
    "softplus": (A.softplus, {}, np_softplus, np_sigmoid),
    "lisht": (
        A.lisht,
        {},
        lambda x: x * np.tanh(x),
        lambda x: np.tanh(x) + x * (1 - np.tanh(x) ** 2),
    ),
    "snake": (A.snake, {}, lambda x: x + np.sin(x) ** 2, lambda x: 1 + np.sin(2 * x)),
    "snake 3": (
        A.snake,
        {"frequency": 3.0},
        lambda x: x + (1 - np.cos(6 * x)) / 6,
        lambda x: 1 + np.sin(6 * x),
    ),
    "tanh_shrink": (A.tanh_shrink, {}, lambda x: x - np.tanh(x), lambda x: np.tanh(x) ** 2),
}
#: Zero and its neighbours are among them: there the branches meet.
POINTS = np.concatenate([np.linspace(-8, 8, 41), [-1e-3, -1e-6, 1e-6, 1e-3]])
ALL = pytest.mark.parametrize("name", TABLE)


@ALL
def test_value_and_gradient_equal_the_formula(name):
    function, kwargs, formula, slope = TABLE[name]
    x = POINTS.astype("float32")
    y = ops.convert_to_numpy(function(ops.convert_to_tensor(x), **kwargs))
    np.testing.assert_allclose(y, formula(x.astype("float64")), rtol=2e-6, atol=2e-6)
    found = gradient(lambda x: function(x, **kwargs), x)
    np.testing.assert_allclose(found, slope(x.astype("float64")), rtol=1e-5, atol=2e-6)


@pytest.mark.skipif(BACKEND == "jax", reason="JAX has float64 only after a global switch")
@ALL
def test_formula_in_float64(name):
    function, kwargs, formula, slope = TABLE[name]
    y = function(ops.convert_to_tensor(POINTS), **kwargs)
    assert keras.backend.standardize_dtype(y.dtype) == "float64"
    np.testing.assert_allclose(ops.convert_to_numpy(y), formula(POINTS), rtol=1e-12, atol=1e-13)
    found = gradient(lambda x: function(x, **kwargs), POINTS)
    np.testing.assert_allclose(found, slope(POINTS), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@ALL
def test_value_and_gradient_are_finite_far_out(name, dtype):
    function, kwargs, formula, slope = TABLE[name]
    x = np.array([-6e4, -1e4, -300.0, -20.0, 0.0, 20.0, 300.0, 1e4, 6e4])
    x = ops.cast(ops.convert_to_tensor(x.astype("float32")), dtype)
    y = function(x, **kwargs)
    assert keras.backend.standardize_dtype(y.dtype) == dtype
    slopes = gradient(lambda x: ops.cast(function(x, **kwargs), "float32"), x).astype("float32")
    x, y = (ops.convert_to_numpy(ops.cast(value, "float32")) for value in (x, y))
    assert np.all(np.isfinite(y))
    tolerance = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-6}[dtype]
    with np.errstate(over="ignore", under="ignore"):
        x = x.astype("float64")
        np.testing.assert_allclose(y, formula(x), rtol=tolerance, atol=tolerance)
        # The hardest for a gradient: sin(2x), from sines that were rounded before.
        tolerance *= 2
        np.testing.assert_allclose(slopes, slope(x), rtol=tolerance, atol=tolerance)


def test_softmax_far_out():
    for dtype in ("float16", "float32"):
        x = np.array([[1e4, 1e4, -1e4], [-1e4, -1e4, -1e4], [0.0, 6e4, -6e4]], dtype)
        y = ops.convert_to_numpy(activations.softmax(x))
        expected = [[0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3], [0, 1, 0]]
        np.testing.assert_allclose(y, expected, rtol=1e-3)
        weights = ops.convert_to_tensor(np.array([1.0, 2.0, 3.0], dtype))
        slopes = gradient(lambda x: activations.softmax(x) * weights, x)  # noqa: B023
        expected = [[-0.25, 0.25, 0], [-1 / 3, 0, 1 / 3], [0, 0, 0]]
        np.testing.assert_allclose(slopes, expected, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("axis", [-1, 0, 1, (1, 2), (0, -1)])
def test_softmax_over_any_axes_equals_keras(axis):
    x = np.random.default_rng(0).normal(size=(3, 4, 5)).astype("float32") * 3
    y = ops.convert_to_numpy(activations.softmax(x, axis=axis))
    if isinstance(axis, tuple):  # Keras takes no negative ones in a tuple.
        axis = tuple(one % 3 for one in axis)
    expected = ops.convert_to_numpy(keras.activations.softmax(x, axis=axis))
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(y.sum(axis), 1, rtol=1e-6)


KERAS = [
    ("elu", {}),
    ("elu", {"alpha": 0.3}),
    ("gelu", {}),
    ("gelu", {"approximate": True}),
    ("leaky_relu", {"negative_slope": 0.2}),
    ("linear", {}),
    ("mish", {}),
    ("relu", {}),
    ("relu", {"negative_slope": 0.3, "max_value": 4.0, "threshold": 0.7}),
    ("relu", {"max_value": 6}),
    ("selu", {}),
    ("sigmoid", {}),
    ("silu", {}),
    ("softmax", {}),
    ("softplus", {}),
    ("tanh", {}),
    ("tanh_shrink", {}),
]


@pytest.mark.parametrize(("name", "kwargs"), KERAS)
def test_equals_keras(name, kwargs):
    x = np.random.default_rng(1).normal(size=(20, 30)).astype("float32") * 4
    ours = ops.convert_to_numpy(getattr(activations, name)(x, **kwargs))
    theirs = ops.convert_to_numpy(getattr(keras.activations, name)(x, **kwargs))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", activations.__all__)
def test_works_as_activation_by_function_and_by_registered_name(name):
    function = getattr(activations, name)
    x = np.random.default_rng(2).normal(size=(4, 3)).astype("float32")
    by_function = keras.layers.Dense(5, function, kernel_initializer="ones")
    registered = keras.saving.get_registered_name(function)
    by_name = keras.layers.Dense(5, registered, kernel_initializer="ones")
    assert by_name.activation is function
    y = ops.convert_to_numpy(by_function(x))
    np.testing.assert_array_equal(y, ops.convert_to_numpy(by_name(x)))
    copy = keras.layers.Dense.from_config(by_function.get_config())
    assert copy.activation is function
    assert keras.activations.deserialize(keras.activations.serialize(function)) is function


def test_lists_integers_and_single_numbers_are_taken():
    assert ops.convert_to_numpy(activations.relu([-1, 2])).tolist() == [0, 2]
    assert ops.convert_to_numpy(activations.sigmoid(np.array([0]))).tolist() == [0.5]
    assert float(ops.convert_to_numpy(activations.tanh(0.0))) == 0


def test_nan_is_not_hidden():
    x = np.array([np.nan, 1.0], "float32")
    for name in activations.__all__:
        if name != "softmax":
            y = ops.convert_to_numpy(getattr(activations, name)(ops.convert_to_tensor(x)))
            assert np.isnan(y[0]), name
            assert not np.isnan(y[1]), name


def test_step_takes_infinities():
    x = np.array([-np.inf, np.inf], "float32")
    assert ops.convert_to_numpy(activations.step(x)).tolist() == [0, 1]
    assert ops.convert_to_numpy(activations.sign(x)).tolist() == [-1, 1]


def test_straight_through_gradient_is_the_perceptron_rule():
    generator = np.random.default_rng(3)
    x, w = generator.normal(size=(6, 4)), generator.normal(size=4)
    x, w = x.astype("float32"), w.astype("float32")
    y = np.array([0, 1, 0, 1, 1, 0], "float32")

    def loss(w):
        inputs, targets = ops.convert_to_tensor(x), ops.convert_to_tensor(y)
        return 0.5 * ops.sum(
            (activations.step(ops.matmul(inputs, w[:, None])[:, 0]) - targets) ** 2
        )

    rule = sum((t - (row @ w >= 0)) * row for row, t in zip(x, y, strict=True))
    np.testing.assert_allclose(gradient(loss, w), -rule, rtol=1e-5, atol=1e-6)


def test_a_perceptron_learns_and():
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
    y = np.array([[0], [0], [0], [1]], "float32")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activations.step)])
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    model.fit(x, y, epochs=40, batch_size=1, verbose=0, shuffle=False)
    np.testing.assert_array_equal(ops.convert_to_numpy(model(x)), y)


def test_rrelu_draws_slopes_while_training_only():
    x = -np.ones(20000, "float32")
    y = -ops.convert_to_numpy(activations.rrelu(x, 0.1, 0.3, training=True, seed=1))
    assert 0.1 <= y.min() < 0.101
    assert 0.299 < y.max() <= 0.3
    # Standard error of a uniform draw of width 0.2: 0.2 / sqrt(12 * 20000) = 4e-4.
    assert abs(y.mean() - 0.2) < 2e-3
    again = -ops.convert_to_numpy(activations.rrelu(x, 0.1, 0.3, training=True, seed=1))
    np.testing.assert_array_equal(y, again)
    other = -ops.convert_to_numpy(activations.rrelu(x, 0.1, 0.3, training=True, seed=2))
    assert not np.array_equal(y, other)


@pytest.mark.tensorflow
def test_crossentropy_after_our_softmax_needs_no_clipping():
    """Keras recovers the logits behind its own softmax and sigmoid, and behind ours as well."""
    x = np.array([[60.0, -60.0]], "float32")
    ours = keras.losses.categorical_crossentropy([[0.0, 1.0]], activations.softmax(x))
    assert float(ours[0]) == pytest.approx(120)
    ours = keras.losses.binary_crossentropy([[0.0, 1.0]], activations.sigmoid(x))
    assert float(ours[0]) == pytest.approx(60)
