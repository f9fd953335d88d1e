"""The activation layers: Keras' layers, their functions, learnt parameters, bad arguments."""

import inspect

import keras
import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_dlnotes import activations, layers

BACKEND = keras.backend.backend()
X = np.random.default_rng(0).normal(size=(3, 4, 5)).astype("float32") * 3

SAME = [
    ("ReLU", {}),
    ("ReLU", {"max_value": 2.0, "negative_slope": 0.3, "threshold": 0.5}),
    ("LeakyReLU", {}),
    ("LeakyReLU", {"negative_slope": 0.01}),
    ("PReLU", {"alpha_initializer": "ones"}),
    ("PReLU", {"alpha_initializer": keras.initializers.Constant(0.25), "shared_axes": [1]}),
    ("ELU", {}),
    ("ELU", {"alpha": 0.5}),
    ("Softmax", {}),
    ("Softmax", {"axis": 1}),
    ("Softmax", {"axis": [1, 2]}),
]


@pytest.mark.parametrize(("name", "kwargs"), SAME)
def test_equals_the_layer_of_keras(name, kwargs):
    ours, theirs = getattr(layers, name)(**kwargs), getattr(keras.layers, name)(**kwargs)
    a, b = (ops.convert_to_numpy(layer(X)) for layer in (ours, theirs))
    np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
    a, b = (gradient(lambda x: layer(x) ** 2, X) for layer in (ours, theirs))  # noqa: B023
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert len(ours.weights) == len(theirs.weights)


@pytest.mark.parametrize("name", ["ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax"])
def test_arguments_are_those_of_keras(name):
    ours, theirs = (
        [(p.name, p.default) for p in inspect.signature(c.__init__).parameters.values()]
        for c in (getattr(layers, name), getattr(keras.layers, name))
    )
    assert ours == theirs


FUNCTIONS = [
    (layers.ReLU(), activations.relu, {}),
    (layers.LeakyReLU(0.1), activations.leaky_relu, {"negative_slope": 0.1}),
    (layers.ELU(0.5), activations.elu, {"alpha": 0.5}),
    (layers.SELU(), activations.selu, {}),
    (layers.GELU(), activations.gelu, {}),
    (layers.GELU(True), activations.gelu, {"approximate": True}),
    (layers.Swish(), activations.swish, {}),
    (layers.Swish(2.0), activations.swish, {"beta": 2.0}),
    (layers.Mish(), activations.mish, {}),
    (layers.Sigmoid(), activations.sigmoid, {}),
    (layers.Tanh(), activations.tanh, {}),
    (layers.TanhShrink(), activations.tanh_shrink, {}),
    (layers.Softplus(), activations.softplus, {}),
    (layers.Softmax(), activations.softmax, {}),
    (layers.LiSHT(), activations.lisht, {}),
    (layers.Linear(), activations.linear, {}),
    (layers.Snake(2.0), activations.snake, {"frequency": 2.0}),
    (layers.RReLU(0.1, 0.3), activations.rrelu, {"lower": 0.1, "upper": 0.3}),
    (layers.Step(), activations.step, {}),
    (layers.Step(False, 0.5), activations.step, {"straight_through": False, "at_zero": 0.5}),
    (layers.Sign(), activations.sign, {}),
    (layers.Sign(False, 1.0), activations.sign, {"straight_through": False, "at_zero": 1.0}),
]


@pytest.mark.parametrize(("layer", "function", "kwargs"), FUNCTIONS)
def test_computes_its_function_and_gradient(layer, function, kwargs):
    x = np.concatenate([X.ravel(), [0.0]]).astype("float32")[None]
    expected = ops.convert_to_numpy(function(ops.convert_to_tensor(x), **kwargs))
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(x)), expected)
    a, b = gradient(layer, x), gradient(lambda x: function(x, **kwargs), x)
    np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
    assert layer.built
    assert layer.compute_output_shape((None, 7)) == (None, 7)


# -------------------------------------------------------------------------------------- PReLU


def test_prelu_slopes_are_learnt():
    x = np.array([[-2.0, -1.0, 3.0], [-4.0, 2.0, 1.0]], "float32")
    layer = layers.PReLU(alpha_initializer=keras.initializers.Constant(0.25))
    layer(x)
    assert tuple(layer.alpha.shape) == (3,)
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile(keras.optimizers.SGD(1.0), keras.losses.MeanSquaredError("sum"))
    target = ops.convert_to_numpy(layer(x)) - 3.0  # d loss / d output is 2 * 3 / 3 = 2.
    model.fit(x, target, batch_size=2, verbose=0)
    expected = 0.25 - 2 * np.minimum(x, 0).sum(0)
    np.testing.assert_allclose(ops.convert_to_numpy(layer.alpha), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        (None, (6, 7, 3)),
        (1, (1, 7, 3)),
        ([1, 2], (1, 1, 3)),
        ([-1], (6, 7, 1)),
        ([-2, 1], (1, 1, 3)),
    ],
)
def test_prelu_shares_axes(axes, shape):
    layer = layers.PReLU(shared_axes=axes)
    layer.build((None, 6, 7, 3))
    assert tuple(layer.alpha.shape) == shape
    copy = layers.PReLU.from_config(layer.get_config())
    assert copy.shared_axes == layer.shared_axes


def test_prelu_takes_any_size_along_shared_axes():
    layer = layers.PReLU(shared_axes=[1, 2])
    layer.build((None, None, None, 3))
    for size in (4, 9):
        assert tuple(layer(np.ones((2, size, size, 3))).shape) == (2, size, size, 3)
    with pytest.raises(ValueError, match="incompatible"):
        layer(np.ones((2, 4, 4, 5)))


# ------------------------------------------------------------------------------ Snake and RReLU


def test_snake_learns_a_frequency():
    x = np.linspace(-3, 3, 400, dtype="float32")[:, None]
    y = x + np.sin(1.7 * x) ** 2 / 1.7
    snake = layers.Snake(1.5, learnable=True)
    model = keras.Sequential([keras.Input((1,)), snake])
    model.compile(keras.optimizers.Adam(0.02), "mse")
    model.fit(x, y, batch_size=100, epochs=40, verbose=0)
    assert float(ops.convert_to_numpy(snake.frequencies)[0]) == pytest.approx(1.7, abs=0.02)
    assert layers.Snake(1.5).weights == []


def test_rrelu_is_random_while_training_only():
    x = -np.ones((50, 40), "float32")
    layer = layers.RReLU(0.1, 0.3, seed=1)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), -0.2, rtol=1e-6)
    first = ops.convert_to_numpy(layer(x, training=True))
    second = ops.convert_to_numpy(layer(x, training=True))
    assert not np.array_equal(first, second)
    assert -0.3 <= first.min() < first.max() <= -0.1
    again = layers.RReLU(0.1, 0.3, seed=1)
    np.testing.assert_array_equal(ops.convert_to_numpy(again(x, training=True)), first)


# ----------------------------------------------------------------------------- Softmax and masks


def test_softmax_leaves_masked_classes_out():
    x = np.array([[1.0, 2.0, 5.0, 1.0], [1.0, 1.0, 1.0, 1.0]], "float32")
    mask = np.array([[1, 1, 0, 0], [0, 0, 0, 0]])
    for kind in ("int32", "bool", "float32"):
        y = ops.convert_to_numpy(layers.Softmax()(x, mask=mask.astype(kind)))
        e = np.exp([1.0, 2.0])
        np.testing.assert_allclose(y, [[*e / e.sum(), 0, 0], [0] * 4], rtol=1e-6)
        np.testing.assert_allclose(
            y, ops.convert_to_numpy(keras.layers.Softmax()(x, mask=mask.astype(kind))), rtol=1e-6
        )
    y = ops.convert_to_numpy(layers.Softmax()(x, mask=np.array([1, 0, 1, 1])))
    assert np.all(y[:, 1] == 0)


def test_softmax_passes_masks_of_time_steps_on():
    inputs = keras.Input((4,), dtype="int32")
    x = keras.layers.Embedding(9, 5, mask_zero=True)(inputs)
    model = keras.Model(inputs, layers.Softmax()(x))
    y = ops.convert_to_numpy(model(np.array([[3, 1, 0, 0]])))
    np.testing.assert_allclose(y.sum(-1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "words"), [((2, 3), "broadcastable"), ((1, 1, 3), "must not have more dimensions")]
)
def test_softmax_rejects_masks_that_do_not_fit(shape, words):
    with pytest.raises(ValueError, match=words) as error:
        layers.Softmax()(np.ones((1, 3), "float32"), mask=np.ones(shape, "float32"))
    assert f"mask.shape={shape}" in str(error.value)


# --------------------------------------------------------------------------------- bad arguments

NAN = float("nan")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: layers.LeakyReLU(NAN),
            "Argument `negative_slope` must be in [0, inf). Received: negative_slope=nan",
        ),
        (lambda: layers.LeakyReLU(None), "Received: negative_slope=None"),
        (lambda: layers.LeakyReLU(-0.1), "Received: negative_slope=-0.1"),
        (lambda: layers.ReLU(max_value=-1), "Received: max_value=-1"),
        (lambda: layers.ReLU(negative_slope=None), "Received: negative_slope=None"),
        (lambda: layers.ReLU(threshold=-2.0), "Received: threshold=-2.0"),
        (lambda: layers.ELU(-1.0), "Received: alpha=-1.0"),
        (lambda: layers.GELU("yes"), "Argument `approximate` must be True or False"),
        (lambda: layers.Swish(NAN), "Received: beta=nan"),
        (lambda: layers.Snake(0.0), "must be in (0, inf). Received: frequency=0.0"),
        (lambda: layers.Snake(learnable=1), "Received: learnable=1"),
        (lambda: layers.RReLU(0.5, 0.1), "must be at least lower=0.5. Received: upper=0.1"),
        (lambda: layers.RReLU(lower=-1), "Received: lower=-1"),
        (lambda: layers.RReLU(seed="s"), "Received: seed='s'"),
        (lambda: layers.Step(straight_through=2), "Received: straight_through=2"),
        (lambda: layers.Sign(at_zero=3.0), "must be in [-1, 1]. Received: at_zero=3.0"),
        (lambda: layers.Softmax(1.5), "must be an integer. Received: axis=1.5"),
        (lambda: layers.PReLU(shared_axes="a"), "Received: shared_axes='a'"),
        (lambda: layers.PReLU(shared_axes=[3]).build((None, 4, 5)), "Received: shared_axes=[3]"),
        (lambda: layers.PReLU(shared_axes=[0]).build((None, 4, 5)), "Received: shared_axes=[0]"),
        (lambda: layers.PReLU().build((None, None, 5)), "Received: shared_axes=None"),
    ],
)
def test_bad_arguments_are_named_with_what_was_received(make, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        make()
    assert message in str(error.value)
