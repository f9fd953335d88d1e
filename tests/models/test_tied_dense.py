import keras
import numpy as np
import pytest

from keras_dlnotes.models.autoencoders.tied_dense import TiedDense

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def test_computes_with_the_transposed_kernel():
    source = keras.layers.Dense(3)
    code = source(X)
    layer = TiedDense(source, "tanh", bias_initializer="ones")
    kernel = keras.ops.convert_to_numpy(source.kernel)
    expected = np.tanh(keras.ops.convert_to_numpy(code) @ kernel.T + 1)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(code)), expected, atol=1e-5)
    assert [tuple(w.shape) for w in layer.weights] == [(4,)]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TiedDense("dense"), "must be a Dense layer. Received: source=dense"),
        (lambda: TiedDense(keras.layers.Dense(3))(X), "must be built before"),
    ],
)
def test_rejects(make, message):
    with pytest.raises(ValueError, match=message):
        make()
