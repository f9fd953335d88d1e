import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits

from keras_dlnotes.recipe import Checklist, RecipeResult, Step, train

TITLES = [
    "Scale the features",
    "Initial weights",
    "Activation",
    "Normalize and drop out",
    "Optimizer",
    "Hyper-parameters",
    "Loss",
    "Watch the gradients",
    "TensorBoard",
    "Early stopping",
]


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return x[:1000], y[:1000]


def test_ten_steps_on_digits(digits, tmp_path):
    x, y = digits
    result = train(x, y, epochs=15, seed=0, log_dir=tmp_path)
    assert isinstance(result, RecipeResult)
    assert [step.title for step in result.checklist] == TITLES
    assert all(isinstance(step, Step) and step.chosen and step.why for step in result.checklist)
    assert max(result.history.history["val_accuracy"]) > 0.93
    assert np.mean(result.predict(x) == y) > 0.95
    assert result.task.loss == "SparseCategoricalCrossentropy"
    assert "gradients healthy" in result.checklist[7].seen or result.monitor.problems
    assert list(tmp_path.rglob("events*"))
    text = str(result.checklist)
    assert max(map(len, text.splitlines())) <= 100
    assert text.startswith(" 1. Scale the features: mean 0 and variance 1")


def test_scaling_is_fitted_on_the_training_part_and_saved_inside(digits, tmp_path):
    import keras

    x, y = digits
    held_out = (x[800:] + 1000, y[800:])
    result = train(x[:800], y[:800], validation=held_out, epochs=1, hidden=(8,), seed=0)
    scaled = np.asarray(result.model.scaling(x[:800].astype("float32")))
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-4)
    result.model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    raw = x[:50].astype("float32")
    np.testing.assert_allclose(
        again.predict(raw, verbose=0), result.model.predict(raw, verbose=0), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("labels", "loss"),
    [
        (lambda y: np.eye(10)[y], "CategoricalCrossentropy"),
        (lambda y: (y > 4).astype(int), "BinaryCrossentropy"),
        (lambda y: y / 10 + 0.05, "MeanSquaredError"),
    ],
)
def test_the_loss_follows_the_labels(labels, loss, digits):
    x, y = digits
    target = labels(y)
    result = train(x, target, epochs=4, hidden=(32,), seed=0)
    assert result.task.loss == loss
    assert result.history.history["val_loss"][-1] < result.history.history["val_loss"][0]
    predicted = result.predict(x)
    assert predicted.shape[0] == len(x)
    if loss == "CategoricalCrossentropy":
        assert np.all(predicted.sum(1) == 1)


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
@pytest.mark.parametrize(
    "labels", [lambda y: y, lambda y: (y > 4).astype(int), lambda y: y / 10 + 0.05]
)
def test_predictions_have_the_shape_of_the_labels(labels, shape, digits):
    """Else `np.mean(predictions == y)` would compare each with all."""
    x, y = digits[0][:100], labels(digits[1][:100]).reshape(shape)
    assert train(x, y, epochs=1, hidden=(4,), seed=0).predict(x).shape == y.shape


def test_takes_what_keras_takes(digits):
    """Pictures, an activation that is a layer, a schedule, and one callback without a list."""
    import keras

    x, y = digits
    result = train(
        x.reshape(-1, 8, 8),
        y,
        activation=keras.layers.LeakyReLU(0.1),
        learning_rate=keras.optimizers.schedules.CosineDecay(0.01, 100),
        callbacks=keras.callbacks.TerminateOnNaN(),
        hidden=(32,),
        epochs=3,
        seed=0,
    )
    assert result.history.history["val_accuracy"][-1] > 0.8
    assert result.model.input_shape == (None, 8, 8)
    assert result.checklist[1].chosen == "HeNormal"
    assert result.checklist[2].chosen == "LeakyReLU"
    assert result.checklist[4].chosen == "Adam, learning rate CosineDecay"


def test_learns_a_regression():
    x, y = load_diabetes(return_X_y=True)
    result = train(x, y / 100, epochs=30, hidden=(32,), seed=0, patience=30)
    error = min(result.history.history["val_loss"])
    assert error < 0.65 * np.var(y / 100)


def test_tells_over_fitting():
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(120, 30)), generator.integers(0, 2, 120)
    result = train(x, y, dropout=0.0, epochs=20, patience=20, learning_rate=0.01, seed=0)
    assert result.fit.verdict == "over-fitting"
    assert f"over-fitting from epoch {result.fit.epoch + 1}" in result.checklist[9].seen


@pytest.mark.tensorflow
def test_datasets(digits):
    import tensorflow as tf

    x, y = digits[0].astype("float32"), digits[1]
    data = tf.data.Dataset.from_tensor_slices((x[:800], y[:800])).batch(32)
    held_out = tf.data.Dataset.from_tensor_slices((x[800:], y[800:])).batch(32)
    result = train(data, validation=held_out, epochs=3, seed=0)
    assert result.task.name == "multiclass"
    with pytest.raises(ValueError, match=r"Received: validation=0\.2"):
        train(data)
    with pytest.raises(ValueError, match="Received: tune=3"):
        train(data, validation=held_out, tune=3)
    holes = tf.data.Dataset.from_tensor_slices((np.where(x == 16, np.nan, x), y))
    for wrong, message in [
        (holes.batch(32), r"NaN or infinite values in columns \d+ \(\d+\)"),
        (data.unbatch(), "must be batched"),
        (data.repeat(), "must end"),
        (data.map(lambda x, y: x), r"must give pairs \(x, y\)"),
        (data.take(0), "is empty"),
    ]:
        with pytest.raises(ValueError, match=message):
            train(wrong, validation=held_out)


def test_same_seed_same_model(digits):
    x, y = digits
    first, second = (train(x, y, epochs=1, hidden=(8,), seed=3).model for _ in range(2))
    np.testing.assert_array_equal(first.get_weights()[-2], second.get_weights()[-2])


@pytest.mark.tensorflow
def test_hyper_parameters_by_search(digits):
    x, y = digits
    result = train(x[:300], y[:300], tune=2, epochs=2, seed=0)
    assert "2 trials, the best with val_accuracy" in result.checklist[5].why


def test_checklist_fits_100_columns():
    steps = Checklist()
    steps.add("Title", "word " * 60, "reason " * 60)
    steps.saw("first")
    steps.saw("second", 1)
    assert steps[0].seen == "first; second"
    assert max(map(len, str(steps).splitlines())) <= 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "Received: epochs=0"),
        ({"clip": -1}, "Received: clip=-1"),
        ({"task": "rank"}, "Received: task='rank'"),
        ({"hidden": (0,)}, "Received: hidden=0"),
        ({"hidden": 32}, "be a tuple or list of integers. Received: hidden=32"),
        ({"validation": (np.ones((5, 3)), np.ones(5))}, r"shape of the training's, \(64,\) each"),
        ({"validation": 2}, "Received: validation=2"),
        ({"y": np.full(1000, "a")}, "number the classes"),
        ({"x": np.full((1000, 3), np.nan)}, r"in columns 0 \(1000\)"),
        ({"x": "file.csv", "y": None}, "must be a tf.data.Dataset"),
    ],
)
def test_rejects(arguments, message, digits):
    with pytest.raises(ValueError, match=message):
        train(**{"x": digits[0], "y": digits[1], **arguments})
