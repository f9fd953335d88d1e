import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_dlnotes.diagnostics import GradientCheck, gradient_check

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(4, 6, 5)).astype("float32")
IMAGE = GENERATOR.normal(size=(2, 6, 6, 3)).astype("float32")
IDS = np.array([[1, 2, 2], [3, 1, 0]])

#: Keras' own layers of every kind, with and without state: the tool itself is what is tested here.
KERAS_LAYERS = {
    "dense": (lambda: layers.Dense(3, "tanh", kernel_regularizer="l2"), X),
    "batch norm": (layers.BatchNormalization, X),
    "dropout": (lambda: layers.Dropout(0.5), X),
    "seeded dropout": (lambda: layers.Dropout(0.5, seed=3), X),
    "noise": (lambda: layers.GaussianNoise(0.3), X),
    "layer norm": (layers.LayerNormalization, X),
    "lstm": (lambda: layers.LSTM(3), X),
    "bidirectional gru": (lambda: layers.Bidirectional(layers.GRU(2)), X),
    "time distributed": (lambda: layers.TimeDistributed(layers.Dense(2, "relu")), X),
    "embedding": (lambda: layers.Embedding(10, 3, mask_zero=True), IDS),
    "conv": (lambda: layers.Conv2D(2, 3, activation="gelu"), IMAGE),
    "depthwise": (lambda: layers.DepthwiseConv2D(3, activation="elu"), IMAGE),
    "max pool": (lambda: layers.MaxPooling2D(2), IMAGE),
    "add": (layers.Add, [X, 2 * X]),
    "activity": (lambda: layers.Dense(2, activity_regularizer="l2"), X),
}


@pytest.mark.parametrize("name", KERAS_LAYERS)
def test_layers_are_right(name):
    make, x = KERAS_LAYERS[name]
    check = gradient_check(make(), x)
    assert check.ok, check.report()
    assert check.variables
    assert all(v.verdict == "right" for v in check.variables), check.report()
    # Not all by way of a resolution so coarse that nothing could be wrong.
    assert check.error < 1e-6


def square_with_gradient(factor):
    @ops.custom_gradient
    def square(x):
        def grad(*args, upstream=None):
            if upstream is None:
                (upstream,) = args
            return upstream * 2 * x * factor

        return x * x, grad

    return square


class Square(layers.Layer):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=(shape[-1],), initializer="ones")

    def call(self, x):
        return square_with_gradient(self.factor)(x * self.scale)


def test_a_wrong_gradient_is_found_and_measured():
    check = gradient_check(Square(1.01), X, samples=None)
    assert not check
    assert [v.name.split("/")[-1] for v in check.wrong] == ["scale", "input"]
    # |1.01 g - g| / 1.01 g
    assert check["input"].error == pytest.approx(0.01 / 1.01, rel=1e-3)
    assert check["input"].analytic == pytest.approx(1.01 * check["input"].numeric, rel=1e-5)
    assert "WRONG in 2 of 2" in check.report()
    assert gradient_check(Square(1.0), X).ok
    # One part in a million is seen as well; that is beyond float32.
    assert not gradient_check(Square(1.00001), X)
    assert gradient_check(Square(1.00001), X, tolerance=1e-4)


def test_one_wrong_entry_of_many_is_named():
    @ops.custom_gradient
    def identity(x):
        def grad(*args, upstream=None):
            if upstream is None:
                (upstream,) = args
            spoil = np.ones((3, 4))
            spoil[1, 2] = -1
            return upstream * ops.convert_to_tensor(spoil, dtype=upstream.dtype)

        return x * 1.0, grad

    check = gradient_check(identity, np.ones((3, 4)), samples=None)
    assert check["x"].where == (1, 2)
    assert check["x"].error == pytest.approx(2, rel=1e-6)  # |a - (-a)| / |a|
    assert np.sum(check["x"].errors > 1e-6) == 1


def test_a_gradient_that_does_not_arrive_is_wrong():
    stopped = lambda x: ops.sum(ops.stop_gradient(x) * x)  # noqa: E731
    check = gradient_check(stopped, np.array([1.0, 2.0]))
    assert not check
    assert check["x"].error == pytest.approx(0.5, rel=1e-6)
    assert not gradient_check(lambda x: ops.stop_gradient(x) ** 2, np.array([1.5, 2.0]))


def test_kinks_are_told_from_wrong_gradients():
    check = gradient_check(keras.activations.relu, np.array([-1.0, 0.0, 1.0]))
    assert check
    assert check["x"].kinks == 1
    assert np.isnan(check["x"].errors[1])
    assert gradient_check(keras.activations.relu, np.zeros(3))["x"].verdict == "kinks"
    # Nearby kinks are approached, not excused.
    assert gradient_check(keras.activations.relu, np.array([1e-6, -1e-6, 3.0]))["x"].kinks == 0

    @ops.custom_gradient
    def wrong_relu(x):
        def grad(*args, upstream=None):
            if upstream is None:
                (upstream,) = args
            return 1.5 * upstream  # No slope of either side.

        return ops.relu(x), grad

    assert not gradient_check(wrong_relu, np.array([0.0, 0.0]))


def model_with_everything():
    inputs = keras.Input((5,), name="features")
    x = layers.Dense(4, "relu", kernel_regularizer="l2", name="first")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Add()([x, layers.Dense(4, "tanh", name="middle")(x)])
    x = layers.Dropout(0.3)(x)
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, "softmax")], name="inner")
    outputs = [inner(x), layers.Dense(1, name="out")(x * 2.0)]
    model = keras.Model(inputs, outputs)
    model.compile("adam", ["categorical_crossentropy", "mse"], loss_weights=[1.0, 0.3])
    return model


Y = [np.eye(3)[[0, 1, 2, 1]], np.ones((4, 1))]


def test_models_are_checked_and_left_as_they_were():
    model = model_with_everything()
    before = [ops.convert_to_numpy(v.value) for v in model.variables]
    optimizer, loss = model.optimizer, model._compile_loss
    check = gradient_check(model, X[:, 0], Y, sample_weight=None)
    assert isinstance(check, GradientCheck)
    assert check.ok, check.report()
    trained = {v.path for v in model.trainable_variables}
    assert {v.name for v in check.variables} == trained | {"input features"}
    for old, new in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(old, ops.convert_to_numpy(new.value))
    assert keras.config.floatx() == "float32"
    assert keras.config.dtype_policy().name == "float32"
    assert model.optimizer is optimizer
    assert model._compile_loss is loss
    # The loss is the model's, weights and regularizer included.
    evaluated = model.evaluate(X[:, 0], Y, verbose=0, return_dict=True)["loss"]
    still = gradient_check(model, X[:, 0], Y, training=False, samples=1)
    assert still.value == pytest.approx(evaluated, rel=1e-5)


def test_frozen_layers_are_left_out_and_told():
    model = model_with_everything()
    model.get_layer("first").trainable = False
    check = gradient_check(model, X[:, 0], Y, samples=2)
    assert check.ok, check.report()
    assert not any("first" in v.name for v in check.variables)
    assert any("first" in note for note in check.notes)


def test_mixed_precision_is_checked_in_float64():
    keras.config.set_dtype_policy("mixed_float16")
    model = keras.Sequential([keras.Input((5,)), layers.Dense(3, "tanh"), layers.Dense(1)])
    check = gradient_check(model, X[:, 0], Y[1], loss="mse")
    assert check.ok, check.report()
    assert check.noise < 1e-12
    assert keras.config.dtype_policy().name == "mixed_float16"


class Subclassed(keras.Model):
    """Has no config: Keras cannot make it anew."""

    def __init__(self, units):
        super().__init__()
        self.hidden, self.out = layers.Dense(units, "tanh"), layers.Dense(1)

    def call(self, x):
        return self.out(self.hidden(x))


def test_subclassed_models_run_themselves():
    model = Subclassed(3)
    with pytest.raises(ValueError, match=r"Subclassed.*get_config.*build it first"):
        gradient_check(model, X[:, 0])
    model.compile("sgd", "huber")
    expected = ops.convert_to_numpy(model(X[:, 0]))
    check = gradient_check(model, X[:, 0], Y[1])
    assert check.ok, check.report()
    assert check.noise < 1e-14
    assert "No copy" in check.notes[0]
    assert model.hidden.dtype_policy.name == "float32"
    assert model.hidden.kernel.dtype == "float32"
    np.testing.assert_array_equal(expected, ops.convert_to_numpy(model(X[:, 0])))
    model.fit(X[:, 0], Y[1], verbose=0)


def test_what_cannot_be_checked_is_said():
    ids = gradient_check(layers.Embedding(10, 3), IDS.astype("float32"))
    assert [v.kind for v in ids.variables] == ["weight"]
    assert "taken for ids" in ids.notes[0]

    class InFloat32(layers.Layer):
        def call(self, x):
            return ops.cast(ops.tanh(ops.cast(x, "float32")), "float64")

    coarse = gradient_check(InFloat32(), X)
    assert any("less than float64" in note for note in coarse.notes)
    assert coarse.noise > 1e-9

    random = np.random.default_rng(1)
    if keras.backend.backend() == "torch":  # Elsewhere the graph is traced once.
        drifting = gradient_check(lambda x: ops.sum(x) * (1 + 1e-9 * random.random()), X)
        assert any("Two evaluations" in note for note in drifting.notes)

    unused = gradient_check(lambda pair: pair[0] ** 2, [np.array([1.5]), np.array([2.5])])
    assert unused["x[1]"].verdict in ("unused", "right")


def test_arguments_of_the_call():
    attention = layers.MultiHeadAttention(2, 3)
    check = gradient_check(attention, X, arguments={"value": X[:, :4]})
    assert check.ok, check.report()
    masked = np.array([[1, 1, 0, 0, 0, 0]] * 4, bool)
    check = gradient_check(layers.GRU(3), X, arguments={"mask": masked}, samples=None)
    assert check.ok
    index = check["input"].indices
    behind = index[:, 1] >= 2
    assert not np.any(check["input"].analytic_values[behind])
    assert np.any(check["input"].analytic_values[~behind])


def test_adapted_layers_keep_what_they_know():
    layer = layers.Normalization()
    layer.adapt(X[:, 0] * 3 + 1)
    model = keras.Sequential([keras.Input((5,)), layer, layers.Dense(1)])
    check = gradient_check(model, X[:, 0], Y[1], loss="mse", training=False)
    mse = np.mean((ops.convert_to_numpy(model(X[:, 0])) - Y[1]) ** 2)
    assert check.ok
    assert check.value == pytest.approx(mse, rel=1e-5)


def test_subsets_hold_the_largest_derivative():
    check = gradient_check(lambda x: x**3, np.linspace(0.1, 2, 500), samples=5)
    assert len(check["x"].indices) == 5
    full = gradient_check(lambda x: x**3, np.linspace(0.1, 2, 500), samples=None)
    assert np.max(check["x"].analytic_values) == np.max(full["x"].analytic_values)
    assert len(full["x"].indices) == 500


def test_losses_and_weights():
    p = np.random.default_rng(2).uniform(0.1, 0.9, (4, 3))
    p /= p.sum(-1, keepdims=True)
    for loss in (keras.losses.CategoricalCrossentropy(), keras.losses.KLDivergence(), "mse"):
        target = keras.losses.get(loss) if isinstance(loss, str) else loss
        check = gradient_check(target, p, Y[0])
        assert check.ok, check.report()
    weighted = gradient_check(
        keras.losses.MeanSquaredError(),
        p,
        Y[0],
        sample_weight=np.array([1.0, 0, 0, 0]),
        samples=None,
    )
    rows = weighted["x"].indices[:, 0]
    assert not np.any(weighted["x"].analytic_values[rows > 0])


def test_a_loss_that_tells_its_dtype_is_checked_in_float64():
    class Told(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return ops.mean(ops.tanh(y_pred - y_true) ** 2, axis=-1)

        def get_config(self):
            return {**super().get_config(), "dtype": self.dtype}

    check = gradient_check(Told(), X[:, 0], X[:, 1])
    assert check.ok, check.report()
    assert check.noise < 1e-14


@pytest.mark.parametrize("seed", range(5))
def test_hidden_float32_is_noticed(seed):
    def coarse(x):
        return ops.cast(ops.mean(ops.tanh(ops.cast(x, "float32"))), "float64")

    assert gradient_check(coarse, X[:, 0], seed=seed).noise > 1e-10


def test_the_kinks_of_a_large_net_are_no_noise():
    """Wherever it goes, it passes some of its 32 000 kinks; once told to be coarse, and wrong."""
    generator = np.random.default_rng(0)
    kernel = generator.normal(size=(1000, 40))
    x = generator.normal(size=(32, 40))

    def mean(slip):
        @ops.custom_gradient
        def relu(z):
            def grad(*args, upstream=None):
                upstream = args[0] if upstream is None else upstream
                return upstream * ops.cast(z > 0, z.dtype) * (1.0 + slip)

            return ops.relu(z), grad

        return lambda w: ops.mean(relu(ops.matmul(x * w, kernel.T)))

    for seed in range(5):
        check = gradient_check(mean(0.0), np.ones(40), samples=8, seed=seed)
        assert check.ok, check.report()
        assert not check.notes
        assert check.noise < 1e-13
        assert not gradient_check(mean(1e-5), np.ones(40), samples=8, seed=seed).ok


def test_bad_arguments():
    with pytest.raises(ValueError, match="`samples` must"):
        gradient_check(layers.Dense(1), X, samples=0)
    with pytest.raises(ValueError, match="`tolerance` must"):
        gradient_check(layers.Dense(1), X, tolerance=0)
    with pytest.raises(ValueError, match="`model_or_layer` must"):
        gradient_check("dense", X)
    with pytest.raises(ValueError, match="`loss` must be given"):
        gradient_check(layers.Dense(3), X[:, 0], np.array([0, 1, 2, 0]))
    with pytest.raises(ValueError, match="`x` must hold one example at least"):
        gradient_check(layers.Dense(1), X[:0])
    with pytest.raises(ValueError, match="`x` must be an array"):
        gradient_check(layers.Dense(1), iter([X]))
    with pytest.raises(ValueError, match="no gradient to check"):
        gradient_check(lambda x: ops.log(x), np.array([-1.0]))


def test_report_fits_the_page():
    text = gradient_check(model_with_everything(), X[:, 0], Y).report()
    assert max(map(len, text.splitlines())) <= 100
