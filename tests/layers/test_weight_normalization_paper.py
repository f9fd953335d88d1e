"""WeightNormalization: formula and gradients of the paper, and all that the layer itself does."""

import keras
import numpy as np
import pytest
from keras import ops
from vjp import vjp

from keras_dlnotes.layers import WeightNormalization

L = keras.layers
KINDS = [
    (lambda: L.Dense(5, "tanh"), (4, 3), -1),
    (lambda: L.Conv1D(5, 3), (4, 7, 3), -1),
    (lambda: L.Conv2D(5, 3, padding="same"), (2, 6, 6, 3), -1),
    (lambda: L.Conv2DTranspose(5, 3), (2, 4, 4, 3), -2),
]


def data(shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def numpy(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize(("make", "shape", "axis"), KINDS)
def test_begins_as_the_layer_alone_and_follows_the_formula(make, shape, axis):
    x = data(shape)
    layer = WeightNormalization(make())
    y = numpy(layer(x))
    plain = layer.layer
    np.testing.assert_allclose(y, numpy(plain(x)), atol=1e-5)
    others = tuple(i for i in range(len(plain.kernel.shape)) if i != axis % len(plain.kernel.shape))
    g = np.linspace(0.5, 2, 5).astype("float32")
    layer.g.assign(g)
    v = plain.kernel.numpy()
    lengths = np.sqrt((v**2).sum(others, keepdims=True))
    expected = v / lengths * g.reshape([-1 if i == axis % v.ndim else 1 for i in range(v.ndim)])
    np.testing.assert_allclose(numpy(layer.normalized_kernel()), expected, atol=1e-6)
    y = numpy(layer(x))
    plain.kernel.assign(expected)
    np.testing.assert_allclose(y, numpy(plain(x)), atol=1e-5)


def test_gradients_are_those_of_the_paper():
    # dg = (dw . v) / |v|,  dv = g / |v| dw - g dg / |v|^2 v: equations 3 of the paper.
    x, upstream = data((6, 3)), data((6, 4))
    layer = WeightNormalization(L.Dense(4))
    layer.build((6, 3))
    layer.g.assign([0.5, 1.0, 1.5, 2.0])
    _, _, gradients = vjp(layer, x, upstream)
    found = {
        v.path.split("/")[-1]: g for v, g in zip(layer.trainable_variables, gradients, strict=True)
    }
    v, g = layer._v.numpy().astype("float64"), layer.g.numpy()
    dw, length = x.T.astype("float64") @ upstream, np.sqrt((v**2).sum(0))
    dg = (dw * v).sum(0) / length
    np.testing.assert_allclose(found["g"], dg, atol=1e-5)
    np.testing.assert_allclose(found["kernel"], g / length * dw - g * dg / length**2 * v, atol=1e-5)
    np.testing.assert_allclose(found["bias"], upstream.sum(0), atol=1e-5)


@pytest.mark.parametrize(("make", "shape", "axis"), KINDS)
def test_initialize_gives_outputs_of_mean_0_and_variance_1(make, shape, axis):
    x = data((64, *shape[1:])) * 3 + 1
    layer = WeightNormalization(make())
    layer.initialize(x)
    activation, layer.layer.activation = layer.layer.activation, keras.activations.linear
    y = numpy(layer(x))
    axes = tuple(range(y.ndim - 1))
    np.testing.assert_allclose(y.mean(axes), 0, atol=1e-4)
    np.testing.assert_allclose(y.std(axes), 1, atol=1e-3)
    assert activation is not None


def test_initialize_keeps_the_activation():
    layer = WeightNormalization(L.Dense(5, "relu"))
    layer.initialize(data((32, 3)))
    assert layer.layer.activation is keras.activations.relu
    assert numpy(layer(data((32, 3)))).min() == 0


def test_embedding():
    layer = WeightNormalization(L.Embedding(7, 3))
    ids = np.array([[1, 2], [6, 0]])
    layer.build((None, 2))
    layer.g.assign([1.0, 1.0, 1.0])
    np.testing.assert_allclose(np.linalg.norm(numpy(layer.normalized_kernel()), axis=0), 1, 1e-5)
    np.testing.assert_allclose(numpy(layer(ids)), numpy(layer.normalized_kernel())[ids], 1e-6)


def test_trains_with_losses_of_the_wrapped_layer(tmp_path):
    dense = L.Dense(
        4, "relu", kernel_regularizer="l2", activity_regularizer=keras.regularizers.L2(0.1)
    )
    model = keras.Sequential([keras.Input((3,)), WeightNormalization(dense), L.Dense(1)])
    x = data((32, 3))
    model(x)
    assert len(model.losses) == 2
    model.compile(keras.optimizers.SGD(0.1), "mse")
    losses = model.fit(x, x[:, :1], epochs=8, batch_size=32, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert np.any(model.layers[0].g.numpy() != np.sqrt((dense.kernel.numpy() ** 2).sum(0)))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(numpy(loaded(x)), numpy(model(x)), atol=1e-6)


def test_a_column_of_zeros_stays_finite():
    layer = WeightNormalization(L.Dense(2, kernel_initializer="zeros"))
    x = data((4, 3))
    layer.build(x.shape)
    y, dx, gradients = vjp(layer, x, np.ones((4, 2), "float32"))
    assert all(np.all(np.isfinite(a)) for a in (y, dx))
    assert all(np.all(np.isfinite(a)) for a in gradients)


def test_what_the_layer_changes_while_training_is_kept():
    class Counting(L.Dense):
        def build(self, input_shape):
            super().build(input_shape)
            self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, inputs):
            self.calls.assign(self.calls + 1)
            return super().call(inputs)

    layer = WeightNormalization(Counting(2))
    x = data((4, 3))
    for _ in range(3):
        layer(x)
    assert float(layer.layer.calls.numpy()) == 3
