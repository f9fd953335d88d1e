"""Residual around blocks of every shape, also where sizes are not known."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_dlnotes.layers import Residual

L = keras.layers


def data(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def numpy(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("activation", [None, "relu"])
def test_identity(activation):
    x = data(3, 4)
    layer = Residual(L.Dense(4, "tanh"), activation)
    y = layer(x)
    expected = numpy(layer.block(x)) + x
    np.testing.assert_allclose(numpy(y), np.maximum(expected, 0) if activation else expected, 1e-6)
    assert layer.skip is None
    assert len(layer.trainable_weights) == 2


BLOCKS = [
    (lambda: L.Dense(6), (3, 4)),
    (lambda: L.Dense(6), (3, 5, 4)),
    (lambda: L.Conv1D(6, 3, strides=2, padding="same"), (3, 7, 4)),
    (lambda: L.Conv2D(4, 3, strides=2, padding="same"), (2, 8, 9, 4)),
    (lambda: L.Conv2D(6, 3, strides=(1, 3), padding="same"), (2, 8, 9, 4)),
    (lambda: L.Conv3D(6, 3, strides=2, padding="same"), (2, 4, 5, 6, 3)),
    (lambda: L.LSTM(6, return_sequences=True), (2, 5, 4)),
    (lambda: L.MaxPooling2D(2), (2, 8, 8, 4)),
]


@pytest.mark.parametrize(("make", "shape"), BLOCKS)
def test_projection(make, shape):
    x = data(*shape)
    layer = Residual(make())
    y = layer(x)
    assert tuple(y.shape) == layer.compute_output_shape(shape) == tuple(layer.block(x).shape)
    projected = numpy(y) - numpy(layer.block(x))
    np.testing.assert_allclose(projected, numpy(layer.skip(x)), atol=1e-5)
    # Linear without bias: nothing in, nothing out; and each position sees its own input only.
    assert not np.any(numpy(layer.skip(np.zeros_like(x))))
    kernel = layer.skip.get_weights()[0].reshape(shape[-1], y.shape[-1])
    steps = tuple(
        slice(None, None, -(-a // b)) for a, b in zip(shape[1:-1], y.shape[1:-1], strict=True)
    )
    np.testing.assert_allclose(projected, x[(slice(None), *steps)] @ kernel, atol=1e-5)


def test_strides_where_the_sizes_are_not_known():
    inputs = keras.Input((None, None, 3))
    layer = Residual(L.Conv2D(3, 3, strides=2, padding="same"))
    outputs = layer(inputs)
    assert layer.skip.strides == (2, 2)
    assert keras.Model(inputs, outputs)(data(2, 7, 9, 3)).shape == (2, 4, 5, 3)
    same = Residual(L.Conv2D(3, 3, padding="same"))
    same(inputs)
    assert same.skip is None


def test_channels_first():
    layer = Residual(
        L.Conv2D(6, 1, strides=2, data_format="channels_first"), data_format="channels_first"
    )
    assert layer.compute_output_shape((2, 3, 8, 8)) == (2, 6, 4, 4)
    layer.build((2, 3, 8, 8))
    assert layer.skip.data_format == "channels_first"
    assert layer.skip.compute_output_shape((2, 3, 8, 8)) == (2, 6, 4, 4)


def test_a_block_of_several_layers_trains_and_saves(tmp_path):
    block = keras.Sequential(
        [L.Dense(8, "relu"), L.BatchNormalization(), L.Dropout(0.1), L.Dense(6)]
    )
    model = keras.Sequential([keras.Input((4,)), Residual(block, "relu"), L.Dense(1)])
    model.compile("adam", "mse")
    x = data(32, 4)
    before = model.get_weights()
    model.fit(x, x[:, :1], epochs=2, verbose=0)
    changed = [np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert all(changed[: len(model.trainable_weights)])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(numpy(loaded(x)), numpy(model(x)), atol=1e-6)


def test_masks_pass_where_the_steps_stay():
    masked = L.Masking()(data(2, 6, 4))
    mask = keras.src.backend.get_keras_mask
    assert mask(Residual(L.Dense(4))(masked)) is not None
    assert mask(Residual(L.LSTM(3, return_sequences=True))(masked)) is not None


def test_projects_on_request_and_in_its_own_dtype():
    layer = Residual(L.Dense(4, dtype="mixed_float16"), projection=True, dtype="mixed_float16")
    y = layer(data(3, 4))
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    assert layer.skip.dtype_policy.name == "mixed_float16"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Residual(lambda x: x),
        lambda: Residual(L.Dense(3), projection="yes"),
        lambda: Residual(L.Dense(3), data_format="last"),
        lambda: Residual(L.Conv1D(4, 3)).build((2, 7, 4)),
        lambda: Residual(L.Flatten()).build((2, 7, 4)),
        lambda: Residual(L.UpSampling1D(2)).build((2, 7, 4)),
    ],
)
def test_bad_arguments(make):
    with pytest.raises(ValueError, match=r"^Argument `\w+` must .* Received: "):
        make()
