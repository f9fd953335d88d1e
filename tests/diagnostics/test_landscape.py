import keras
import numpy as np
import pytest
from keras import layers

from keras_dlnotes.diagnostics import (
    Landscape,
    line_direction,
    loss_landscape,
    random_directions,
)

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(50, 6)).astype("float32")
Y = (X[:, :1] * X[:, 1:2] > 0).astype("float32")
WEIGHTS = GENERATOR.uniform(0.5, 1.5, 50)


def small(**how):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(5, "relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile("sgd", "binary_crossentropy", **how)
    return model


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = layers.Dense(4, "tanh"), layers.Dense(1, "sigmoid")

    def call(self, x):
        return self.out(self.hidden(x))


def subclassed():
    model = Subclassed()
    model(X[:1])
    model.compile("sgd", "binary_crossentropy")
    return model


def by_hand(model, landscape, data, batch_size=20):
    """The loop that everyone writes."""
    x, y, sample_weight = (*data, None)[:3]
    before = model.get_weights()
    shape = landscape.losses.shape
    found = np.zeros(shape)
    for index in np.ndindex(shape):
        moved = [w.copy() for w in before]
        for k, direction in enumerate(landscape.directions.arrays):
            step = landscape.axes[k][index[k]]
            moved = [w + step * d for w, d in zip(moved, direction, strict=True)]
        model.set_weights(moved)
        found[index] = model.evaluate(
            x, y, sample_weight=sample_weight, batch_size=batch_size, verbose=0
        )
    model.set_weights(before)
    return found


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("make", [small, subclassed])
def test_equals_set_weights_and_evaluate(make, jit_compile):
    if jit_compile and keras.backend.backend() != "tensorflow":
        pytest.skip("JAX always compiles, torch never does")
    model = make()
    before = model.get_weights()
    # 50 rows: two full batches of 20 and a smaller one.
    for data in ((X, Y), (X, Y, WEIGHTS)):
        landscape = loss_landscape(
            model, data, points=(3, 4), batch_size=20, jit_compile=jit_compile, verbose=0
        )
        np.testing.assert_allclose(landscape.losses, by_hand(model, landscape, data), rtol=1e-5)
        assert np.ptp(landscape.losses) > 0.01
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert isinstance(landscape, Landscape)
    assert landscape.losses.shape == (3, 4)


def test_center_is_the_model_and_batches_do_not_matter():
    model = small()
    whole = loss_landscape(model, (X, Y), points=5, batch_size=64, verbose=0)
    parts = loss_landscape(model, (X, Y), points=5, batch_size=7, verbose=0)
    np.testing.assert_allclose(whole.losses, parts.losses, rtol=1e-5)
    assert whole.center == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-5)
    assert whole.losses[2, 2] == pytest.approx(whole.center, rel=1e-6)


def test_several_inputs_outputs_and_losses():
    a, b = keras.Input((6,), name="a"), keras.Input((3,), dtype="int32", name="b")
    x = layers.Concatenate()([a, layers.Flatten()(layers.Embedding(5, 2, mask_zero=False)(b))])
    outputs = {"p": layers.Dense(3, "softmax", name="p")(x), "q": layers.Dense(1, name="q")(x)}
    model = keras.Model({"a": a, "b": b}, outputs)
    losses = {"p": "sparse_categorical_crossentropy", "q": "mse"}
    model.compile("sgd", losses, loss_weights={"p": 1.0, "q": 0.2})
    x = {"a": X, "b": GENERATOR.integers(0, 5, (50, 3))}
    y = {"p": GENERATOR.integers(0, 3, 50), "q": Y}
    landscape = loss_landscape(model, (x, y), points=3, verbose=0)
    before = model.get_weights()
    direction = landscape.directions.arrays
    model.set_weights([w + u - v for w, u, v in zip(before, *direction, strict=True)])
    expected = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
    assert landscape.losses[2, 0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.tensorflow
def test_datasets_are_read_once():
    import tensorflow as tf

    model = small()
    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).batch(20)
    read = []
    counted = dataset.map(
        lambda x, y: (tf.py_function(lambda z: read.append(1) or z, [x], x.dtype), y)
    )
    counted = counted.map(lambda x, y: (tf.ensure_shape(x, (None, 6)), y))
    found = loss_landscape(model, counted, points=3, verbose=0)
    np.testing.assert_allclose(
        found.losses, loss_landscape(model, (X, Y), points=3, verbose=0).losses, rtol=1e-5
    )
    assert len(read) == 3


def test_a_line_joins_two_models():
    first, second = small(), small()
    first.fit(X, Y, verbose=0)  # Moving statistics differ as well.
    line = loss_landscape(
        first, (X, Y), directions=line_direction(first, second), points=3, span=(0, 1), verbose=0
    )
    assert line.dimensions == 1
    assert line.losses[0] == pytest.approx(first.evaluate(X, Y, verbose=0), rel=1e-5)
    assert line.losses[2] == pytest.approx(second.evaluate(X, Y, verbose=0), rel=1e-5)


def test_fixed_directions_are_used_again():
    first, second = small(), small()
    one = loss_landscape(first, (X, Y), points=3, verbose=0)
    other = loss_landscape(second, (X, Y), directions=one.directions, points=3, verbose=0)
    assert other.directions is one.directions
    np.testing.assert_allclose(other.losses, by_hand(second, other, (X, Y)), rtol=1e-5)


def test_recomputed_statistics_are_those_of_the_data():
    model = small()
    model.fit(X, Y, epochs=2, verbose=0)
    before = model.get_weights()
    landscape = loss_landscape(
        model, (X, Y), points=3, batch_norm="recomputed", batch_size=64, verbose=0
    )
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    u, v = landscape.directions.arrays
    weights = [w + a - b for w, a, b in zip(before, u, v, strict=True)]
    hidden = np.maximum(X @ weights[0] + weights[1], 0)
    weights[4], weights[5] = hidden.mean(0), hidden.var(0)
    model.set_weights(weights)
    expected = model.evaluate(X, Y, verbose=0)
    assert landscape.losses[2, 0] == pytest.approx(expected, rel=1e-5)
    model.set_weights(before)
    frozen = loss_landscape(model, (X, Y), points=3, verbose=0)
    assert abs(frozen.losses[2, 0] - expected) > 1e-3


def test_weights_survive_an_exception(monkeypatch):
    model = small()
    before = model.get_weights()

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.utils.Progbar, "update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        loss_landscape(model, (X, Y), points=3, verbose=0, batch_norm="recomputed")
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert "call" not in vars(model.layers[1])


def test_an_interrupted_run_goes_on(tmp_path, monkeypatch):
    model = small()
    path = tmp_path / "landscape.npz"
    whole = loss_landscape(model, (X, Y), points=12, verbose=0)
    update, seen = keras.utils.Progbar.update, []

    def interrupt(self, current, *args, **kwargs):
        seen.append(current)
        if len(seen) == 1:
            raise KeyboardInterrupt
        update(self, current, *args, **kwargs)

    monkeypatch.setattr(keras.utils.Progbar, "update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        loss_landscape(model, (X, Y), points=12, checkpoint=path, verbose=0)
    first = seen[0]
    assert 0 < first < 144
    resumed = loss_landscape(model, (X, Y), points=12, checkpoint=path, verbose=0)
    assert seen[1] > first  # It began where the other stopped.
    np.testing.assert_allclose(resumed.losses, whole.losses, rtol=1e-6)
    again = loss_landscape(model, (X, Y), points=12, checkpoint=path, verbose=0)
    np.testing.assert_array_equal(again.losses, resumed.losses)
    with pytest.raises(ValueError, match="belongs to another landscape"):
        loss_landscape(model, (X, Y), points=10, checkpoint=path, verbose=0)
    model.set_weights([w * 1.1 for w in model.get_weights()])
    with pytest.raises(ValueError, match="belongs to another landscape"):
        loss_landscape(model, (X, Y), points=12, checkpoint=path, verbose=0)
    with pytest.raises(OSError, match="No such file"):
        loss_landscape(model, (X, Y), points=3, checkpoint=tmp_path / "no" / "x.npz", verbose=0)


@pytest.mark.parametrize("kind", ["cut", "text", "of something else"])
def test_what_is_no_checkpoint_is_refused_and_left_alone(tmp_path, kind):
    path, model = tmp_path / "landscape.npz", small()
    if kind == "cut":
        loss_landscape(model, (X, Y), points=3, checkpoint=path, verbose=0)
        path.write_bytes(path.read_bytes()[:-40])
    elif kind == "text":
        path.write_text("notes")
    else:
        np.savez(path, weights=X)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="no checkpoint of a landscape, or is damaged"):
        loss_landscape(model, (X, Y), points=3, checkpoint=path, verbose=0)
    assert path.read_bytes() == before


def test_progress_is_shown(capsys):
    model = small()
    loss_landscape(model, (X, Y), dimensions=1, points=3, verbose=1)
    assert "3/3" in capsys.readouterr().out
    loss_landscape(model, (X, Y), dimensions=1, points=3, verbose=0)
    assert capsys.readouterr().out == ""


def test_frozen_layers_do_not_move():
    model = small()
    model.layers[0].trainable = False
    kernel, *_ = random_directions(model, 1).arrays[0]
    assert not np.any(kernel)


def test_report_in_words():
    landscape = loss_landscape(small(), (X, Y), points=3, verbose=0)
    text = str(landscape)
    assert "3 x 3 points" in text
    assert f"{landscape.losses.max():.6g}" in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"points": 1}, "`points` must"),
        ({"points": (3, 3, 3)}, "`points` must"),
        ({"span": 0}, "`span` must"),
        ({"span": (1, -1)}, "`span` must"),
        ({"directions": "pca"}, "`trajectory` must be given"),
        ({"directions": "steepest"}, "`directions` must"),
        ({"trajectory": [1]}, "`trajectory` must"),
        ({"dimensions": 3}, "`dimensions` must"),
        ({"batch_norm": "free"}, "`batch_norm` must"),
        ({"verbose": 2}, "`verbose` must"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        loss_landscape(small(), (X, Y), **{"verbose": 0, **arguments})


@pytest.mark.parametrize(
    "data",
    [X, X.tolist(), (X, Y[:5]), (X.tolist(), Y), (X, Y, None, None), "data", (None, None)],
    ids=["x", "list", "lengths", "lists", "four", "text", "none"],
)
def test_what_is_no_data(data):
    with pytest.raises(ValueError, match=r"Argument `data` must be \(x, y\)"):
        loss_landscape(small(), data, points=3, verbose=0)


@pytest.mark.tensorflow
def test_data_without_end():
    import tensorflow as tf

    endless = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8).repeat()
    with pytest.raises(ValueError, match="an iterable that ends"):
        loss_landscape(small(), endless, points=3, verbose=0)


def test_a_model_that_nobody_called_is_built():
    model = Subclassed()
    model.compile("sgd", "binary_crossentropy")
    landscape = loss_landscape(model, (X, Y), points=3, verbose=0)
    expected = by_hand(model, landscape, (X, Y))
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(landscape.losses, expected, rtol=1e-5)


def test_a_model_that_nothing_moves():
    model = small()
    model.trainable = False
    with pytest.raises(ValueError, match="no weights that random directions move"):
        loss_landscape(model, (X, Y), points=3, verbose=0)
    with pytest.raises(ValueError, match="Argument `model` must be a Keras model"):
        loss_landscape(len, (X, Y), points=3, verbose=0)


def test_a_model_without_loss():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(1)])
    with pytest.raises(ValueError, match="`loss` must be given"):
        loss_landscape(model, (X, Y), verbose=0)
    found = loss_landscape(model, (X, Y), loss="mse", points=3, verbose=0)
    model.compile(loss="mse")
    expected = loss_landscape(model, (X, Y), points=3, verbose=0)
    np.testing.assert_allclose(found.losses, expected.losses, rtol=1e-6)
