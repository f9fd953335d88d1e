"""Numbers at the edge: what every layer, loss and optimizer does with them.

What is finite stays finite; an empty batch is an empty result; NaN comes out as NaN, in its own row
and in no other; nothing raises.
"""

import keras
import numpy as np
import pytest
import samples
from keras import ops
from test_contracts import BACKEND, batch, of, prepared, targets

from keras_dlnotes import losses, optimizers

LAYERS = [p for p in of(samples.Layer) if p.values[1].inputs == "normal"]


def called(layer, x, training=False):
    takes = "training" in layer.call.__code__.co_varnames
    y = layer(ops.convert_to_tensor(x), **({"training": training} if takes else {}))
    return ops.convert_to_numpy(ops.cast(y, "float32"))


EDGES = {
    "constant": lambda x: np.full_like(x, 3.0),
    "zeros": np.zeros_like,
    "denormals": lambda x: (x * 1e-40).astype("float32"),
    "batch_of_one": lambda x: x[:1],
    "large": lambda x: x * 1e4,
}


@pytest.mark.parametrize(("thing", "sample"), LAYERS)
def test_layers_keep_finite_what_is_finite(thing, sample):
    for name, edge in EDGES.items():
        layer = prepared(sample)
        x = edge(batch(sample)).astype("float32")
        for training in (True, False):
            y = called(layer, x, training)
            assert np.isfinite(y).all(), (name, training)
        for weight in layer.weights:
            if "seed" not in weight.path:
                assert np.isfinite(ops.convert_to_numpy(weight)).all(), (name, weight.path)


@pytest.mark.parametrize(("thing", "sample"), LAYERS)
def test_layers_take_an_empty_batch(thing, sample):
    layer = prepared(sample)
    shape = called(layer, batch(sample)).shape
    before = [ops.convert_to_numpy(w) for w in layer.weights]
    for training in (True, False):
        assert called(layer, batch(sample)[:0], training).shape == (0, *shape[1:])
    for weight, old in zip(layer.weights, before, strict=True):
        if "seed" not in weight.path:
            now = ops.convert_to_numpy(weight)
            assert np.isfinite(now).all(), weight.path
            np.testing.assert_allclose(now, old, err_msg=weight.path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("thing", "sample"), LAYERS)
def test_layers_keep_nan_and_infinity_in_their_row(thing, sample, value):
    layer = prepared(sample)
    x = batch(sample)
    clean = called(layer, x)
    x[0] = value
    np.testing.assert_allclose(called(layer, x)[1:], clean[1:], rtol=1e-6, atol=1e-6)


#: Models are left out: where a dense layer's sums leave the range, the next one has no numbers.
@pytest.mark.parametrize(
    ("thing", "sample"), [p for p in LAYERS if not issubclass(p.values[0], keras.Model)]
)
def test_layers_at_the_ends_of_half_precision(thing, sample):
    x = batch(sample)
    x[0], x[1], x[2], x[3:] = 65504, -65504, 6e-8, np.sign(x[3:]) * 65504
    for training in (False,) if sample.random else (False, True):
        results = []
        for policy in ("float32", "mixed_float16"):
            keras.utils.set_random_seed(0)
            keras.config.set_dtype_policy(policy)
            layer = prepared(sample)
            results.append(called(layer, x.astype("float16"), training))
            for weight in layer.weights:
                if "seed" not in weight.path:
                    assert np.isfinite(ops.convert_to_numpy(weight)).all(), weight.path
        exact, half = results
        assert not np.isnan(half).any()
        assert np.isfinite(half[np.abs(exact) < 65504]).all()


@pytest.mark.parametrize(("thing", "sample"), of(samples.Activation))
def test_activations_at_the_ends_of_half_precision(thing, sample):
    x = np.array([[-65504, -1e4, -6e-8, 0, 6e-8, 1e4, 65504]], "float16")
    y = ops.convert_to_numpy(thing(ops.convert_to_tensor(x), **sample.kwargs))
    assert not np.isnan(y).any()
    assert np.isfinite(y[:, 1:-1]).all()
    x = np.array([[0.0, np.nan]], "float32")
    y = ops.convert_to_numpy(thing(ops.convert_to_tensor(x), **sample.kwargs))
    if thing.__name__ not in ("step", "sign"):  # which compare, and NaN compares false
        assert np.isnan(y[0, 1])


# -------------------------------------------------------------------------------------- losses


def value_and_gradient(loss, y, p):
    if BACKEND != "tensorflow":
        return ops.convert_to_numpy(loss(y, ops.convert_to_tensor(p))), np.zeros(1)
    import tensorflow as tf

    p = tf.constant(p)
    with tf.GradientTape() as tape:
        tape.watch(p)
        value = loss(y, p)
    return value.numpy(), tape.gradient(value, p).numpy()


def extremes(sample, dtype):
    """Predictions as far from the labels as there are."""
    if sample.from_logits:
        edge = 200.0 if sample.targets == "real" else 1e4
        return np.array([[edge, -edge, 0], [-edge, edge, edge]] * 3, dtype)
    return np.array([[1, 0, 0], [0, 1, 0]] * 3, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize(("thing", "sample"), of(samples.Loss))
def test_losses_are_finite_at_the_ends(thing, sample, dtype):
    y, p = targets(sample.targets, (6, 3)).astype(dtype), extremes(sample, dtype)
    keras.config.set_floatx("float32")
    value, gradient = value_and_gradient(sample.make(), y, p)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize(("thing", "sample"), of(samples.Loss))
def test_losses_of_one_of_none_and_of_nan(thing, sample):
    y = targets(sample.targets, (6, 3))
    p = np.abs(extremes(sample, "float32")) / 1e4
    one, gradient = value_and_gradient(sample.make(), y[:1], p[:1])
    assert np.isfinite(one)
    assert np.isfinite(gradient).all()
    none = ops.convert_to_numpy(sample.make()(y[:0], p[:0]))
    assert none.size == 0 or none == 0  # Keras returns no number, or 0
    p[0] = np.nan
    assert np.isnan(ops.convert_to_numpy(sample.make()(y, p)))


def test_a_million_classes():
    classes = 10**6
    y = np.array([0, classes - 1], "int32")
    logits = np.zeros((2, classes), "float32")
    for loss in (
        losses.SparseCategoricalCrossentropy(from_logits=True),
        losses.SoftmaxLogLoss(),
    ):
        value, gradient = value_and_gradient(loss, y, logits)
        assert value == pytest.approx(np.log(classes), rel=1e-5)
        assert np.isfinite(gradient).all()


# ---------------------------------------------------------------------------------- optimizers


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize(("thing", "sample"), of(samples.Optimizer))
def test_optimizers_keep_weights_finite(thing, sample, dtype):
    edges = [0.0, 1e-40, 6e-8, 1e4] if dtype == "float16" else [0.0, 1e-40, 1e-20, 1e15]
    for edge in edges:
        optimizer = sample.make()
        weight = keras.Variable(np.ones((3, 2)), dtype=dtype)
        optimizer.build([weight])
        for _ in range(3):
            optimizer.apply([ops.convert_to_tensor(np.full((3, 2), edge), dtype=dtype)])
        value = ops.convert_to_numpy(ops.cast(weight, "float32"))
        assert np.isfinite(value).all(), edge


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize(("thing", "sample"), of(samples.Optimizer))
def test_optimizers_pass_over_what_is_not_finite(thing, sample, bad):
    optimizer = sample.make()
    if getattr(optimizer, "skip_nonfinite", None) is not False:
        pytest.skip("a wrapper; the optimizer inside does it")
    config = optimizer.get_config() | {"skip_nonfinite": True}
    optimizer = type(optimizer).from_config(config)
    weight = keras.Variable(np.ones((3, 2), "float32"))
    optimizer.build([weight])
    gradient = np.ones((3, 2), "float32")
    gradient[1, 1] = bad
    optimizer.apply([ops.convert_to_tensor(gradient)])
    np.testing.assert_array_equal(ops.convert_to_numpy(weight), np.ones((3, 2)))
    optimizer.apply([ops.ones((3, 2))])
    value = ops.convert_to_numpy(weight)
    assert np.isfinite(value).all()


@pytest.mark.parametrize(("thing", "sample"), of(samples.Regularizer))
def test_regularizers_at_the_edges(thing, sample):
    for edge in (0.0, 1e-40, 1.0):
        value = ops.convert_to_numpy(sample.make()(ops.full((2, 3), edge)))
        assert np.isfinite(value), edge
    assert ops.convert_to_numpy(sample.make()(ops.zeros((0, 3)))) == 0


@pytest.mark.parametrize(("thing", "sample"), of(samples.Initializer))
def test_initializers_of_nothing_and_of_one(thing, sample):
    for shape in ((1, 1), (0, 3)):
        assert ops.convert_to_numpy(sample.make()(shape)).shape == shape


def test_sentences_without_a_neighbour_change_nothing():
    if BACKEND == "torch":
        pytest.skip("Word2Vec trains on TensorFlow and JAX")
    from keras_dlnotes.word2vec import Corpus, Word2Vec

    corpus = Corpus.from_texts([["a"], ["b"], ["c"]] * 20, min_count=1, sample=None)
    for output in ("negative_sampling", "hierarchical_softmax", "softmax"):
        model = Word2Vec(corpus.vocabulary, 4, 2, output=output)
        model.compile()
        before = ops.convert_to_numpy(model.embeddings).copy()
        with pytest.warns(UserWarning, match="Every sentence is a single word"):
            history = model.fit(corpus.dataset(32, seed=1), epochs=1, verbose=0).history
        assert history["loss"] == [0.0]
        np.testing.assert_array_equal(ops.convert_to_numpy(model.embeddings), before)


def test_defaults_of_the_skip():
    assert optimizers.SGD().skip_nonfinite is False
