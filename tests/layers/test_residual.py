import keras
import numpy as np
import pytest

from keras_dlnotes import layers

X = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def test_identity_where_shapes_agree():
    block = keras.layers.Dense(3, "tanh")
    layer = layers.Residual(block, "relu")
    np.testing.assert_allclose(numpy(layer(X)), np.maximum(numpy(block(X)) + X, 0), atol=1e-6)
    assert layer.skip is None


def test_linear_projection_where_widths_differ():
    layer = layers.Residual(keras.layers.Dense(5))
    y = numpy(layer(X))
    kernel = numpy(layer.skip.kernel)
    np.testing.assert_allclose(y, numpy(layer.block(X)) + X @ kernel, atol=1e-5)


@pytest.mark.parametrize(("strides", "size"), [(1, 8), (2, 4), (3, 3)])
def test_strided_projection_for_convolutions(strides, size):
    block = keras.Sequential([keras.layers.Conv2D(4, 3, strides=strides, padding="same")])
    layer = layers.Residual(block)
    y = numpy(layer(X))
    assert y.shape == (2, size, size, 4)
    kernel = numpy(layer.skip.kernel).reshape(3, 4)
    np.testing.assert_allclose(y, numpy(block(X)) + X[:, ::strides, ::strides] @ kernel, atol=1e-4)


def test_the_block_knows_whether_it_is_trained():
    layer = layers.Residual(keras.layers.Dropout(0.5, seed=1))
    np.testing.assert_allclose(numpy(layer(X, training=False)), 2 * X)
    assert not np.allclose(numpy(layer(X, training=True)), 2 * X)


def test_nested_and_saved(tmp_path):
    inner = [layers.Residual(keras.layers.Dense(3, "relu")) for _ in range(2)]
    model = keras.Sequential([keras.Input((3,)), *map(layers.Residual, inner)])
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    rows = X.reshape(-1, 3)
    np.testing.assert_allclose(
        again.predict(rows, verbose=0), model.predict(rows, verbose=0), rtol=1e-6
    )


def test_a_hundred_layers_still_pass_gradients():
    """The point of it: through 60 sigmoid blocks the first layer still gets a gradient."""

    def first_gradient(wrap):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((8,))])
        for _ in range(60):
            model.add(wrap(keras.layers.Dense(8, "sigmoid")))
        before = None
        model.compile(keras.optimizers.SGD(1.0), "mse")
        before = model.get_weights()[0]
        x = np.random.default_rng(0).normal(size=(4, 8))
        model.train_on_batch(x, x)
        return np.abs(model.get_weights()[0] - before).max()

    assert first_gradient(lambda block: block) < 1e-12
    assert first_gradient(layers.Residual) > 1e-6


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Residual("dense"), "Received: block='dense'"),
        (lambda: layers.Residual(keras.layers.Flatten())(X), "No projection leads from"),
        (lambda: layers.Residual(keras.layers.Conv2D(3, 3))(X), "No stride leads from"),
    ],
)
def test_rejects(make, message):
    with pytest.raises(ValueError, match=message):
        make()
