import keras
import numpy as np
import pytest

from keras_dlnotes import layers

X = np.random.default_rng(0).normal(size=(6, 4, 8)).astype("float32")


@pytest.mark.parametrize("axis", [1, 2, -1, -2])
@pytest.mark.parametrize("units", [1, 2, 4])
def test_maxout_over_any_axis(axis, units):
    y = keras.ops.convert_to_numpy(layers.Maxout(units, axis)(X))
    moved = np.moveaxis(X, axis, -1)
    expected = np.stack([moved[..., j::units].max(-1) for j in range(units)], axis=-1)
    np.testing.assert_array_equal(y, np.moveaxis(expected, -1, axis))


@pytest.mark.parametrize("shape", [(4, None), (None, None)])
def test_maxout_learns_of_its_channels_from_the_batch(shape):
    model = keras.Sequential([keras.Input(shape), layers.Maxout(2)])
    assert model.output_shape == (None, shape[0], 2)
    np.testing.assert_array_equal(
        model.predict(X, verbose=0), keras.ops.convert_to_numpy(layers.Maxout(2)(X))
    )
    with pytest.raises(Exception, match=r"number of features, 7\. Received: num_units=2"):
        model(X[..., :7])


@pytest.mark.parametrize("form", ["piece", "shared"])
@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_maxout_dense_is_the_largest_of_its_maps(form, pieces):
    layer = layers.MaxoutDense(3, pieces, "tanh", bias_initializer="random_normal", bias=form)
    y = keras.ops.convert_to_numpy(layer(X))
    kernel, bias = (keras.ops.convert_to_numpy(w) for w in (layer.kernel, layer.bias))
    maps = [X @ kernel[:, 3 * i : 3 * i + 3] for i in range(pieces)]
    if form == "piece":
        z = np.max([m + bias[3 * i : 3 * i + 3] for i, m in enumerate(maps)], axis=0)
    else:
        z = np.max(maps, axis=0) + bias
    np.testing.assert_allclose(y, np.tanh(z), atol=1e-5)


def test_one_piece_is_dense():
    ours = layers.MaxoutDense(3, 1, kernel_initializer=keras.initializers.GlorotUniform(seed=4))
    dense = keras.layers.Dense(3, kernel_initializer=keras.initializers.GlorotUniform(seed=4))
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(ours(X)), keras.ops.convert_to_numpy(dense(X)), atol=1e-6
    )


def test_pieces_differ_and_have_the_fans_of_one():
    seeded = keras.initializers.GlorotUniform(seed=4)
    layer = layers.MaxoutDense(30, 4, kernel_initializer=seeded)
    layer.build((None, 50))
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    limit = np.sqrt(6 / 80)  # The fans are 50 and 30, not 50 and 120.
    assert 0.98 * limit < np.abs(kernel).max() <= limit
    assert not np.allclose(kernel[:, :30], kernel[:, 30:60])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Maxout(0), "Received: num_units=0"),
        (lambda: layers.Maxout(3)(X), "number of features, 8. Received: num_units=3"),
        (lambda: layers.Maxout(2, 3)(X), "Received: axis=3"),
        (lambda: layers.Maxout(2, 0)(X), "Received: axis=0"),
        (lambda: layers.MaxoutDense(0), "Received: units=0"),
        (lambda: layers.MaxoutDense(2, 0), "Received: pieces=0"),
        (lambda: layers.MaxoutDense(2, bias="none"), "Received: bias='none'"),
    ],
)
def test_rejects(make, message):
    with pytest.raises(ValueError, match=message):
        make()
