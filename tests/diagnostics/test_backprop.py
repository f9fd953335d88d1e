import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_dlnotes.diagnostics import BackpropTrace, backprop_trace

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(7, 5)).astype("float32")


def true_gradients(model, x, y, training=False):
    """Loss and weight gradients from the framework itself."""
    weights = model.trainable_variables
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = model.compute_loss(x, y, model(x, training=training))
        found = [tf.convert_to_tensor(g) for g in tape.gradient(loss, weights)]
    elif keras.backend.backend() == "jax":
        import jax

        def compute(values):
            mapping = zip(weights, values, strict=True)
            with keras.StatelessScope(mapping, collect_losses=True):
                return model.compute_loss(x, y, model(x, training=training))

        loss, found = jax.value_and_grad(compute)([w.value for w in weights])
    else:
        loss = model.compute_loss(x, y, model(x, training=training))
        model.zero_grad()
        loss.backward()
        found = [w.value.grad for w in weights]
    loss = loss.detach() if keras.backend.backend() == "torch" else loss
    return float(loss), {
        w.path: ops.convert_to_numpy(g) for w, g in zip(weights, found, strict=True)
    }


def skips():
    inputs = keras.Input((5,), name="x")
    x = layers.Dense(5, "relu", name="one")(inputs)
    x = layers.Add(name="skip_1")([x, inputs])
    x = layers.Add(name="skip_2")([layers.Dense(5, "relu", name="two")(x), x])
    model = keras.Model(inputs, layers.Dense(1, "sigmoid", name="out")(x))
    model.compile(loss="binary_crossentropy")
    return model, X, np.array([[0], [1], [1], [0], [1], [0], [1]], "float32")


def shared():
    a, b = keras.Input((5,), name="a"), keras.Input((5,), name="b")
    tower = layers.Dense(5, "tanh", name="tower", kernel_regularizer="l2")
    twice = tower(tower(a))
    model = keras.Model([a, b], layers.Dot(1, name="dot")([twice, tower(b)]))
    model.compile(loss="mse")
    return model, [X, X[::-1]], np.ones((7, 1), "float32")


def several_outputs():
    inputs = keras.Input((5,), name="x")
    x = layers.Dense(4, "sigmoid", name="trunk")(inputs)
    outputs = {"a": layers.Dense(3, "softmax", name="a")(x), "b": layers.Dense(1, name="b")(x)}
    model = keras.Model(inputs, outputs)
    losses = {"a": "sparse_categorical_crossentropy", "b": "mae"}
    model.compile(loss=losses, loss_weights={"a": 1.0, "b": 0.4})
    return model, X, {"a": np.arange(7) % 3, "b": X[:, :1]}


def nested_twice():
    inner_input = keras.Input((4,))
    z = layers.Dense(4, "tanh", name="z")(inner_input)
    inner = keras.Model(inner_input, [layers.BatchNormalization(name="bn")(z), z], name="inner")
    head = keras.Sequential([keras.Input((4,)), layers.Dense(2)], name="head")
    inputs = keras.Input((5,), name="x")
    p, q = inner(layers.Dense(4, name="in")(inputs))
    p, _ = inner(layers.Multiply(name="square")([p, p]) + q)
    model = keras.Model(inputs, head(p))
    model.compile(loss="mse")
    return model, X, X[:, :2]


def sequence():
    ids = keras.Input((6,), dtype="int32", name="ids")
    x = layers.Embedding(10, 3, mask_zero=True, name="table")(ids)
    x = layers.LSTM(4, name="lstm", activity_regularizer="l2")(x)
    model = keras.Model(ids, layers.Dense(1, name="out")(x))
    model.compile(loss="mse")
    return model, GENERATOR.integers(0, 4, (7, 6)), X[:, :1]


def sequential():
    model = keras.Sequential(
        [layers.Dense(4, "relu"), layers.BatchNormalization(), layers.Dropout(0.5, seed=1)]
    )
    model.add(layers.Dense(1))
    model.build((None, 5))
    model.compile(loss="mse")
    return model, X, X[:, :1]


MODELS = (skips, shared, several_outputs, nested_twice, sequence, sequential)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
def test_weight_gradients_are_the_frameworks(make, training):
    model, x, y = make()
    before = [ops.convert_to_numpy(v.value) for v in model.variables]
    trace = backprop_trace(model, x, y, training=training)
    for old, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(old, ops.convert_to_numpy(variable.value))
    loss, expected = true_gradients(model, x, y, training)
    assert isinstance(trace, BackpropTrace)
    assert trace.loss == pytest.approx(loss, rel=1e-6)
    assert set(trace.weight_gradients) == set(expected)
    for path, gradient in expected.items():
        scale = np.abs(gradient).max()
        np.testing.assert_allclose(trace.weight_gradients[path], gradient, atol=1e-5 * scale)
        assert scale > 0


def test_an_output_gradient_is_the_sum_over_consumers():
    model, x, y = skips()
    trace = backprop_trace(model, x, y)
    # Both the second layer and the connection past it hand something back to `skip_1`.
    last, around = trace["skip_2"].output_gradients[0], trace["skip_1"].output_gradients[0]
    two = model.get_layer("two")
    hidden = keras.Model(model.input, model.get_layer("skip_1").output)
    z = ops.convert_to_numpy(two(hidden(x)))
    kernel = ops.convert_to_numpy(two.kernel.value)
    np.testing.assert_allclose(around, last + (last * (z > 0)) @ kernel.T, rtol=1e-5, atol=1e-7)
    norms = {(e.source, e.consumer): e.norm for e in trace.edges}
    names = [call.name for call in trace.calls]
    assert norms[names.index("skip_1"), names.index("skip_2")] == pytest.approx(
        np.linalg.norm(last), rel=1e-6
    )


def test_paths_are_counted():
    model, x, y = skips()
    trace = backprop_trace(model, x, y)
    assert {c.name: c.paths for c in trace.calls} == {
        "out": 1,
        "skip_2": 1,
        "two": 1,
        "skip_1": 2,
        "one": 2,
    }
    assert trace.input_paths == {"x": 4}
    assert (trace.visits, trace.naive_visits) == (5, 7)
    model, x, y = nested_twice()
    paths = {c.name: c.paths for c in backprop_trace(model, x, y).calls}
    assert paths["square"] == 1  # One path from it; the tensor it takes twice has two, plus ...
    assert paths["inner/bn (call 1)"] == 2
    assert paths["inner/z (call 1)"] == 3  # ... one through the second output.


def test_paths_grow_exponentially_where_remembering_stays_linear():
    inputs = keras.Input((2,), name="x")
    x = inputs
    for _ in range(40):
        x = layers.Add()([x, x])
    model = keras.Model(inputs, x)
    trace = backprop_trace(model, 1e-12 * np.ones((1, 2)), np.zeros((1, 2)), loss="mse")
    assert trace.input_paths == {"x": 2**40}
    assert trace.visits == 40
    assert trace.naive_visits == 2**40 - 1


def deep_sigmoid():
    model = keras.Sequential([keras.Input((8,))], name="deep")
    for n in range(10):
        model.add(layers.Dense(8, name=f"linear_{n}", kernel_initializer="orthogonal"))
        model.add(layers.Activation("sigmoid", name=f"sigmoid_{n}"))
    model.add(layers.Dense(1, name="out"))
    model.compile(loss="mse")
    return model


def test_the_sigmoid_net_vanishes():
    model = deep_sigmoid()
    x = GENERATOR.normal(size=(32, 8))
    trace = backprop_trace(model, x, np.ones((32, 1)))
    sigmoids = [call for call in trace.calls if call.name.startswith("sigmoid")]
    assert len(sigmoids) == 10
    for call in sigmoids:
        assert 0.1 < call.gain <= 0.25
    # Orthogonal weights keep the norm, so what vanishes vanishes in the activation function.
    for call in trace.calls:
        if call.name.startswith("linear"):
            assert call.gain == pytest.approx(1, rel=1e-4)
    first, last = trace["sigmoid_0"].output_norm, trace["sigmoid_9"].output_norm
    assert first / last <= 0.25**9
    assert "falls from" in trace.report()
    assert len(trace.report().splitlines()) >= 23


def test_the_activation_inside_a_layer_is_told_apart():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(5, "sigmoid"), layers.Dense(1)])
    trace = backprop_trace(model, X, X[:, :1], loss="mse")
    dense = model.layers[0]
    z = X @ ops.convert_to_numpy(dense.kernel.value) + ops.convert_to_numpy(dense.bias.value)
    s = 1 / (1 + np.exp(-z))
    g = trace.calls[0].output_gradients[0]
    expected = np.linalg.norm(g * s * (1 - s)) / np.linalg.norm(g)
    assert trace.calls[0].activation_gain == pytest.approx(expected, rel=1e-5)
    assert trace.calls[1].activation_gain is None
    assert dense.activation is keras.activations.sigmoid


def test_frozen_layers_have_no_weight_gradient():
    model, x, y = skips()
    model.get_layer("one").trainable = False
    trace = backprop_trace(model, x, y)
    assert not any("one" in path for path in trace.weight_gradients)
    assert trace["one"].weight_gradients == {}
    assert trace["one"].output_norm > 0


def test_bad_arguments():
    class Subclassed(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match="functional or sequential model that is built"):
        backprop_trace(Subclassed(), X, X)
    with pytest.raises(ValueError, match="functional or sequential"):
        backprop_trace(keras.Sequential([layers.Dense(1)]), X, X)
    with pytest.raises(ValueError, match="`model` must be"):
        backprop_trace(layers.Dense(1), X, X)
    model = keras.Sequential([keras.Input((5,)), layers.Dense(5)])
    with pytest.raises(ValueError, match="`loss` must be given"):
        backprop_trace(model, X, X)
    with pytest.raises(ValueError, match="`x` must hold one example at least"):
        backprop_trace(model, X[:0], X[:0], loss="mse")


def test_report_fits_the_page():
    for make in MODELS:
        model, x, y = make()
        assert max(map(len, str(backprop_trace(model, x, y)).splitlines())) <= 100
