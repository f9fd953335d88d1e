import contextlib

import keras
import numpy as np
import pytest

from keras_dlnotes.models import Perceptron

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")


def rule(x, y, rate, epochs):
    """The perceptron rule in NumPy, until an epoch passes without a mistake."""
    w, b = np.zeros(x.shape[1]), 0.0
    for epoch in range(epochs):
        mistakes = 0
        for row, label in zip(x, y, strict=True):
            error = label - (row @ w + b >= 0)
            w, b, mistakes = w + rate * error * row, b + rate * error, mistakes + abs(error)
        if not mistakes:
            return w, b, epoch + 1
    return w, b, epochs


@pytest.mark.parametrize("labels", [[0, 0, 0, 1], [0, 1, 1, 1], [1, 1, 0, 0]])
@pytest.mark.parametrize("rate", [1.0, 0.3])
def test_learns_by_exactly_the_rule(labels, rate):
    perceptron = Perceptron(rate)
    history = perceptron.learn(CORNERS, labels)
    w, b, epochs = rule(CORNERS, labels, rate, 100)
    kernel, bias = perceptron.get_weights()
    np.testing.assert_allclose(kernel.ravel(), w, atol=1e-6)
    np.testing.assert_allclose(bias, [b], atol=1e-6)
    assert len(history.epoch) == epochs
    assert perceptron.predict(CORNERS, verbose=0).ravel().tolist() == labels
    assert "A line separates" in Perceptron.explain(CORNERS, labels)


def test_learns_from_features_of_any_size():
    """Of features in the hundred thousands sums are beyond 2**24; a prediction is still 0 or 1."""
    x = np.array([[-310_000, 2e5], [250_000, -1e5], [-190_000, 1e5], [330_000, 3e5]], "float32")
    perceptron = Perceptron()
    perceptron.learn(x, [0, 1, 0, 1])
    assert perceptron.predict(x, verbose=0).ravel().tolist() == [0, 1, 0, 1]


def test_says_that_exclusive_or_cannot_be_learned():
    with pytest.warns(UserWarning, match=r"No line separates .*\(0\.5, 0\.5\)"):
        Perceptron().learn(CORNERS, [0, 1, 1, 0], max_epochs=20)


def test_the_line_it_names_separates():
    from keras_dlnotes.models.perceptron import separability

    generator = np.random.default_rng(0)
    x = generator.normal(size=(200, 3)) * [1, 100, 0.01] + [5, -300, 0]
    y = (x @ [1.0, 0.02, 30.0] > -1).astype(int)
    found = separability(x, y)
    assert found.separable
    assert np.array_equal(x @ found.normal + found.offset > 0, y == 1)
    y[np.argmax(x @ [1.0, 0.02, 30.0])] = 0  # One label wrong, deep inside the other class.
    broken = separability(x, y)
    assert not broken.separable
    assert set(y[list(broken.mixtures[0])]) == {0}
    assert set(y[list(broken.mixtures[1])]) == {1}


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (CORNERS, [0, 1, 2, 0], r"labels 0 and 1 only. Received: y=\[0, 1, 2\]"),
        (CORNERS, [0, 1], r"Received: x of shape \(4, 2\), y of shape \(2,\)"),
        (CORNERS[:0], [], r"Received: x of shape \(0, 2\)"),
    ],
)
def test_rejects_what_it_cannot_learn_from(x, y, message):
    with pytest.raises(ValueError, match=message):
        Perceptron().learn(x, y)


def test_rejects_a_rate_of_zero():
    with pytest.raises(ValueError, match="Received: learning_rate=0"):
        Perceptron(learning_rate=0)


def test_saves_and_loads(tmp_path):
    perceptron = Perceptron(0.5)
    perceptron.learn(CORNERS, [0, 1, 1, 1])
    perceptron.save(tmp_path / "p.keras")
    again = keras.saving.load_model(tmp_path / "p.keras")
    assert again.learning_rate == 0.5
    assert again.predict(CORNERS, verbose=0).ravel().tolist() == [0, 1, 1, 1]


@pytest.mark.tensorflow
def test_by_xla_and_on_two_devices_it_is_the_same():
    import tensorflow as tf

    x = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
    y = (x.sum(1) > 0).astype("float32")[:, None]

    def learned(scope, jit_compile=False):
        with scope:
            model = Perceptron(0.1)
        model.jit_compile = jit_compile
        model.fit(x, y, batch_size=8, epochs=3, verbose=0, shuffle=False)
        return model.get_weights()[0]

    expected = learned(contextlib.nullcontext())
    np.testing.assert_allclose(learned(contextlib.nullcontext(), True), expected, rtol=1e-5)
    two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    np.testing.assert_allclose(learned(two.scope()), expected, rtol=1e-5)
