"""Losses against NumPy and against Keras, under weights, masks and every reduction."""

import keras
import numpy as np
import pytest
from gradients import gradient
from keras import ops
from keras.src.backend import set_keras_mask

from keras_dlnotes import losses
from keras_dlnotes.losses._base import REDUCTIONS

BACKEND = keras.backend.backend()
GENERATOR = np.random.default_rng(0)
SHAPE = (6, 4, 3)
LOGITS = GENERATOR.normal(size=SHAPE).astype("float32") * 3
PROBABILITIES = (np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)).astype("float32")
REALS = GENERATOR.normal(size=SHAPE).astype("float32") * 2
CLASSES = GENERATOR.integers(0, 3, SHAPE[:-1])
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
BITS = GENERATOR.integers(0, 2, SHAPE).astype("float32")

#: (name, keyword arguments, targets, predictions) for each loss that Keras has too.
CASES = [
    ("MeanSquaredError", {}, REALS, LOGITS),
    ("MeanAbsoluteError", {}, REALS, LOGITS),
    ("Huber", {}, REALS, LOGITS),
    ("Huber", {"delta": 0.3}, REALS, LOGITS),
    ("BinaryCrossentropy", {}, BITS, PROBABILITIES),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, BITS, LOGITS),
    ("BinaryCrossentropy", {"label_smoothing": 0.1, "axis": 1}, BITS, PROBABILITIES),
    ("CategoricalCrossentropy", {}, ONE_HOT, PROBABILITIES),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, ONE_HOT, 2 * PROBABILITIES),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.3}, ONE_HOT, LOGITS),
    ("SparseCategoricalCrossentropy", {}, CLASSES, PROBABILITIES),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, CLASSES, LOGITS),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, CLASSES[..., None], LOGITS),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, CLASSES, PROBABILITIES),
    (
        "SparseCategoricalCrossentropy",
        {"ignore_class": -1, "from_logits": True},
        np.where(CLASSES == 2, -1, CLASSES),
        LOGITS,
    ),
]
WEIGHTS = {
    "no weights": None,
    "a number": 2.5,
    "one an example": GENERATOR.uniform(size=(6, 1)).astype("float32"),
    "one a time step": GENERATOR.uniform(size=(6, 4)).astype("float32"),
    "none at all": np.zeros((6, 1), "float32"),
}


def numbers(loss, y_true, y_pred, weights, mask):
    y_pred = ops.convert_to_tensor(y_pred)
    if mask:
        set_keras_mask(y_pred, ops.convert_to_tensor(np.arange(24).reshape(6, 4) % 5 != 0))
    return ops.convert_to_numpy(loss(y_true, y_pred, sample_weight=weights))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("name", "kwargs", "y_true", "y_pred"), CASES)
def test_equals_keras(name, kwargs, y_true, y_pred, reduction):
    ours = getattr(losses, name)(**kwargs, reduction=reduction)
    theirs = getattr(keras.losses, name)(**kwargs, reduction=reduction)
    for label, weights in WEIGHTS.items():
        for mask in (False, True):
            if kwargs.get("axis") == 1 and (mask or np.shape(weights) == (6, 4)):
                continue  # The loss is then of shape (6, 3).
            a = numbers(ours, y_true, y_pred, weights, mask)
            masked = mask or "ignore_class" in kwargs
            if BACKEND == "torch" and masked and weights is not None:
                # Keras multiplies by the mask in place, for which PyTorch wants the full shape.
                weights = np.broadcast_to(weights, (6, 4)).astype("float32")
            b = numbers(theirs, y_true, y_pred, weights, mask)
            assert a.shape == b.shape
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6, err_msg=f"{label}, mask {mask}")


@pytest.mark.parametrize(("name", "kwargs", "y_true", "y_pred"), CASES)
def test_gradients_equal_keras(name, kwargs, y_true, y_pred):
    ours = gradient(lambda p: getattr(losses, name)(**kwargs)(y_true, p), y_pred)
    theirs = gradient(lambda p: getattr(keras.losses, name)(**kwargs)(y_true, p), y_pred)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


FUNCTIONS = {
    "MeanSquaredError": "mean_squared_error",
    "MeanAbsoluteError": "mean_absolute_error",
    "Huber": "huber",
    "BinaryCrossentropy": "binary_crossentropy",
    "CategoricalCrossentropy": "categorical_crossentropy",
    "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy",
}


@pytest.mark.parametrize(("name", "kwargs", "y_true", "y_pred"), CASES)
def test_functions_equal_keras(name, kwargs, y_true, y_pred):
    name = FUNCTIONS[name]
    ours = getattr(losses, name)(y_true, y_pred, **kwargs)
    y_pred = ops.convert_to_tensor(y_pred)
    theirs = getattr(keras.losses, name)(ops.convert_to_tensor(y_true), y_pred, **kwargs)
    ours, theirs = ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


# --------------------------------------------------------------------------- the notes' forms


def test_forms_of_the_squared_error():
    error = ((REALS - LOGITS) ** 2).reshape(24, 3)
    y, p = REALS.reshape(24, 3), LOGITS.reshape(24, 3)

    def value(form, reduction="sum_over_batch_size"):
        return ops.convert_to_numpy(losses.MeanSquaredError(reduction, form=form)(y, p))

    np.testing.assert_allclose(value("1/2", "sum"), error.sum() / 2, rtol=1e-6)
    np.testing.assert_allclose(value("1/2"), error.sum() / (2 * 24), rtol=1e-6)
    np.testing.assert_allclose(value("1/2n"), error.sum() / (2 * 72), rtol=1e-6)
    np.testing.assert_allclose(value("1/n"), error.sum() / 72, rtol=1e-6)
    np.testing.assert_allclose(
        gradient(lambda p: losses.MeanSquaredError("sum", form="1/2")(y, p), p), p - y, atol=1e-6
    )


def test_softmax_log_loss_takes_numbers_and_one_hot_labels():
    logs = np.log(np.exp(LOGITS).sum(-1)) - (LOGITS * ONE_HOT).sum(-1)
    for labels in (CLASSES, CLASSES[..., None], ONE_HOT):
        value = ops.convert_to_numpy(losses.softmax_log_loss(labels, LOGITS))
        np.testing.assert_allclose(value, logs, rtol=1e-5, atol=1e-6)
        slopes = gradient(lambda z: losses.SoftmaxLogLoss(reduction="sum")(labels, z), LOGITS)  # noqa: B023
        np.testing.assert_allclose(slopes, PROBABILITIES - ONE_HOT, rtol=1e-5, atol=1e-6)


def test_classes_along_any_axis():
    expected = -np.log((PROBABILITIES * ONE_HOT).sum(-1))
    moved, one_hot = np.moveaxis(PROBABILITIES, -1, 1), np.moveaxis(ONE_HOT, -1, 1)
    for value in (
        losses.sparse_categorical_crossentropy(CLASSES, moved, axis=1),
        losses.sparse_categorical_crossentropy(CLASSES[:, None], moved, axis=1),
        losses.sparse_categorical_crossentropy(CLASSES, np.log(moved), from_logits=True, axis=1),
        losses.categorical_crossentropy(one_hot, moved, axis=1),
    ):
        np.testing.assert_allclose(ops.convert_to_numpy(value), expected, rtol=1e-5, atol=1e-6)
    smooth = np.moveaxis(0.9 * ONE_HOT + 0.1 / 3, -1, 1)
    value = losses.categorical_crossentropy(one_hot, moved, label_smoothing=0.1, axis=1)
    expected = -(smooth * np.log(moved)).sum(1)
    np.testing.assert_allclose(ops.convert_to_numpy(value), expected, rtol=1e-5)


# --------------------------------------------------------------------------------- stability

FAR = [
    ("BinaryCrossentropy", {"from_logits": True}, [[0.0], [1.0], [1.0]], [[1e4], [-1e4], [1e4]]),
    ("BinaryCrossentropy", {}, [[0.0], [1.0], [1.0]], [[1.0], [0.0], [1.0]]),
    (
        "CategoricalCrossentropy",
        {"from_logits": True},
        [[1.0, 0.0]] * 2,
        [[-1e4, 1e4], [6e4, -6e4]],
    ),
    ("CategoricalCrossentropy", {}, [[1.0, 0.0]] * 2, [[0.0, 1.0], [1.0, 0.0]]),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, [0, 1], [[-1e4, 1e4], [-1e4, 1e4]]),
    ("SparseCategoricalCrossentropy", {}, [0, 1], [[0.0, 1.0], [0.0, 1.0]]),
    ("SoftmaxLogLoss", {}, [0, 1], [[-1e4, 1e4], [1e4, -1e4]]),
    ("MeanSquaredError", {}, [[0.0]], [[200.0]]),
    ("Huber", {}, [[0.0]], [[1e4]]),
    ("MeanAbsoluteError", {}, [[-1e4]], [[1e4]]),
]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize(("name", "kwargs", "y_true", "y_pred"), FAR)
def test_finite_far_out(name, kwargs, y_true, y_pred, dtype):
    y_pred = ops.cast(ops.convert_to_tensor(np.array(y_pred, "float32")), dtype)
    loss = getattr(losses, name)(**kwargs, dtype=dtype)
    value = loss(np.array(y_true), y_pred)
    assert keras.backend.standardize_dtype(value.dtype) == dtype
    expected = getattr(losses, name)(**kwargs)(np.array(y_true), ops.cast(y_pred, "float32"))
    value = ops.convert_to_numpy(ops.cast(value, "float32"))
    np.testing.assert_allclose(value, ops.convert_to_numpy(expected), rtol=1e-2)
    assert np.isfinite(value)
    slopes = gradient(lambda p: ops.cast(loss(np.array(y_true), p), "float32"), y_pred)
    assert np.all(np.isfinite(slopes.astype("float32")))
    if name in FUNCTIONS:
        each = getattr(losses, FUNCTIONS[name])(np.array(y_true), y_pred, **kwargs)
        assert keras.backend.standardize_dtype(each.dtype) == dtype
        assert np.all(np.isfinite(ops.convert_to_numpy(ops.cast(each, "float32"))))


def test_half_precision_sums_and_class_numbers_do_not_overflow():
    y = np.zeros((4000, 1), "float16")
    value = losses.MeanSquaredError(dtype="float16")(y, y + 100)  # 4000 * 100 ** 2 > 65504
    assert float(ops.convert_to_numpy(value)) == 10000
    logits = np.zeros((1, 5000), "float16")
    logits[0, 4097] = 20  # float16 knows no 4097.
    value = losses.SparseCategoricalCrossentropy(True, dtype="float16")(np.array([4097]), logits)
    assert float(ops.convert_to_numpy(value)) < 1e-3


def test_ignored_examples_poison_no_gradient():
    logits = np.array([[np.nan, np.inf], [0.0, 0.0]], "float32")
    for from_logits in (True, False):
        loss = losses.SparseCategoricalCrossentropy(from_logits, ignore_class=-1)
        p = logits if from_logits else np.where(logits == 0, 0.5, logits).astype("float32")
        slopes = gradient(lambda p: loss(np.array([-1, 0]), p), p)  # noqa: B023
        assert np.all(np.isfinite(slopes))
        assert np.all(slopes[0] == 0)
        value = loss(np.array([-1, 0]), p)
        assert float(ops.convert_to_numpy(value)) == pytest.approx(np.log(2), rel=1e-5)


@pytest.mark.tensorflow
def test_logits_behind_a_softmax_are_found_as_in_keras():
    z = np.array([[60.0, -60.0]], "float32")
    y = np.array([[0.0, 1.0]], "float32")
    for module in (keras.activations, __import__("keras_dlnotes").activations):
        p = module.softmax(ops.convert_to_tensor(z))
        assert float(losses.CategoricalCrossentropy()(y, p)) == pytest.approx(120)
        assert float(losses.SparseCategoricalCrossentropy()([1], p)) == pytest.approx(120)
        half = module.softmax(ops.convert_to_tensor(z.astype("float16")))
        assert float(losses.CategoricalCrossentropy()(y, half)) == pytest.approx(120)
        p = module.sigmoid(ops.convert_to_tensor(z))
        assert float(losses.BinaryCrossentropy()(y, p)) == pytest.approx(60)
        with pytest.warns(UserWarning, match="from_logits=True"):
            losses.BinaryCrossentropy(from_logits=True)(y, p)


# ------------------------------------------------------------------------- models and configs


@pytest.mark.parametrize("head", ["softmax", "linear"])
def test_training_equals_training_with_keras(head):
    def trained(module):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, head)])
        loss = module.SparseCategoricalCrossentropy(from_logits=head == "linear")
        model.compile(keras.optimizers.SGD(0.5), loss, weighted_metrics=[])
        x = np.random.default_rng(2).normal(size=(32, 5)).astype("float32")
        weights = np.linspace(0, 2, 32, dtype="float32")
        y = np.argmax(x[:, :3], axis=-1)
        history = model.fit(x, y, epochs=5, sample_weight=weights, verbose=0, shuffle=False)
        return history.history["loss"], model.get_weights()[0]

    ours, theirs = trained(losses), trained(keras.losses)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5, atol=1e-6)


def test_masks_reach_the_loss_in_fit():
    def first_loss(module):
        keras.utils.set_random_seed(1)
        inputs = keras.Input((4,), dtype="int32")
        x = keras.layers.Embedding(7, 3, mask_zero=True)(inputs)
        model = keras.Model(inputs, keras.layers.Dense(1)(x))
        model.compile("sgd", module.MeanSquaredError())
        ids = np.array([[1, 2, 0, 0], [3, 4, 5, 0]])
        return model.evaluate(ids, np.ones((2, 4, 1)), verbose=0)

    assert first_loss(losses) == pytest.approx(first_loss(keras.losses), rel=1e-6)


def test_all_arguments_survive_saving():
    for loss in (
        losses.Huber(0.3, "sum", "h", "float16"),
        losses.SparseCategoricalCrossentropy(True, 3, "none", 1, "s", "float64"),
        losses.BinaryCrossentropy(True, 0.1, 1, None, "b"),
        losses.MeanSquaredError(form="1/2n"),
        losses.SoftmaxLogLoss(1, "sum"),
    ):
        copy = type(loss).from_config(loss.get_config())
        assert copy.get_config() == loss.get_config()
        assert copy.dtype == loss.dtype
    assert losses.Huber(0.3).get_config()["delta"] == 0.3
    config = keras.losses.serialize(losses.huber)
    assert keras.losses.deserialize(config) is losses.huber


def test_default_arguments_are_those_of_keras():
    import inspect

    for name in FUNCTIONS:
        ours = list(inspect.signature(getattr(losses, name)).parameters.values())
        theirs = list(inspect.signature(getattr(keras.losses, name)).parameters.values())
        assert [(p.name, p.default) for p in ours[: len(theirs)]] == [
            (p.name, p.default) for p in theirs
        ]
        assert all(p.kind is p.KEYWORD_ONLY for p in ours[len(theirs) :])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.Huber(0.0), "Argument `delta` must be in (0, inf). Received: delta=0.0"),
        (lambda: losses.Huber(float("nan")), "Received: delta=nan"),
        (
            lambda: losses.BinaryCrossentropy(label_smoothing=1.5),
            "Argument `label_smoothing` must be in [0, 1]. Received: label_smoothing=1.5",
        ),
        (lambda: losses.BinaryCrossentropy(from_logits=1), "Received: from_logits=1"),
        (lambda: losses.CategoricalCrossentropy(axis=True), "Received: axis=True"),
        (lambda: losses.SparseCategoricalCrossentropy(axis=1.5), "Received: axis=1.5"),
        (lambda: losses.SparseCategoricalCrossentropy(ignore_class="x"), "ignore_class='x'"),
        (lambda: losses.MeanSquaredError("average"), "Received: reduction='average'"),
        (lambda: losses.MeanSquaredError(form="2"), "Received: form='2'"),
        (
            lambda: losses.categorical_crossentropy([[1.0]], [[0.5, 0.5]]),
            "y_true.shape=(1, 1), y_pred.shape=(1, 2)",
        ),
        (
            lambda: losses.sparse_categorical_crossentropy([1, 2], [[0.5, 0.5]]),
            "y_true.shape=(2,), y_pred.shape=(1, 2)",
        ),
    ],
)
def test_bad_arguments_are_named_with_what_was_received(make, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        make()
    assert message in str(error.value)


def test_a_single_class_is_warned_about():
    with pytest.warns(SyntaxWarning, match="single class"):
        losses.CategoricalCrossentropy()([[1.0]], [[0.5]])
