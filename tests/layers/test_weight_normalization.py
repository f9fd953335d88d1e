import keras
import numpy as np
import pytest

from keras_dlnotes import layers

X = np.random.default_rng(0).normal(size=(16, 6, 6, 3)).astype("float32")


def numpy(x):
    return keras.ops.convert_to_numpy(x)


@pytest.mark.parametrize(
    ("make", "axes"),
    [
        (lambda: keras.layers.Dense(4), (0,)),
        (lambda: keras.layers.Conv2D(4, 3), (0, 1, 2)),
        (lambda: keras.layers.DepthwiseConv2D(3, depth_multiplier=2), (0, 1)),
        (lambda: keras.layers.Conv2DTranspose(4, 3), (0, 1, 3)),
    ],
)
def test_length_and_direction_are_trained_apart(make, axes):
    inner = make()
    layer = layers.WeightNormalization(inner)
    y = numpy(layer(X))
    np.testing.assert_allclose(y, numpy(inner(X)), atol=1e-5)  # g starts as the length of v.
    layer.g.assign(2 * numpy(layer.g))
    kernel = numpy(layer.normalized_kernel())
    np.testing.assert_allclose(
        np.sqrt((kernel**2).sum(axes)).ravel(), numpy(layer.g).ravel(), rtol=1e-5
    )
    np.testing.assert_allclose(numpy(layer(X)), 2 * y, atol=1e-4)  # Biases are zero.
    layer._v.assign(5 * numpy(layer._v))
    np.testing.assert_allclose(numpy(layer(X)), 2 * y, atol=1e-4)  # The length of v is idle.


def test_gradient_is_orthogonal_to_the_direction():
    """The paper's property: the gradient of v has no part along v, so |v| can only grow."""
    model = keras.Sequential(
        [keras.Input((3,)), layers.WeightNormalization(keras.layers.Dense(2, use_bias=False))]
    )
    model.compile(keras.optimizers.SGD(0.1), "mse")
    wrapper = model.layers[0]
    before = numpy(wrapper._v).copy()
    rows = X.reshape(-1, 3)
    model.train_on_batch(rows, rows[:, :2])
    moved = numpy(wrapper._v) - before
    assert np.abs(moved).max() > 1e-4
    np.testing.assert_allclose((moved * before).sum(0), 0, atol=1e-6)


RECURRENT = [keras.layers.SimpleRNN, keras.layers.LSTM, keras.layers.GRU]


@pytest.mark.parametrize("kind", RECURRENT)
def test_of_a_recurrent_layer_the_recurrent_kernel(kind):
    sequences, inner = X[:, :, 0], kind(3)
    layer = layers.WeightNormalization(inner)
    before = numpy(layer(sequences))
    np.testing.assert_allclose(before, numpy(inner(sequences)), atol=1e-6)
    assert layer._v is inner.cell.recurrent_kernel
    layer._v.assign(5 * numpy(layer._v))
    np.testing.assert_allclose(numpy(layer(sequences)), before, atol=1e-5)
    model = keras.Sequential([keras.Input((6, 3)), layer])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    lengths = numpy(layer.g)
    model.fit(sequences, np.ones((16, 3)), epochs=2, verbose=0)
    assert np.abs(numpy(layer.g) - lengths).min() > 0


@pytest.mark.parametrize("kind", [*RECURRENT, keras.layers.Dense])
def test_what_is_left_without_the_wrapper_computes_the_same(kind):
    layer = layers.WeightNormalization(kind(3))
    with pytest.raises(ValueError, match="has no kernel before it is built"):
        layer.remove()
    sequences = X[:, :, 0]
    layer(sequences)
    layer.g.assign(2 * numpy(layer.g))
    expected = numpy(layer(sequences))
    alone = layer.remove()
    assert type(alone) is kind
    np.testing.assert_allclose(numpy(alone(sequences)), expected, atol=1e-6)
    np.testing.assert_allclose(numpy(layer(sequences)), expected, atol=1e-6)


def test_initialize_standardizes_the_outputs():
    layer = layers.WeightNormalization(keras.layers.Conv2D(4, 3))
    layer.initialize(X * 7 + 3)
    y = numpy(layer(X * 7 + 3))
    np.testing.assert_allclose(y.mean((0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(y.std((0, 1, 2)), 1, atol=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.WeightNormalization("dense"), "Received: layer='dense'"),
        (lambda: layers.WeightNormalization(keras.layers.Flatten())(X), "has no kernel"),
    ],
)
def test_rejects(make, message):
    with pytest.raises(ValueError, match=message):
        make()
