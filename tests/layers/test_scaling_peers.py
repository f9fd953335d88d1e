"""The scalings against Keras and scikit-learn, from any source of data, and bad arguments."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_dlnotes.layers import MinMaxScaling, Standardization

BACKEND = keras.backend.backend()
X = np.random.default_rng(0).normal([1, -20, 300], [1, 5, 0.1], (200, 3)).astype("float32")


def numpy(x):
    return ops.convert_to_numpy(ops.convert_to_tensor(x))


def adapted(kind, x=X, *args, **kwargs):
    layer = kind(*args, **kwargs)
    layer.adapt(x)
    return layer


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((20, 3), -1),
        ((20, 3), None),
        ((20, 4, 3), (1, 2)),
        ((20, 4, 3), 1),
        ((20, 4, 3), (-1,)),
        ((5,), None),
    ],
)
def test_standardization_equals_keras(shape, axis, invert):
    x = np.random.default_rng(1).normal(3, 2, shape).astype("float32")
    ours = adapted(Standardization, x, axis, invert=invert)
    theirs = keras.layers.Normalization(axis, invert=invert)
    theirs.adapt(x)
    np.testing.assert_allclose(numpy(ours(x)), numpy(theirs(x)), 1e-5, 1e-5)
    np.testing.assert_allclose(numpy(ours.mean).ravel(), numpy(theirs.mean).ravel(), 1e-6)


def test_given_statistics_equal_keras():
    x = np.random.default_rng(1).normal(size=(2, 4, 3)).astype("float32")
    for mean, variance in (
        (3.0, 2.0),
        ([1, 2, 3], [4, 5, 6]),
        (np.ones((4, 1)), np.full((4, 1), 9.0)),
    ):
        axis = (1, 2) if np.ndim(mean) == 2 else -1
        ours = Standardization(axis, mean, variance)
        theirs = keras.layers.Normalization(axis, mean, variance)
        np.testing.assert_allclose(numpy(ours(x)), numpy(theirs(x)), 1e-6, 1e-6)
        copy = Standardization.from_config(ours.get_config())
        np.testing.assert_array_equal(numpy(copy(x)), numpy(ours(x)))


@pytest.mark.parametrize("feature_range", [(0, 1), (-3.0, 2.0)])
@pytest.mark.parametrize("clip", [False, True])
def test_min_max_scaling_equals_scikit_learn(feature_range, clip):
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    theirs = preprocessing.MinMaxScaler(feature_range, clip=clip).fit(X)
    ours = adapted(MinMaxScaling, X, *feature_range, clip=clip)
    new = X[:20] * 1.5
    np.testing.assert_allclose(numpy(ours(new)), theirs.transform(new), 1e-4, 1e-4)
    np.testing.assert_allclose(numpy(ours.inverse(ours(X))), X, 1e-5, 1e-4)


def streams():
    import itertools

    class Sequence(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return X[50 * i : 50 * i + 50], np.zeros(50)

    yield "array", X, {}
    yield "tensor", ops.convert_to_tensor(X), {}
    yield "float64", X.astype("float64"), {}
    yield "rows", X.tolist(), {}
    yield "list of batches", [X[:7], X[7:150], X[150:]], {}
    yield "list of pairs", [(X[:7], 0), (X[7:], 1)], {}
    yield "generator", (X[i : i + 1] for i in range(200)), {}
    yield "pairs", ((X[i : i + 50], None) for i in range(0, 200, 50)), {}
    yield "PyDataset", Sequence(), {}
    yield "endless", itertools.cycle([X[:100], X[100:]]), {"steps": 2}
    if BACKEND == "tensorflow":
        import tensorflow as tf

        whole = tf.data.Dataset.from_tensor_slices(X)
        yield "tf.data", whole.batch(32), {}
        yield "tf.data of examples", whole, {}
        yield "tf.data of pairs", tf.data.Dataset.zip(whole, whole).batch(32).repeat(), {"steps": 7}


@pytest.mark.parametrize(("data", "options"), [pytest.param(d, o, id=n) for n, d, o in streams()])
def test_adapt_reads_anything(data, options):
    layer = Standardization()
    layer.adapt(data, **options)
    exact = X.astype("float64")
    np.testing.assert_allclose(numpy(layer.mean), exact.mean(0), 1e-6)
    np.testing.assert_allclose(numpy(layer.variance), exact.var(0), 1e-6)


@pytest.mark.parametrize(("kind", "at"), [(Standardization, 0.0), (MinMaxScaling, 0.0)])
def test_constant_columns(kind, at):
    x = np.full((50, 2), 0.1, "float32")
    x[:, 1] = 1e6
    layer = adapted(kind, [x[:20], x[20:]])
    np.testing.assert_allclose(numpy(layer(x)), at, atol=1e-7)
    np.testing.assert_allclose(numpy(layer.inverse(layer(x))), x, 1e-6)
    # A new value stays a moderate number: Keras' layer makes ten million of a difference of one.
    np.testing.assert_allclose(numpy(layer(x + 1)), 1, atol=1e-5)


def test_inverse_is_the_way_back_both_ways():
    layer, back = adapted(Standardization), adapted(Standardization, X, invert=True)
    y = layer(X)
    np.testing.assert_allclose(numpy(layer.inverse(y)), X, 1e-4, 1e-4)
    np.testing.assert_allclose(numpy(back(y)), X, 1e-4, 1e-4)
    np.testing.assert_allclose(numpy(back.inverse(X)), numpy(y), 1e-4, 1e-4)


def test_large_values_are_scaled_before_they_become_float16():
    x = np.random.default_rng(3).normal(1e6, 1e4, (500, 2)).astype("float32")
    layer = adapted(Standardization, x, dtype="mixed_float16")
    y = numpy(layer(x))
    assert y.dtype == "float16"
    np.testing.assert_allclose(y, (x - x.mean(0)) / x.std(0), atol=5e-3)


def test_adapting_after_the_model_was_traced_takes_effect():
    layer = Standardization()
    model = keras.Sequential([keras.Input((3,)), layer])
    before = model.predict(X, verbose=0)
    layer.adapt(X)
    after = model.predict(X, verbose=0)
    np.testing.assert_allclose(before, X, 1e-6)
    np.testing.assert_allclose(after.std(0), 1, 1e-3)
    assert not model.trainable_weights


@pytest.mark.tensorflow
def test_maps_over_tf_data():
    import tensorflow as tf

    layer = adapted(Standardization)
    batches = tf.data.Dataset.from_tensor_slices(X).batch(50).map(layer)
    np.testing.assert_allclose(np.concatenate(list(batches)), numpy(layer(X)), 1e-5, 1e-5)


def test_a_failed_adapt_changes_nothing():
    layer = adapted(Standardization)
    before = numpy(layer(X))
    bad = X.copy()
    bad[5, 0] = np.nan
    with pytest.raises(ValueError, match=r"^Argument `data` .* Received: NaN in columns 0"):
        layer.adapt(iter([X, bad]))
    np.testing.assert_array_equal(numpy(layer(X)), before)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Standardization(axis=1.5), "`axis` must be an integer"),
        (lambda: Standardization(invert=1), "`invert` must be True or False"),
        (lambda: Standardization(mean=0.5), "both `mean` and `variance` must be set"),
        (lambda: Standardization(variance=0.5), "both `mean` and `variance` must be set"),
        (lambda: Standardization(mean=1, variance=-1), "`variance` must not be negative"),
        (lambda: Standardization(mean=np.nan, variance=1), "`mean` must hold finite"),
        (lambda: Standardization(-1, [1, 2], [1, 2]).build((2, 3)), "`mean` must broadcast"),
        (lambda: Standardization().adapt([]), "empty iterable"),
        (lambda: Standardization().adapt({"a": X}), "must be an array"),
        (lambda: Standardization().adapt("text"), "must be an array"),
        (lambda: adapted(Standardization).adapt(np.ones((4, 5))), "an incompatible shape"),
        # Six numbers would also make two rows of three.
        (lambda: Standardization().adapt(iter([X, X[:3, :2]])), "an incompatible shape"),
        (lambda: Standardization().adapt(X, steps=0), "`steps` must be"),
        (lambda: Standardization().adapt(X, batch_size=0), "`batch_size` must be"),
        (lambda: Standardization(mean=1, variance=1).adapt(X), "was given its statistics"),
        (lambda: MinMaxScaling(clip="yes"), "`clip` must be True or False"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert str(error.value).startswith("Argument `")
    assert "Received: " in str(error.value)
