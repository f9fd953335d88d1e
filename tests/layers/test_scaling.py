import keras
import numpy as np
import pytest

from keras_dlnotes import layers
from keras_dlnotes.layers.moments import Moments

X = (np.random.default_rng(0).normal(size=(1000, 3)) * [1, 5, 0.1] + [0, 100, -3]).astype("float32")


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def sources(x):
    """The same rows as array, list of batches, generator, PyDataset and pairs."""

    class Batches(keras.utils.PyDataset):
        num_batches = 4

        def __getitem__(self, index):
            return x[index * 250 : index * 250 + 250], None

    yield x
    yield (batch for batch in np.split(x, 8))
    yield ((batch, batch[:, 0]) for batch in np.split(x, 5))
    yield Batches()
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        yield tf.data.Dataset.from_tensor_slices((x, x[:, 0])).batch(70)


def test_any_source_gives_the_same_statistics():
    for source in sources(X):
        layer = layers.Standardization()
        layer.adapt(source)
        np.testing.assert_allclose(numpy(layer.mean), X.astype("f8").mean(0), rtol=1e-6)
        np.testing.assert_allclose(numpy(layer.variance), X.astype("f8").var(0), rtol=1e-6)


def test_equals_keras_normalization():
    ours, theirs = layers.Standardization(), keras.layers.Normalization()
    ours.adapt(X)
    theirs.adapt(X)
    np.testing.assert_allclose(numpy(ours(X)), numpy(theirs(X)), atol=2e-5)


@pytest.mark.parametrize("axis", [-1, None, (1, 2), 1, (-1, 1)])
def test_axes(axis):
    x = np.random.default_rng(1).normal(3, 2, (50, 4, 5))
    layer = layers.Standardization(axis)
    layer.adapt(x)
    kept = {a % 3 for a in ((axis,) if isinstance(axis, int) else axis or ())}
    reduced = tuple(a for a in range(3) if a not in kept)
    expected = (x - x.mean(reduced, keepdims=True)) / x.std(reduced, keepdims=True)
    np.testing.assert_allclose(numpy(layer(x)), expected, atol=1e-5)


@pytest.mark.parametrize(
    "make", [layers.Standardization, layers.MinMaxScaling, lambda: layers.MinMaxScaling(-3, 7)]
)
def test_inverse_brings_the_features_back(make):
    layer = make()
    layer.adapt(X)
    np.testing.assert_allclose(numpy(layer.inverse(layer(X))), X, rtol=1e-5, atol=1e-4)


def test_min_max_fills_its_range_and_clips():
    layer = layers.MinMaxScaling(-1, 1, clip=True)
    layer.adapt(X)
    y = numpy(layer(X))
    np.testing.assert_allclose([y.min(0), y.max(0)], [[-1] * 3, [1] * 3], atol=1e-5)
    assert numpy(layer(X * 100)).max() <= 1


@pytest.mark.parametrize(
    ("make", "value"), [(layers.Standardization, 0), (layers.MinMaxScaling, 0)]
)
def test_constant_columns(make, value):
    x = np.c_[np.full(20, 7.0), np.arange(20.0)]
    layer = make()
    layer.adapt(x)
    y = numpy(layer(x))
    assert np.all(y[:, 0] == value)
    np.testing.assert_allclose(numpy(layer.inverse(y))[:, 0], 7)


def test_large_means_do_not_cancel():
    x = 1e6 + np.random.default_rng(0).normal(size=(5000, 1))
    moments = Moments((1,))
    for batch in np.split(x, 10):
        moments.add(batch)
    np.testing.assert_allclose(moments.variance, x.var(0), rtol=1e-9)


def test_nan_is_refused_by_column_or_skipped():
    x = X.copy()
    x[3, 1] = x[5, 1] = x[7, 2] = np.nan
    with pytest.raises(ValueError, match=r"NaN in columns 1 \(2\), 2 \(1\); nan=\"skip\""):
        layers.Standardization().adapt(x)
    layer = layers.Standardization(nan="skip")
    layer.adapt(x)
    np.testing.assert_allclose(numpy(layer.mean), np.nanmean(x.astype("f8"), axis=0), rtol=1e-6)
    np.testing.assert_allclose(numpy(layer.variance), np.nanvar(x.astype("f8"), axis=0), rtol=1e-5)


def test_adapts_anew_each_time_and_only_to_some_steps():
    layer = layers.Standardization()
    layer.adapt(X + 50)
    layer.adapt(X)
    np.testing.assert_allclose(numpy(layer.mean), X.astype("f8").mean(0), rtol=1e-6)
    layer.adapt(iter(np.split(X, 10)), steps=2)
    np.testing.assert_allclose(numpy(layer.mean), X[:200].astype("f8").mean(0), rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.Standardization().adapt(np.array([[1.0], [np.inf]])), r"columns 0 \(1\)"),
        (lambda: layers.Standardization().adapt(np.zeros((0, 2))), "no data"),
        (lambda: layers.Standardization().adapt(iter([])), "no data"),
        (lambda: layers.Standardization().adapt(3), "Received: <class 'int'>"),
        (
            lambda: layers.Standardization(nan="skip").adapt(np.array([[np.nan, 1.0]])),
            r"no values at all in columns \[0\]",
        ),
        (lambda: layers.Standardization(nan="fill"), "Received: nan='fill'"),
        (lambda: layers.Standardization(5).build((None, 3)), "Received: axis=5"),
        (lambda: layers.Standardization(0).build((None, 3)), r"Received: axis=\(0,\)"),
        (lambda: layers.MinMaxScaling(1, 0), "Received: high=0"),
    ],
)
def test_rejects(call, message):
    with pytest.raises(ValueError, match=message):
        call()
