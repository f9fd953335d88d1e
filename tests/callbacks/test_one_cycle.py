"""The cycle of rate and momentum: its numbers, its length, its place after a restart."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_dlnotes import callbacks, optimizers, schedules

BACKEND = keras.backend.backend()
X = np.ones((40, 3), "float32")
Y = X[:, :1]


def network(optimizer=None, **how):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer or optimizers.SGD(0.01, momentum=0.9), "mse", **how)
    return model


def number(value):
    return float(ops.convert_to_numpy(value))


class Watch(keras.callbacks.Callback):
    """What the optimizer really holds while each batch is trained."""

    def __init__(self):
        super().__init__()
        self.rates, self.momenta = [], []

    def on_train_batch_end(self, batch, logs=None):
        optimizer = self.model.optimizer
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        self.rates.append(number(optimizer.learning_rate))
        name = "momentum" if hasattr(optimizer, "momentum") else "beta_1"
        self.momenta.append(getattr(optimizer, name))


@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize("anneal", ["cos", "linear"])
def test_is_the_schedule_and_its_momentum(three_phase, anneal):
    model, watch = network(), Watch()
    cycle = callbacks.OneCycle(0.2, None, 0.4, anneal, 10.0, 100.0, three_phase)
    history = model.fit(X, Y, batch_size=8, epochs=4, verbose=0, callbacks=[cycle, watch]).history
    same = schedules.OneCycle(0.2, 20, 0.4, anneal, 10.0, 100.0, three_phase)
    np.testing.assert_allclose(watch.rates, same.curve(20), rtol=1e-5)
    np.testing.assert_allclose(watch.momenta, same.momentum().curve(20), rtol=1e-6)
    np.testing.assert_allclose(cycle.history["learning_rate"], watch.rates, rtol=1e-6)
    assert cycle.history["step"] == list(range(20))
    np.testing.assert_allclose(history["learning_rate"], same.curve(20)[4::5], rtol=1e-5)
    np.testing.assert_allclose(history["momentum"], watch.momenta[4::5], rtol=1e-6)


def test_trains_like_the_schedule_inside_the_optimizer():
    weights = []
    one = schedules.OneCycle(0.1, 20)
    for inside in (True, False):
        keras.utils.set_random_seed(0)
        if inside:
            model, extra = network(optimizers.SGD(one, momentum=one.momentum())), []
        else:
            model, extra = network(), [callbacks.OneCycle(0.1)]
        model.fit(X, Y, batch_size=8, epochs=4, verbose=0, shuffle=False, callbacks=extra)
        weights.append(model.get_weights()[0])
    np.testing.assert_allclose(*weights, rtol=1e-5)


@pytest.mark.tensorflow
@pytest.mark.parametrize("how", [{}, {"jit_compile": True}, {"run_eagerly": True}], ids=str)
def test_compiles_one_step_only(how):
    traces = []

    class Counting(keras.layers.Layer):
        def call(self, inputs):
            traces.append(1)
            return inputs

    model = keras.Sequential([keras.Input((3,)), Counting(), keras.layers.Dense(1)])
    model.compile(optimizers.Adam(0.01), "mse", **how)
    traces.clear()
    model.fit(X, Y, batch_size=8, verbose=0, callbacks=[callbacks.OneCycle(0.1)])
    count = len(traces)
    model.fit(X, Y, batch_size=8, epochs=3, verbose=0, callbacks=[callbacks.OneCycle(0.1)])
    assert len(traces) == (4 * count if how.get("run_eagerly") else count)


@pytest.mark.parametrize(
    ("optimizer", "name"),
    [
        (lambda: optimizers.Momentum(0.1), "momentum"),
        (lambda: optimizers.Nesterov(0.1), "momentum"),
        (lambda: optimizers.Adam(0.1), "beta_1"),
        (lambda: optimizers.Adamax(0.1), "beta_1"),
        (lambda: optimizers.RMSProp(0.1, momentum=0.5), "momentum"),
        (lambda: keras.optimizers.LossScaleOptimizer(optimizers.AdamW(0.1)), "beta_1"),
    ],
)
def test_finds_the_momentum_of(optimizer, name):
    model = network(optimizer())
    cycle = callbacks.OneCycle(0.1, cycle_momentum=True, base_momentum=0.7, max_momentum=0.8)
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[cycle])
    inner = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    assert getattr(inner, name) == pytest.approx(0.8)
    assert [cycle.history["momentum"][step] for step in (0, 2, 9)] == pytest.approx([0.8, 0.7, 0.8])
    assert number(inner.learning_rate) == pytest.approx(0.1 / 25 / 1e4, rel=1e-5)


# ------------------------------------------------------------------- momentum that cannot be set


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(0.1, momentum=0.9),
        lambda: keras.optimizers.Adam(0.1),
        lambda: optimizers.Momentum(0.1, momentum=schedules.OneCycleMomentum(20)),
    ],
)
def test_momentum_that_cannot_be_set(optimizer):
    built = network(optimizer())
    built.optimizer.build(built.trainable_variables)
    with pytest.raises(ValueError, match=r"cannot drive the momentum.*cycle_momentum=False`\.$"):
        built.fit(X, Y, verbose=0, callbacks=[callbacks.OneCycle(0.2, cycle_momentum=True)])
    cycle = callbacks.OneCycle(0.2)
    with pytest.warns(UserWarning, match="Only the learning rate follows the cycle"):
        built.fit(X, Y, batch_size=8, verbose=0, callbacks=[cycle])
    assert "momentum" not in cycle.history
    assert len(cycle.history["learning_rate"]) == 5
    cycle = callbacks.OneCycle(0.2, cycle_momentum=False)
    built.fit(X, Y, batch_size=8, verbose=0, callbacks=[cycle])
    assert number(built.optimizer.learning_rate) == pytest.approx(0.2 / 25 / 1e4, rel=1e-5)


@pytest.mark.parametrize(
    "optimizer", [lambda: keras.optimizers.SGD(0.1), lambda: optimizers.Adagrad(0.1)]
)
def test_no_momentum_is_no_reason_to_warn(optimizer):
    cycle = callbacks.OneCycle(0.2)
    network(optimizer()).fit(X, Y, batch_size=8, verbose=0, callbacks=[cycle])
    assert "momentum" not in cycle.history
    with pytest.raises(ValueError, match="cannot drive the momentum"):
        network(optimizer()).fit(
            X, Y, verbose=0, callbacks=[callbacks.OneCycle(0.2, cycle_momentum=True)]
        )


# -------------------------------------------------------------------------- length and place


def rates_of(cycle):
    return cycle.history["learning_rate"]


def whole(steps):
    return schedules.OneCycle(0.1, steps).curve(steps)


def test_resumes_at_the_initial_epoch():
    first, second = callbacks.OneCycle(0.1, total_steps=30), callbacks.OneCycle(0.1)
    model = network()
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[first])
    model.fit(X, Y, batch_size=8, initial_epoch=2, epochs=6, verbose=0, callbacks=[second])
    np.testing.assert_allclose(rates_of(first) + rates_of(second), whole(30), rtol=1e-5)
    assert second.history["step"] == list(range(10, 30))


def test_resumes_after_a_backup(tmp_path):
    class Crash(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 3:
                raise RuntimeError("power cut")

    model, first, second = network(), callbacks.OneCycle(0.1), callbacks.OneCycle(0.1)
    model.build((None, 3))

    def backup():
        return keras.callbacks.BackupAndRestore(tmp_path / "backup")

    with pytest.raises(RuntimeError, match="power cut"):
        model.fit(X, Y, batch_size=8, epochs=6, verbose=0, callbacks=[backup(), first, Crash()])
    again = network()
    again.fit(X, Y, batch_size=8, epochs=6, verbose=0, callbacks=[backup(), second])
    np.testing.assert_allclose(rates_of(first) + rates_of(second), whole(30), rtol=1e-5)


def test_one_callback_goes_on_through_several_fits():
    model, cycle = network(), callbacks.OneCycle(0.1, total_steps=30)
    for _ in range(6):
        model.fit(X, Y, batch_size=8, verbose=0, callbacks=[cycle])
    np.testing.assert_allclose(rates_of(cycle), whole(30), rtol=1e-5)
    model.fit(X, Y, batch_size=8, verbose=0, callbacks=[cycle])  # The cycle is over: a new one.
    np.testing.assert_allclose(rates_of(cycle), whole(30)[:5], rtol=1e-5)


def test_each_fit_is_a_cycle_of_its_own():
    model, cycle = network(), callbacks.OneCycle(0.1)
    for _ in range(2):
        model.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[cycle])
        np.testing.assert_allclose(rates_of(cycle), whole(10), rtol=1e-5)


def test_begins_where_it_is_told():
    cycle = callbacks.OneCycle(0.1, total_steps=30, initial_step=12)
    network().fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[cycle])
    np.testing.assert_allclose(rates_of(cycle), whole(30)[12:22], rtol=1e-5)


def test_the_schedule_object_goes_on_with_the_iterations(tmp_path):
    model = network(optimizers.SGD(schedules.OneCycle(0.1, 30)))
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    model.save(tmp_path / "half.keras")
    again = keras.saving.load_model(tmp_path / "half.keras")
    assert number(again.optimizer.learning_rate) == pytest.approx(whole(30)[10], rel=1e-5)


def endless():
    while True:
        yield X[:8], Y[:8]


def test_data_without_a_length():
    with pytest.raises(ValueError, match="Pass `total_steps` to it or `steps_per_epoch` to `fit`"):
        network().fit(
            endless(), epochs=2, verbose=0, shuffle=False, callbacks=[callbacks.OneCycle(0.1)]
        )
    cycle = callbacks.OneCycle(0.1)
    network().fit(
        endless(), epochs=2, steps_per_epoch=5, verbose=0, shuffle=False, callbacks=[cycle]
    )
    np.testing.assert_allclose(rates_of(cycle), whole(10), rtol=1e-5)


class StopAfter(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = batch == 4


def test_data_of_unknown_length_with_total_steps():
    model, cycles = network(), [callbacks.OneCycle(0.1, total_steps=10) for _ in range(2)]
    for epoch, cycle in enumerate(cycles):
        # The second callback knows nothing of the first; the optimizer's iterations say where.
        model.fit(
            endless(),
            initial_epoch=epoch,
            epochs=epoch + 1,
            verbose=0,
            shuffle=False,
            callbacks=[cycle, StopAfter()],
        )
    np.testing.assert_allclose(rates_of(cycles[0]) + rates_of(cycles[1]), whole(10), rtol=1e-5)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_a_batch_that_never_came_is_not_counted():
    cycle = callbacks.OneCycle(0.1, total_steps=10)
    data = ((X[:8], Y[:8]) for _ in range(5))
    network().fit(data, verbose=0, shuffle=False, callbacks=[cycle])
    np.testing.assert_allclose(rates_of(cycle), whole(10)[:5], rtol=1e-5)


@pytest.mark.skipif(BACKEND == "torch", reason="torch knows no steps_per_execution")
def test_steps_per_execution_sets_the_rate_once_for_each():
    cycle = callbacks.OneCycle(0.1)
    model = network(steps_per_execution=2)
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[cycle])
    np.testing.assert_allclose(rates_of(cycle), whole(10)[[0, 2, 4, 5, 7, 9]], rtol=1e-5)


def test_a_step_is_a_batch_under_accumulation():
    model = network(optimizers.SGD(0.1, momentum=0.9, gradient_accumulation_steps=2))
    cycle = callbacks.OneCycle(0.1)
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[cycle])
    np.testing.assert_allclose(rates_of(cycle), whole(10), rtol=1e-5)


@pytest.mark.tensorflow
def test_under_mirrored_strategy():
    import tensorflow as tf

    # Reduced on one device: collective operations of several strategies in one process collide.
    reduction = tf.distribute.ReductionToOneDevice()
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], reduction).scope():
        model = network()
    cycle, watch = callbacks.OneCycle(0.1), Watch()
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[cycle, watch])
    np.testing.assert_allclose(watch.rates, whole(10), rtol=1e-5)
    momenta = schedules.OneCycleMomentum(10).curve(10)
    np.testing.assert_allclose(watch.momenta, momenta, rtol=1e-6)


# ------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("kwargs", "argument"),
    [
        ({"max_learning_rate": 0.0}, "max_learning_rate"),
        ({"total_steps": 0}, "total_steps"),
        ({"pct_start": 2.0}, "pct_start"),
        ({"anneal_strategy": "cosine"}, "anneal_strategy"),
        ({"div_factor": -1.0}, "div_factor"),
        ({"cycle_momentum": "yes"}, "cycle_momentum"),
        ({"base_momentum": 1.0}, "base_momentum"),
        ({"max_momentum": -0.1}, "max_momentum"),
        ({"initial_step": -1}, "initial_step"),
    ],
)
def test_wrong_arguments(kwargs, argument):
    with pytest.raises(ValueError, match=rf"^Argument `{argument}` must .*Received: {argument}="):
        callbacks.OneCycle(**{"max_learning_rate": 0.1, **kwargs})


def test_a_schedule_as_learning_rate_is_refused():
    model = network(optimizers.SGD(schedules.StepDecay(0.1, 10)))
    with pytest.raises(ValueError, match="already given by StepDecay"):
        model.fit(X, Y, verbose=0, callbacks=[callbacks.OneCycle(0.1)])
