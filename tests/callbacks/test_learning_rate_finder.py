"""The sweep on everything ``fit`` takes, the losses it sees, and that it leaves no trace."""

import random

import keras
import numpy as np
import pytest
from keras import ops

from keras_dlnotes import callbacks, optimizers, schedules

BACKEND = keras.backend.backend()
X = np.random.default_rng(0).normal(size=(96, 3)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + 0.1).astype("float32")


class Unseeded(keras.layers.Layer):
    """Draws from Keras' global generator, which belongs to no layer."""

    def call(self, inputs, training=False):
        if not training:
            return inputs
        return inputs + 0.01 * keras.random.normal(ops.shape(inputs), dtype=inputs.dtype)


def network(built=True, optimizer=None, unseeded=BACKEND == "tensorflow", **how):
    """With everything that keeps state: statistics, seeds, metrics, a regularizer."""
    model = keras.Sequential(
        [
            *([keras.Input((3,))] if built else []),
            keras.layers.Dense(6, "relu", kernel_regularizer="l2"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.2),
            *([Unseeded()] if unseeded else []),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer or optimizers.Adam(0.01), "mse", metrics=["mae"], **how)
    return model


def everything(model):
    variables = [*model.variables, *model.metrics_variables, *model.optimizer.variables]
    return [np.array(ops.convert_to_numpy(v)) for v in variables]


def assert_same(before, after):
    assert len(before) == len(after)
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)


WAYS = [{}, {"run_eagerly": True}]
if BACKEND != "torch":
    WAYS += [{"jit_compile": True}, {"steps_per_execution": 4}]


@pytest.mark.parametrize("how", WAYS, ids=str)
def test_nothing_has_happened(how):
    model = network(**how)
    model.fit(X, Y, batch_size=16, epochs=2, verbose=0)
    model.evaluate(X, Y, verbose=0)
    before, step, history = everything(model), model.train_function, model.history
    chance = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    curve = callbacks.LearningRateFinder(steps=30).find(model, X, Y, batch_size=16)
    assert len(curve.losses) > 10
    assert_same(before, everything(model))
    assert model.train_function is step
    assert model.history is history
    assert model.stop_training is False
    assert model.steps_per_execution == how.get("steps_per_execution", 1)
    assert random.getstate() == chance[0]
    np.testing.assert_array_equal(np.random.get_state()[1], chance[1])  # noqa: NPY002


@pytest.mark.parametrize("built", [True, False])
def test_training_afterwards_is_the_training_without(built):
    weights = []
    for sweep in (True, False):
        keras.utils.set_random_seed(3)
        model = network(built)
        if BACKEND != "tensorflow":  # There the first `fit` draws numbers to build the metrics.
            model.fit(X, Y, batch_size=16, verbose=0)
            history = model.history
        if sweep:
            callbacks.LearningRateFinder(steps=25).find(model, X, Y, batch_size=16)
            if BACKEND == "tensorflow":
                assert not hasattr(model, "history")
            else:
                assert model.history is history
        model.fit(X, Y, batch_size=16, epochs=2, verbose=0)
        weights.append(everything(model))
    assert_same(*weights)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("built", [True, False])
def test_beside_a_gradient_monitor(built, first):
    keras.utils.set_random_seed(3)
    model = network(built)
    finder, monitor = callbacks.LearningRateFinder(steps=20), callbacks.GradientMonitor()
    monitor.on_problem = None
    both = [finder, monitor] if first else [monitor, finder]
    model.fit(X, Y, batch_size=8, epochs=3, verbose=0, callbacks=both)
    assert len(finder.result.losses) == 20
    assert monitor.history["steps"].sum() == 20
    assert int(model.optimizer.iterations) == 0
    keras.utils.set_random_seed(3)
    other = network(built)
    callbacks.LearningRateFinder(steps=20).find(other, X, Y, batch_size=8)
    assert_same(model.get_weights(), other.get_weights())
    model.fit(X, Y, batch_size=8, verbose=0)
    assert int(model.optimizer.iterations) == 12


@pytest.mark.tensorflow
def test_compiles_no_second_step():
    traces = []

    class Counting(keras.layers.Layer):
        def call(self, inputs):
            traces.append(1)
            return inputs

    model = keras.Sequential([keras.Input((3,)), Counting(), keras.layers.Dense(1)])
    model.compile(optimizers.SGD(0.01), "mse")
    model.fit(X, Y, batch_size=16, verbose=0)
    count = len(traces)
    callbacks.LearningRateFinder(steps=20).find(model, X, Y, batch_size=16)
    model.fit(X, Y, batch_size=16, verbose=0)
    assert len(traces) == count


class Trap(keras.callbacks.Callback):
    def __init__(self, error, batches):
        super().__init__()
        self.error, self.left = error, batches

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise self.error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("data broke")])
@pytest.mark.parametrize("built", [True, False])
def test_an_interruption_restores_too(error, built):
    model = network(built)
    if built:
        model.fit(X, Y, batch_size=16, verbose=0)
        before = everything(model)
    finder = callbacks.LearningRateFinder(1e-3, 10.0, steps=30)
    with pytest.raises(type(error)):
        finder.find(model, X, Y, batch_size=16, callbacks=[Trap(error, 9)])
    assert finder.result.stop_reason == "interrupted"
    assert len(finder.result.losses) in (8, 9)
    if built:
        assert_same(before, everything(model))
    assert float(ops.convert_to_numpy(model.optimizer.learning_rate)) == pytest.approx(0.01)
    assert int(ops.convert_to_numpy(model.optimizer.iterations)) == (6 if built else 0)
    # A sweep that was cut short does not disturb the next one.
    assert finder.find(model, X, Y, batch_size=16).stop_reason in ("finished", "diverged")


def test_an_interruption_inside_the_data():
    model = network()
    model.fit(X, Y, batch_size=16, verbose=0)
    before = everything(model)

    class Broken(keras.utils.PyDataset):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            if index == 4:
                raise OSError("disk gone")
            return X[:16], Y[:16]

    with pytest.raises(Exception, match="disk gone"):
        callbacks.LearningRateFinder(steps=30).find(model, Broken(workers=1))
    assert_same(before, everything(model))


# ------------------------------------------------------------------------------ the true loss


def descent(rates, batches, weight=1.0):
    """Losses and weights of one weight w on (w - target)^2, by hand."""
    w, losses = 0.0, []
    for rate, target in zip(rates, batches, strict=False):
        losses.append(weight * (w - target) ** 2)
        w -= rate * weight * 2 * (w - target)
    return np.array(losses)


def one_weight(**how):
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")]
    )
    model.compile(optimizers.SGD(0.5), "mse", **how)
    return model


TARGETS = np.array([3.0, -1.0, 2.0, 5.0, 0.5, 1.0, 4.0, -2.0], "float32")


@pytest.mark.parametrize("how", WAYS, ids=str)
def test_records_the_loss_of_each_batch(how):
    x = np.ones((8, 1), "float32")
    finder = callbacks.LearningRateFinder(0.01, 0.3, steps=16, divergence=None)
    curve = finder.find(one_weight(**how), x, TARGETS, batch_size=1, shuffle=False)
    rates = np.geomspace(0.01, 0.3, 16)
    np.testing.assert_allclose(curve.learning_rates, rates)
    expected = descent(rates, [*TARGETS, *TARGETS])
    np.testing.assert_allclose(curve.losses, expected, rtol=1e-4)
    # A running mean, as Keras logs it, would be far from that.
    running = np.cumsum(expected[:8]) / np.arange(1, 9)
    assert np.abs(running - expected[:8]).max() > 1
    assert curve.stop_reason == "finished"


def test_sample_weights_count():
    x = np.ones((8, 1), "float32")
    finder = callbacks.LearningRateFinder(0.01, 0.3, 8, "linear", divergence=None)
    weight = np.full(8, 2.0, "float32")
    curve = finder.find(one_weight(), x, TARGETS, batch_size=1, shuffle=False, sample_weight=weight)
    np.testing.assert_allclose(curve.learning_rates, np.linspace(0.01, 0.3, 8))
    expected = descent(np.linspace(0.01, 0.3, 8), TARGETS, weight=2.0)
    np.testing.assert_allclose(curve.losses, expected, rtol=1e-4)


def test_regularization_and_several_outputs_count():
    inputs = keras.Input((3,))
    outputs = {
        "a": keras.layers.Dense(1, name="a", kernel_regularizer=keras.regularizers.L2(0.3))(inputs),
        "b": keras.layers.Dense(2, name="b")(inputs),
    }
    model = keras.Model(inputs, outputs)
    model.compile(optimizers.SGD(0.01), {"a": "mse", "b": "mae"}, {"a": 1.0, "b": 0.7})
    y = {"a": Y, "b": X[:, :2]}
    expected = model.evaluate(X, y, batch_size=96, verbose=0, return_dict=True)["loss"]
    finder = callbacks.LearningRateFinder(1e-6, 1e-5, steps=2)
    curve = finder.find(model, X, y, batch_size=96)
    assert curve.losses[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.tensorflow
def test_a_training_step_of_ones_own():
    import tensorflow as tf

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
            self.mean = keras.metrics.Mean(name="loss")

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = ops.mean((self(x) - y) ** 2)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            self.mean.update_state(loss)
            return {"loss": self.mean.result()}

    model = Own()
    model.compile(optimizers.SGD(0.5))
    finder = callbacks.LearningRateFinder(0.01, 0.3, steps=16, divergence=None)
    curve = finder.find(
        model, np.ones((8, 1), "float32"), TARGETS[:, None], batch_size=1, shuffle=False
    )
    expected = descent(curve.learning_rates, [*TARGETS, *TARGETS])
    np.testing.assert_allclose(curve.losses, expected, rtol=1e-4)
    np.testing.assert_array_equal(model.get_weights()[0], 0)


@pytest.mark.tensorflow
def test_a_training_step_without_a_loss_is_refused():
    class Silent(keras.Model):
        def call(self, x):
            return x

        def train_step(self, data):
            return {"score": 1.0}

    model = Silent()
    model.compile(optimizers.SGD(0.5))
    with pytest.raises(ValueError, match=r"no `loss` among them. Received: logs=\['score'\]"):
        callbacks.LearningRateFinder().find(model, X, Y)


def test_a_rate_lasts_for_one_update_under_accumulation():
    x = np.ones((8, 1), "float32")
    model = one_weight()
    model.compile(keras.optimizers.SGD(0.5, gradient_accumulation_steps=2), "mse")
    model.fit(x, TARGETS, batch_size=1, epochs=1, steps_per_epoch=3, verbose=0, shuffle=False)
    w = model.get_weights()[0].item()
    # Three batches have gone by: the next one still belongs to the update that has begun.
    finder = callbacks.LearningRateFinder(0.01, 0.3, steps=4, divergence=None)
    curve = finder.find(model, x, TARGETS, batch_size=1, shuffle=False)
    groups, held = [TARGETS[:1], TARGETS[1:3], TARGETS[3:5], TARGETS[5:7]], [TARGETS[2]]
    expected, start = [], 0.0
    for rate, group in zip(np.geomspace(0.01, 0.3, 4), groups, strict=True):
        expected.append(np.mean([(w - t) ** 2 for t in group]))
        slopes = [2 * (start - t) for t in held] + [2 * (w - t) for t in group]
        if held:  # The gradient held back was taken at the weight of that time, the same one.
            slopes[0] = 2 * (w - held[0])
        w, held = w - rate * np.mean(slopes), []
    np.testing.assert_allclose(curve.losses, expected, rtol=1e-4)


# --------------------------------------------------------------------------- all kinds of data


def test_generators_and_datasets():
    finder = callbacks.LearningRateFinder(steps=20, divergence=None)

    class Dataset(keras.utils.PyDataset):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            part = slice(16 * index, 16 * index + 16)
            return X[part], Y[part], np.ones(16)

    assert len(finder.find(network(), Dataset(workers=1)).losses) == 20

    def endless():
        while True:
            yield X[:16], Y[:16]

    model = network()
    assert len(finder.find(model, endless(), shuffle=False).losses) == 20
    assert len(finder.find(model, endless(), shuffle=False, steps_per_epoch=6).losses) == 20
    assert len(finder.find(model, X, Y, 32).losses) == 20
    assert len(finder.find(model, X, Y, validation_split=0.25, batch_size=24).losses) == 20
    whole = finder.find(model, X, Y, validation_data=(X, Y), epochs=3, class_weight=None)
    assert len(whole.losses) == 20


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_a_generator_that_ends():
    def short():
        for _ in range(7):
            yield X[:16], Y[:16]

    finder = callbacks.LearningRateFinder(steps=20, divergence=None)
    curve = finder.find(network(), short(), shuffle=False)
    assert len(curve.losses) == 7
    assert curve.stop_reason == "data ended"


@pytest.mark.tensorflow
def test_tf_data_with_dicts():
    import tensorflow as tf

    inputs = {"left": keras.Input((3,), name="left"), "right": keras.Input((3,), name="right")}
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Add()(list(inputs.values()))))
    model.compile(optimizers.SGD(0.01), "mse")
    data = tf.data.Dataset.from_tensor_slices(({"left": X, "right": X}, Y)).batch(16)
    curve = callbacks.LearningRateFinder(steps=20, divergence=None).find(model, data, shuffle=False)
    assert len(curve.losses) == 20


# ------------------------------------------------------------------------- ends and optimizers


def test_stops_on_divergence_and_on_nan():
    model = one_weight()
    x = np.ones((8, 1), "float32")
    curve = callbacks.LearningRateFinder(0.1, 1e6, 60).find(model, x, TARGETS, batch_size=1)
    assert curve.stop_reason == "diverged"
    assert curve.smoothed[-1] > 4 * curve.smoothed.min()
    assert np.all(curve.smoothed[:-1] <= 4 * np.minimum.accumulate(curve.smoothed[:-1]))
    curve = callbacks.LearningRateFinder(0.1, 1e9, 90, divergence=None).find(
        model, x, TARGETS, batch_size=1
    )
    assert curve.stop_reason == "not finite"
    assert np.all(np.isfinite(curve.losses))
    assert 10 < len(curve.losses) < 90
    np.testing.assert_array_equal(model.get_weights()[0], 0)


@pytest.mark.parametrize("wrap", [False, True])
def test_loss_scaling_is_undone(wrap):
    if not wrap:
        keras.config.set_dtype_policy("mixed_float16")
    optimizer = optimizers.Adam(0.01)
    model = network(
        optimizer=keras.optimizers.LossScaleOptimizer(optimizer, 2.0**20) if wrap else optimizer
    )
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    model.fit(X, Y, batch_size=16, verbose=0)
    before = everything(model)
    curve = callbacks.LearningRateFinder(steps=15).find(model, X, Y, batch_size=16)
    assert len(curve.losses) > 5
    assert_same(before, everything(model))


WRAPPED = {
    "lookahead": lambda: optimizers.Lookahead(optimizers.Adam(0.01), sync_period=3),
    "swa": lambda: optimizers.SWA(optimizers.Momentum(0.01), 1, 2),
    "adaptive clip": lambda: optimizers.AdaptiveClip(keras.optimizers.Adam(0.01)),
    "both": lambda: optimizers.SWA(optimizers.Lookahead(keras.optimizers.SGD(0.01), 2), 2, 3),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(
        optimizers.Lookahead(optimizers.SGD(0.01), 2), initial_scale=2.0**20
    ),
}


@pytest.mark.parametrize("interrupted", [False, True])
@pytest.mark.parametrize("make", WRAPPED.values(), ids=WRAPPED)
def test_wrapped_optimizers_are_restored(make, interrupted):
    model = network(optimizer=make())
    model.fit(X, Y, batch_size=16, verbose=0)
    before, rate = everything(model), float(ops.convert_to_numpy(model.optimizer.learning_rate))
    finder = callbacks.LearningRateFinder(1e-4, 1.0, steps=12, divergence=None)
    if interrupted:
        with pytest.raises(KeyboardInterrupt):
            finder.find(model, X, Y, batch_size=16, callbacks=[Trap(KeyboardInterrupt(), 8)])
        assert finder.result.stop_reason == "interrupted"
    else:
        assert len(finder.find(model, X, Y, batch_size=16).losses) == 12
    assert_same(before, everything(model))
    assert float(ops.convert_to_numpy(model.optimizer.learning_rate)) == rate


def test_dicts_of_arrays_with_sample_weights():
    inputs = {"left": keras.Input((3,), name="left"), "right": keras.Input((3,), name="right")}
    outputs = keras.layers.Dense(1, kernel_initializer="zeros")(
        keras.layers.Add()(list(inputs.values()))
    )
    model = keras.Model(inputs, outputs)
    model.compile(optimizers.SGD(0.01), "mse")
    weight = np.linspace(0.0, 3.0, 96).astype("float32")
    curve = callbacks.LearningRateFinder(1e-6, 1e-5, steps=2).find(
        model, {"left": X, "right": X}, Y, batch_size=96, sample_weight=weight
    )
    assert curve.losses[0] == pytest.approx(np.mean(weight * Y[:, 0] ** 2), rel=1e-5)


@pytest.mark.tensorflow
def test_under_mirrored_strategy():
    import tensorflow as tf

    # Reduced on one device: collective operations of several strategies in one process collide.
    reduction = tf.distribute.ReductionToOneDevice()
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], reduction).scope():
        model = network(optimizer=optimizers.SGD(0.01, momentum=0.9), unseeded=False)
    model.fit(X, Y, batch_size=16, verbose=0)
    before = everything(model)
    curve = callbacks.LearningRateFinder(steps=10).find(model, X, Y, batch_size=16)
    assert len(curve.losses) == 10
    assert_same(before, everything(model))


def test_averaged_weights_are_restored():
    model = network(optimizer=keras.optimizers.SGD(0.01, use_ema=True))
    model.optimizer.build(model.trainable_variables)

    def values():
        return [ops.convert_to_numpy(v).copy() for v in model.variables + model.optimizer.variables]

    before = values()  # The end of each `fit` writes the averages into the weights.
    callbacks.LearningRateFinder(steps=10).find(model, X, Y, batch_size=16)
    assert_same(before, values())


def test_as_a_callback_of_fit():
    model = network()
    model.fit(X, Y, batch_size=16, verbose=0)
    before = everything(model)
    finder = callbacks.LearningRateFinder(steps=20, divergence=None)
    assert finder.result is None
    history = model.fit(X, Y, batch_size=16, epochs=50, verbose=0, callbacks=[finder])
    assert len(history.epoch) == 4  # Six batches an epoch.
    assert len(finder.result.losses) == 20
    assert_same(before, everything(model))
    model.fit(X, Y, batch_size=16, epochs=2, verbose=0, callbacks=[finder])
    assert finder.result.stop_reason == "data ended"
    assert len(finder.result.losses) == 12


def test_restore_by_hand_after_an_interrupted_fit():
    model = network()
    model.fit(X, Y, batch_size=16, verbose=0)
    before = everything(model)
    finder = callbacks.LearningRateFinder()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, verbose=0, callbacks=[finder, Trap(KeyboardInterrupt(), 2)])
    finder.restore()
    finder.restore()
    assert_same(before, everything(model))


# ------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("kwargs", "argument"),
    [
        ({"min_learning_rate": 0.0}, "min_learning_rate"),
        ({"max_learning_rate": 1e-8}, "max_learning_rate"),
        ({"steps": 1}, "steps"),
        ({"sweep": "cosine"}, "sweep"),
        ({"smoothing": 1.0}, "smoothing"),
        ({"divergence": 1.0}, "divergence"),
    ],
)
def test_wrong_arguments(kwargs, argument):
    with pytest.raises(ValueError, match=rf"^Argument `{argument}` must .*Received: {argument}="):
        callbacks.LearningRateFinder(**kwargs)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10)),
        lambda: optimizers.SGD(schedules.CosineDecay(0.1, 10)),
        lambda: keras.optimizers.LossScaleOptimizer(
            keras.optimizers.SGD(schedules.CosineDecay(0.1, 10))
        ),
    ],
)
def test_a_schedule_as_learning_rate_is_refused(optimizer):
    model = network(optimizer=optimizer())
    with pytest.raises(ValueError, match=r"already given by CosineDecay. Compile the model with a"):
        callbacks.LearningRateFinder().find(model, X, Y)
    with pytest.raises(ValueError, match="already given by CosineDecay"):
        model.fit(X, Y, verbose=0, callbacks=[callbacks.LearningRateFinder()])


def test_models_it_cannot_sweep():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match=r"needs a compiled model: call `model.compile"):
        callbacks.LearningRateFinder().find(model, X, Y)
    if not hasattr(keras.optimizers, "MultiOptimizer"):
        return
    kinds = keras.optimizers.OptimizerMap(keras.optimizers.SGD())
    model.compile(keras.optimizers.MultiOptimizer(kinds), "mse")
    with pytest.raises(ValueError, match="MultiOptimizer has several"):
        callbacks.LearningRateFinder().find(model, X, Y)
    with pytest.raises(TypeError, match="by position"):
        callbacks.LearningRateFinder().find(network(), X, Y, 16, 3)
