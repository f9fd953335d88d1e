"""GradientMonitor against gradients worked out by hand in NumPy, in every way of training."""

import copy
import warnings

import keras
import numpy as np
import pytest

from keras_dlnotes import optimizers, plots
from keras_dlnotes.callbacks import GradientMonitor
from keras_dlnotes.callbacks.measures import (
    gradient_buffer,
    gradient_recorder,
    gradient_statistics,
)
from keras_dlnotes.callbacks.taps import gradient_taps

BACKEND = keras.backend.backend()
COMPILE = [{}] if BACKEND == "torch" else [{}, {"jit_compile": True}, {"run_eagerly": True}]
RATE, BATCH = 0.5, 8


def watch(**kwargs):
    """A monitor that keeps quiet: these nets learn faster than is healthy."""
    return GradientMonitor(on_problem=None, **kwargs)


def data(n=32):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(n, 5)).astype("float32")
    return x, np.tanh(x[:, :3]) * 2


def net(optimizer=None, **how):
    """Two layers whose gradients ``replay`` knows."""
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(7, "tanh", name="hidden"), keras.layers.Dense(3, name="out")]
    model = keras.Sequential([keras.Input((5,)), *layers], name="net")
    model.compile(optimizer or keras.optimizers.SGD(RATE), "mse", **how)
    return model


def gradients(weights, x, y):
    """Backpropagation by hand, for a mean squared error."""
    w1, b1, w2, b2 = weights
    h = np.tanh(x @ w1 + b1)
    p = h @ w2 + b2
    dp = 2 * (p - y) / p.size
    dz = (dp @ w2.T) * (1 - h * h)
    return [x.T @ dz, dz.sum(0), h.T @ dp, dp.sum(0)]


def replay(model, x, y, epochs=1, clip=None, micro=1, batch=BATCH):
    """Every step of a fit without shuffling: what each statistic must be, by variable."""
    weights = [w.astype("float64") for w in model.get_weights()]
    names = [v.path for v in model.trainable_variables]
    epoch_rows, kept = [], []
    for _ in range(epochs):
        rows = []
        for i in range(0, len(x), batch):
            kept.append(gradients(weights, x[i : i + batch], y[i : i + batch]))
            if len(kept) < micro:
                continue
            raw, kept = [sum(g) / micro for g in zip(*kept, strict=True)], []
            used = [g if clip is None else clip(g) for g in raw]
            new = [w - RATE * g for w, g in zip(weights, used, strict=True)]
            rows.append(dict(zip(names, map(facts, raw, used, weights, new), strict=True)))
            weights = new
        epoch_rows.append(rows)
    return epoch_rows


def facts(raw, used, before, after):
    return {
        "gradient_norm": np.linalg.norm(raw),
        "clipped_norm": np.linalg.norm(used),
        "gradient_mean": used.mean(),
        "gradient_std": used.std(),
        "gradient_max": np.abs(used).max(),
        "gradient_zeros": (used == 0).mean(),
        "weight_norm": np.linalg.norm(after),
        "update_ratio": np.linalg.norm(after - before) / np.linalg.norm(before)
        if before.any()
        else np.nan,
    }


def compare(history, expected, rtol=2e-4):
    """Means, extremes and last values of every statistic of every variable."""
    for epoch, rows in enumerate(expected):
        for name in rows[0]:
            for statistic in rows[0][name]:
                values = np.array([row[name][statistic] for row in rows])
                values = values[np.isfinite(values)]
                for suffix, reduce in (("", np.mean), ("_min", np.min), ("_max", np.max)):
                    mine = history[statistic + suffix][name][epoch]
                    note = f"{name} {statistic}{suffix}"
                    np.testing.assert_allclose(mine, reduce(values), rtol, 1e-7, err_msg=note)
                last = history[statistic + "_last"][name][epoch]
                np.testing.assert_allclose(last, values[-1], rtol, 1e-7, err_msg=f"{name} last")
        hidden = ["net/hidden/kernel", "net/hidden/bias"]
        everything = list(rows[0])
        for group, members in (("hidden", hidden), ("global", everything)):
            squares = [[row[name]["gradient_norm"] ** 2 for name in members] for row in rows]
            norms = np.sqrt(np.sum(squares, 1))
            np.testing.assert_allclose(
                history["gradient_norm"][group][epoch], norms.mean(), rtol, err_msg=group
            )


def fit(model, monitor, epochs=2, callbacks=(), batch=BATCH, **kwargs):
    x, y = data()
    return model.fit(
        x,
        y,
        batch_size=batch,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=[monitor, *callbacks],
        **kwargs,
    )


@pytest.mark.parametrize("how", COMPILE, ids=str)
def test_every_number_of_every_step(how):
    model, monitor = net(**how), watch()
    expected = replay(model, *data(), epochs=2)
    fit(model, monitor)
    compare(monitor.history, expected)
    assert monitor.history["steps"].tolist() == [4, 4]
    assert monitor.history["epoch"].tolist() == [0, 1]
    assert "Gradients of epoch 2," in monitor.report()  # as Keras prints it: 2/2


@pytest.mark.tensorflow
@pytest.mark.parametrize("how", [{}, {"steps_per_execution": 2}], ids=str)
def test_norms_that_xla_measures(how, monkeypatch):
    monkeypatch.setattr(gradient_statistics, "LARGE", 3)
    model, monitor = net(**how), watch()
    expected = replay(model, *data(), epochs=2)
    fit(model, monitor)
    compare(monitor.history, expected)


CLIPS = {
    "clipnorm": (0.1, lambda g: g * min(1, 0.1 / np.linalg.norm(g))),
    "clipvalue": (0.02, lambda g: np.clip(g, -0.02, 0.02)),
}


@pytest.mark.parametrize("sgd", [keras.optimizers.SGD, optimizers.SGD], ids=["keras", "ours"])
@pytest.mark.parametrize("name", CLIPS)
def test_norms_before_and_after_clipping(name, sgd):
    value, clip = CLIPS[name]
    model, monitor = net(sgd(RATE, **{name: value})), watch()
    expected = replay(model, *data(), epochs=2, clip=clip)
    fit(model, monitor)
    compare(monitor.history, expected)
    assert "clipped" in monitor.report()


@pytest.mark.parametrize("sgd", [keras.optimizers.SGD, optimizers.SGD], ids=["keras", "ours"])
def test_accumulated_gradients_are_those_that_train(sgd):
    model = net(sgd(RATE, gradient_accumulation_steps=2))
    monitor = watch()
    expected = replay(model, *data(), epochs=2, micro=2)
    fit(model, monitor)
    compare(monitor.history, expected)
    assert monitor.history["steps"].tolist() == [2, 2]


def test_loss_scale_factor_is_divided_out():
    model = net(keras.optimizers.SGD(RATE, loss_scale_factor=64.0))
    monitor = watch()
    expected = replay(model, *data())
    fit(model, monitor, epochs=1)
    compare(monitor.history, expected)


@pytest.mark.parametrize(
    "how", [{}] if BACKEND == "torch" else [{}, {"jit_compile": True}], ids=str
)
def test_loss_scale_and_skipped_steps(how):
    inner = keras.optimizers.SGD(1e-6)
    # A loss of some hundreds overflows float32 at first; each skipped step halves the scale.
    model = net(keras.optimizers.LossScaleOptimizer(inner, initial_scale=2.0**127), **how)
    monitor, (x, y) = watch(), data()
    model.fit(x, 30 * y, batch_size=8, epochs=3, verbose=0, callbacks=[monitor])
    history = monitor.history
    assert history["skipped"].sum() + history["steps"].sum() == 12
    assert 0 < history["skipped"].sum() < 12
    np.testing.assert_allclose(history["loss_scale"], 2.0 ** (127 - np.cumsum(history["skipped"])))
    assert history["nonfinite"]["global"].sum() == 0  # what was skipped has trained nothing
    assert "skipped" in monitor.report()


def test_loss_scale_leaves_the_numbers_alone():
    inner = keras.optimizers.SGD(RATE)
    model = net(keras.optimizers.LossScaleOptimizer(inner, initial_scale=1024.0))
    expected = replay(model, *data(), epochs=2)
    monitor = watch()
    fit(model, monitor)
    compare(monitor.history, expected)


SGDS = {"keras": keras.optimizers.SGD, "ours": optimizers.SGD}
AROUND = {
    "lookahead": lambda inner: optimizers.Lookahead(inner, sync_period=100),
    "swa": lambda inner: optimizers.SWA(inner, 2, 3),
    "both": lambda inner: optimizers.SWA(optimizers.Lookahead(inner, 100), 2, 3),
    "scaled": lambda inner: keras.optimizers.LossScaleOptimizer(
        optimizers.Lookahead(inner, 100), initial_scale=64.0
    ),
}
if BACKEND != "jax":  # where a loss scale has to be the outermost
    AROUND["scaled inside"] = lambda inner: optimizers.Lookahead(
        keras.optimizers.LossScaleOptimizer(inner, initial_scale=64.0), 100
    )


@pytest.mark.parametrize("sgd", SGDS)
@pytest.mark.parametrize("name", AROUND)
def test_optimizers_around_optimizers(name, sgd):
    model, monitor = net(AROUND[name](SGDS[sgd](RATE))), watch()
    expected = replay(model, *data(), epochs=2)
    fit(model, monitor)
    compare(monitor.history, expected)
    assert monitor.history["steps"].tolist() == [4, 4]
    scaled = np.isfinite(monitor.history["loss_scale"])
    assert scaled.all() if "scaled" in name else not scaled.any()


AROUND_A_CLIP = {
    "alone": lambda clip: clip,
    "in lookahead": lambda clip: optimizers.Lookahead(clip, 100),
    "scaled": lambda clip: keras.optimizers.LossScaleOptimizer(clip, initial_scale=64.0),
}


@pytest.mark.parametrize("factor", [None, 16.0])
@pytest.mark.parametrize("sgd", SGDS)
@pytest.mark.parametrize("name", AROUND_A_CLIP)
def test_norms_before_and_after_a_clip_around_the_optimizer(name, sgd, factor):
    inner = SGDS[sgd](RATE, loss_scale_factor=factor)
    model = net(AROUND_A_CLIP[name](optimizers.AdaptiveClip(inner, 0.001)))
    monitor, (x, y) = watch(), data()
    weights = [v.numpy() for v in model.trainable_variables]
    fit(model, monitor, epochs=1, batch=len(x))
    for variable, weight, gradient in zip(
        model.trainable_variables, weights, gradients(weights, x, y), strict=True
    ):
        axis = 0 if weight.ndim == 2 else None
        limit = 0.001 * np.maximum(np.linalg.norm(weight, axis=axis), 1e-3)
        clipped = gradient * np.minimum(1, limit / np.linalg.norm(gradient, axis=axis))
        for statistic, value in (("gradient_norm", gradient), ("clipped_norm", clipped)):
            mine = monitor.history[statistic][variable.path][0]
            np.testing.assert_allclose(mine, np.linalg.norm(value), 2e-4, err_msg=variable.path)
    assert "clipped" in monitor.report()


def test_a_clip_around_accumulated_gradients():
    """It clips the micro-batches, and what trains is their mean."""
    inner = keras.optimizers.SGD(RATE, gradient_accumulation_steps=2)
    model, monitor = net(optimizers.AdaptiveClip(inner, 0.001)), watch()
    fit(model, monitor)
    assert monitor.history["steps"].tolist() == [2, 2]
    norms = monitor.history["gradient_norm"]["global"]
    np.testing.assert_array_equal(norms, monitor.history["clipped_norm"]["global"])
    assert norms.max() < 0.01


@pytest.mark.parametrize("how", COMPILE, ids=str)
def test_variables_that_are_updated_in_stacks(how):
    def history(optimizer):
        keras.utils.set_random_seed(1)
        layers = [keras.layers.Dense(5, "tanh", name=f"hidden_{i}") for i in range(3)]
        out = keras.layers.Dense(3, name="out")
        model = keras.Sequential([keras.Input((5,)), *layers, out], name="net")
        model.compile(optimizer, "mse", **how)
        monitor = watch(details=1)
        fit(model, monitor)
        return monitor.history

    ours = history(optimizers.Momentum(0.1))
    theirs = history(keras.optimizers.SGD(0.1, momentum=0.9))
    tables = {name: table for name, table in theirs.items() if isinstance(table, dict)}
    assert "gradient_norm" in tables
    for statistic, table in tables.items():
        for name, values in table.items():
            note = f"{statistic} {name}"
            np.testing.assert_allclose(ours[statistic][name], values, 1e-4, 1e-7, err_msg=note)


@pytest.mark.skipif(not hasattr(keras.optimizers, "MultiOptimizer"), reason="new in Keras 3.15")
@pytest.mark.parametrize("accumulate", [None, 2])
def test_several_optimizers_in_one_model(accumulate):
    members = [
        keras.optimizers.SGD(RATE, name=name, gradient_accumulation_steps=accumulate)
        for name in ("one", "two")
    ]
    choose = {"net/hidden/kernel": 0, "net/hidden/bias": 1}
    model = net(keras.optimizers.MultiOptimizer(lambda v: members[choose.get(v.path, 1)]))
    monitor = watch()
    expected = replay(model, *data(), epochs=2, micro=accumulate or 1)
    fit(model, monitor)
    compare(monitor.history, expected)


@pytest.mark.parametrize("per_execution", [1] if BACKEND == "torch" else [1, 4])
def test_every_n_steps(per_execution):
    model = net(steps_per_execution=per_execution)
    monitor = watch(every=3)
    expected = replay(model, *data(), epochs=3)
    fit(model, monitor, epochs=3)
    compare(monitor.history, expected)
    steps = [row for rows in expected for row in rows]
    windows = [steps[i : i + 3] for i in range(0, 12, 3)]
    assert monitor.step_history["step"].tolist() == [3, 6, 9, 12]
    compare(monitor.step_history, windows)


@pytest.mark.parametrize("per_execution", [1] if BACKEND == "torch" else [1, 4])
def test_more_steps_than_the_device_keeps(per_execution, monkeypatch):
    monkeypatch.setattr(gradient_buffer, "LENGTH", 5)
    model = net(keras.optimizers.SGD(RATE), steps_per_execution=per_execution)
    monitor, rare = watch(every=3), watch(every=7)
    expected = replay(model, *data(), epochs=2, batch=2)
    fit(model, monitor, batch=2, callbacks=[rare])
    compare(monitor.history, expected)
    compare(rare.history, expected)
    steps = [row for rows in expected for row in rows]
    compare(monitor.step_history, [steps[i : i + 3] for i in range(0, 30, 3)])
    compare(rare.step_history, [steps[i : i + 7] for i in range(0, 28, 7)])
    assert monitor.step_history["step"].tolist() == list(range(3, 33, 3))


def test_each_epoch_has_details():
    model, monitor = net(), watch(details=1000)
    expected = replay(model, *data(), epochs=2)
    fit(model, monitor)
    for epoch in range(2):
        first = expected[epoch][0]["net/out/kernel"]["update_ratio"]
        mine = monitor.history["update_ratio"]["net/out/kernel"][epoch]
        np.testing.assert_allclose(mine, first, 1e-4)
    assert monitor.history["gradient_std"]["out"].all()


def test_details_can_be_rarer_than_norms():
    model, monitor = net(), watch(details=2)
    expected = replay(model, *data())[0]
    fit(model, monitor, epochs=1)
    name = "net/out/kernel"
    norms = [row[name]["gradient_norm"] for row in expected]
    spreads = [row[name]["gradient_std"] for row in expected]
    np.testing.assert_allclose(monitor.history["gradient_norm"][name][0], np.mean(norms), 1e-4)
    rare = np.mean(spreads[::2])
    np.testing.assert_allclose(monitor.history["gradient_std"][name][0], rare, 1e-4)


def test_tiny_gradients_do_not_vanish_in_our_arithmetic():
    model = net()
    monitor = watch()
    model.compile(keras.optimizers.SGD(RATE), "mse", loss_weights=1e-24)
    expected = replay(net(), *data())[0][0]["net/hidden/kernel"]
    fit(model, monitor, epochs=1, batch=32)
    expected = replay(net(), *data(), batch=32)[0][0]["net/hidden/kernel"]
    mine = monitor.history
    for statistic in ("gradient_norm", "gradient_std", "gradient_max"):
        np.testing.assert_allclose(
            mine[statistic]["net/hidden/kernel"][0], expected[statistic] * 1e-24, 1e-3
        )
    assert mine["gradient_norm"]["hidden"][0] > 1e-26


# ------------------------------------------------------------------------- kinds of models


def embedded(optimizer, **how):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Embedding(10, 4, name="table"), keras.layers.Flatten()]
    head = keras.layers.Dense(1, kernel_initializer="ones", name="head")
    model = keras.Sequential([keras.Input((3,), dtype="int32"), *layers, head])
    model.compile(optimizer, "mse", **how)
    return model


@pytest.mark.parametrize("how", COMPILE, ids=str)
@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.optimizers.SGD(0.1),
        lambda: keras.optimizers.Adam(0.1),
        lambda: optimizers.SGD(0.1, rows="lazy"),
        lambda: optimizers.Adam(0.1, rows="lazy", clipnorm=100.0),
        lambda: optimizers.Adam(0.1),
    ],
    ids=["SGD", "Adam", "our SGD", "our lazy Adam", "our Adam"],
)
def test_rows_looked_up_twice_count_once(make, how):
    """With weights of one, the gradient of a row is its count times that of the output."""
    model, monitor = embedded(make(), **how), watch(histograms=1)
    ids, y = np.array([[0, 2, 2], [2, 5, 0]]), np.array([[1.0], [3.0]], "float32")
    table = model.get_weights()[0]
    dp = 2 * (table[ids].sum((1, 2)) - y[:, 0]) / 2
    dense = np.zeros_like(table)
    for row, d in zip(ids, dp, strict=True):
        for i in row:
            dense[i] += d
    model.fit(ids, y, batch_size=2, verbose=0, callbacks=[monitor])
    history = {key: value for key, value in monitor.history.items() if isinstance(value, dict)}
    mine = {key: value["table"][0] for key, value in history.items() if "table" in value}
    np.testing.assert_allclose(mine["gradient_norm"], np.linalg.norm(dense), 1e-5)
    np.testing.assert_allclose(mine["clipped_norm"], np.linalg.norm(dense), 1e-5)
    np.testing.assert_allclose(mine["gradient_mean"], dense.mean(), 1e-4, 1e-6)
    np.testing.assert_allclose(mine["gradient_std"], dense.std(), 1e-4)
    np.testing.assert_allclose(mine["gradient_max"], np.abs(dense).max(), 1e-5)
    np.testing.assert_allclose(mine["gradient_zeros"], (dense == 0).mean(), 1e-5)
    counts = next(iter(monitor.histogram_history[0]["gradient"].values()))
    assert counts.sum() == 40
    assert counts[0] == (dense == 0).sum()


def test_shared_nested_and_frozen_layers():
    shared = keras.layers.Dense(4, name="shared")
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="out")], name="inner")
    frozen = keras.layers.Dense(4, name="frozen", trainable=False)
    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Dense(1, name="out")(inner(frozen(shared(shared(x))))))
    model.compile("sgd", "mse")
    monitor = watch()
    data = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")
    model.fit(*data, verbose=0, callbacks=[monitor])
    assert list(monitor.layer_norms()) == ["shared", "inner/out", "out"] or list(
        monitor.layer_norms()
    ) == ["shared", "out", "out:2"]
    frozen.trainable = True
    model.compile("sgd", "mse")
    model.fit(*data, verbose=0, callbacks=[monitor])
    assert "frozen" in monitor.layer_norms()
    norms = monitor.history["gradient_norm"]["frozen"]
    assert np.isnan(norms[0])
    assert norms[1] > 0
    assert monitor.history["fit"].tolist() == [0, 1]


@pytest.mark.tensorflow
def test_own_train_step_of_a_subclassed_model():
    import tensorflow as tf

    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1, kernel_initializer="ones")

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(self(x, training=True) - y))
            variables = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            return {"loss": loss}

    model = Mine()  # built only by its first step
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x, y = data()
    monitor = watch()
    model.fit(x, y[:, :1], batch_size=32, verbose=0, callbacks=[monitor])
    error = x.sum(1, keepdims=True) - y[:, :1]
    expected = np.linalg.norm(2 * (x * error).mean(0))
    np.testing.assert_allclose(
        monitor.history["gradient_norm"][model.dense.kernel.path], expected, 1e-5
    )


def test_half_precision_compute():
    keras.config.set_dtype_policy("mixed_float16")
    inner = keras.optimizers.SGD(RATE)
    model = net(keras.optimizers.LossScaleOptimizer(inner, initial_scale=128.0))
    monitor = watch()
    expected = replay(model, *data(), epochs=1)
    fit(model, monitor, epochs=1)
    assert monitor.history["steps"].tolist() == [4]
    for name in ("net/hidden/kernel", "net/out/bias"):
        mine = monitor.history["gradient_norm"][name][0]
        mean = np.mean([row[name]["gradient_norm"] for row in expected[0]])
        assert mine == pytest.approx(mean, rel=1e-2)


@pytest.mark.tensorflow
@pytest.mark.parametrize("sgd", [keras.optimizers.SGD, optimizers.SGD], ids=["keras", "ours"])
@pytest.mark.parametrize("scaled", [False, True])
def test_replicas_sum_their_gradients(sgd, scaled):
    import tensorflow as tf

    expected = replay(net(), *data(), epochs=2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    monitor = watch(every=2, histograms=2)
    with strategy.scope():
        optimizer = sgd(RATE)
        if scaled:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=8.0)
        model = net(optimizer)
    fit(model, monitor)
    compare(monitor.history, expected)
    counts = monitor.histogram_history[-1]["gradient"]["net/hidden/kernel"]
    assert counts.sum() == 35 * 2


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "clipping",
    [
        lambda: keras.optimizers.SGD(RATE, clipnorm=0.05),
        lambda: optimizers.AdaptiveClip(keras.optimizers.SGD(RATE), 0.01),
        lambda: optimizers.AdaptiveClip(optimizers.SGD(RATE), 0.01),
    ],
    ids=["its own", "around keras", "around ours"],
)
def test_replicas_before_the_clip(clipping):
    import tensorflow as tf

    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    monitor = watch()
    with strategy.scope():
        model = net(clipping())
    fit(model, monitor, epochs=1, batch=32)
    expected = replay(net(), *data(), batch=32)[0][0]
    for name, row in expected.items():
        mine = monitor.history["gradient_norm"][name][0]
        np.testing.assert_allclose(mine, row["gradient_norm"], 1e-4)
        assert monitor.history["clipped_norm"][name][0] <= 0.05 * 2 + 1e-6


# ------------------------------------------------------------------------ leaving no trace


def state(optimizer):
    """Instance attributes of an optimizer and those inside it, methods included."""
    found = {}
    while optimizer is not None:
        found[optimizer.name] = (
            {k: v for k, v in optimizer.__dict__.items() if callable(v)},
            [v.path for v in optimizer.variables],
        )
        optimizer = getattr(optimizer, "inner_optimizer", None)
    return found


@pytest.mark.parametrize(
    "inside", [lambda o: o, optimizers.Lookahead, optimizers.AdaptiveClip], ids=["", "one", "clip"]
)
def test_model_and_optimizer_are_left_as_they_were(inside, tmp_path):
    model = net(keras.optimizers.LossScaleOptimizer(inside(keras.optimizers.Adam())))
    fit(model, keras.callbacks.Callback(), epochs=1)
    before, attributes = state(model.optimizer), set(model.__dict__)
    during = tmp_path / "during-{epoch}.keras"
    fit(model, watch(), epochs=1, callbacks=[keras.callbacks.ModelCheckpoint(during)])
    assert state(model.optimizer) == before
    assert set(model.__dict__) == attributes
    model.save(tmp_path / "after.keras")
    for name in ("during-1.keras", "after.keras"):
        loaded = keras.saving.load_model(tmp_path / name)
        for mine, theirs in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
            np.testing.assert_array_equal(
                keras.ops.convert_to_numpy(mine), keras.ops.convert_to_numpy(theirs)
            )
    weights = model.get_weights()
    other = net(keras.optimizers.LossScaleOptimizer(inside(keras.optimizers.Adam())))
    fit(other, keras.callbacks.Callback(), epochs=2)
    for mine, theirs in zip(weights, other.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


def test_nothing_is_left_after_an_error_in_a_step():
    x, y = data()

    def batches():
        yield x[:8], y[:8]
        raise OSError("no more data")

    model = net()
    fit(model, keras.callbacks.Callback(), epochs=1)
    before = state(model.optimizer)
    monitor = watch()
    with pytest.raises(Exception, match="no more data"):
        model.fit(batches(), steps_per_epoch=4, shuffle=False, verbose=0, callbacks=[monitor])
    if BACKEND == "tensorflow":  # elsewhere the data are fetched outside the step
        assert state(model.optimizer) == before
    fit(model, monitor, epochs=1)
    assert state(model.optimizer) == before


def test_two_fits_two_models_and_twice_in_the_list():
    model, monitor = net(), watch()
    expected = replay(model, *data(), epochs=4)
    fit(model, monitor, callbacks=[monitor])
    fit(model, monitor)
    assert monitor.history["epoch"].tolist() == [0, 1, 0, 1]
    compare(monitor.history, expected)
    other = net()
    fit(other, monitor)
    assert len(monitor.history["epoch"]) == 2
    compare(monitor.history, expected[:2])


def test_two_monitors_side_by_side():
    model = net()
    first, second = watch(), watch(include="out")
    expected = replay(model, *data(), epochs=2)
    fit(model, first, callbacks=[second])
    compare(first.history, expected)
    np.testing.assert_array_equal(
        first.history["gradient_norm"]["out"], second.history["gradient_norm"]["out"]
    )
    assert not [k for k, v in model.optimizer.__dict__.items() if callable(v) and "apply" in k]


@pytest.mark.parametrize(
    ("kwargs", "watched"),
    [
        ({"include": "kernel"}, ["net/hidden/kernel", "net/out/kernel"]),
        ({"include": "^out$"}, ["net/out/kernel", "net/out/bias"]),
        ({"exclude": ["bias", "hidden"]}, ["net/out/kernel"]),
    ],
    ids=str,
)
def test_include_and_exclude(kwargs, watched):
    monitor = watch(**kwargs)
    model = net()
    expected = replay(model, *data())
    fit(model, monitor, epochs=1)
    norms = monitor.history["gradient_norm"]
    assert [name for name in norms if "/" in name] == watched
    for name in watched:
        mean = np.mean([row[name]["gradient_norm"] for row in expected[0]])
        np.testing.assert_allclose(norms[name], mean, 1e-4)


# ------------------------------------------------------------------ histograms, csv, report


@pytest.mark.parametrize("how", COMPILE, ids=str)
def test_histograms_count_powers_of_two(how):
    model, monitor = net(**how), watch(histograms=2)
    weights = [w.astype("float64") for w in model.get_weights()]
    x, y = data()
    counts = np.zeros(52)
    for i in range(4):
        g = gradients(weights, x[8 * i : 8 * i + 8], y[8 * i : 8 * i + 8])
        if i % 2 == 0:
            power = np.clip(np.floor(np.log2(np.abs(g[0]))) + 41, 0, 51).astype(int)
            counts += np.bincount(power.ravel(), minlength=52)
        weights = [w - RATE * d for w, d in zip(weights, g, strict=True)]
    fit(model, monitor, epochs=1)
    mine = monitor.histogram_history[0]
    # A number on the edge of a bin may be rounded to either side.
    assert np.abs(mine["gradient"]["net/hidden/kernel"] - counts).sum() <= 2
    assert mine["weight"]["net/out/bias"].sum() == 3 * 2
    assert set(mine) == {"epoch", "gradient", "weight", "update"}


@pytest.fixture
def traced(monkeypatch):
    """A list with an entry for each trace of a monitored step."""
    traced, make = [], gradient_taps.make_step
    monkeypatch.setattr(gradient_taps, "make_step", lambda model: traced.append(1) or make(model))
    return traced


@pytest.mark.parametrize("details", ["auto", 10**6])
def test_histograms_and_details_cost_two_traces_of_a_large_model(details, traced, monkeypatch):
    monkeypatch.setattr(gradient_recorder, "SMALL", 0)
    monitor = watch(details=details, histograms=3)
    fit(net(), monitor, epochs=3, batch=4)
    assert len(traced) == 2
    counts = [row["weight"]["net/out/bias"].sum() for row in monitor.histogram_history]
    # Of 24 steps in all, the multiples of 3 and the first of each epoch.
    assert counts == [3 * 3, 3 * 4, 3 * 3]


@pytest.mark.parametrize("how", COMPILE, ids=str)
def test_another_fit_is_not_traced_again(how, traced):
    model, monitor = net(**how), watch(histograms=3)
    expected = replay(model, *data(), epochs=6)
    fit(model, monitor)
    once, step = len(traced), model.train_function
    fit(model, monitor)
    fit(model, monitor, epochs=1)
    assert len(traced) == once
    compare(monitor.history, expected[:5])
    assert monitor.history["fit"].tolist() == [0, 0, 1, 1, 2]
    counts = [row["weight"]["net/out/bias"].sum() for row in monitor.histogram_history]
    assert counts == [3 * 2, 3 * 2, 3 * 2, 3 * 2, 3 * 2]
    assert model.train_function is step  # Keras' own, in which nothing is measured
    fit(model, keras.callbacks.Callback(), epochs=1)
    other = watch()
    replayed = replay(model, *data())
    fit(model, other, epochs=1)
    compare(other.history, replayed)


def test_a_fit_of_a_changed_model_is_traced_anew(traced):
    model, monitor = net(), watch()
    expected = replay(model, *data())
    fit(model, monitor, epochs=1)
    model.compile(keras.optimizers.SGD(RATE, clipvalue=0.01), "mse")
    expected += replay(model, *data(), clip=lambda g: np.clip(g, -0.01, 0.01))
    fit(model, monitor, epochs=1)
    compare(monitor.history, expected)
    model.compile(model.optimizer, "mae")
    fit(model, monitor, epochs=1)
    assert len(traced) == 3
    if BACKEND == "jax":
        return  # where Keras allows no freezing without a new optimizer
    model.layers[0].trainable = False
    fit(model, monitor, epochs=1)
    assert len(traced) == 4
    assert list(monitor.layer_norms()) == ["out"]


def test_the_fit_after_one_that_broke_off_measures_its_own_steps(traced):
    class Breaks(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                raise RuntimeError("broken")

    model, monitor = net(), watch()
    with pytest.raises(RuntimeError, match="broken"):
        fit(model, monitor, callbacks=[Breaks()])
    expected = replay(model, *data(), epochs=2)
    fit(model, monitor)
    compare(monitor.history, expected)
    assert monitor.history["steps"].tolist() == [4, 4]
    assert len(traced) == 1


def test_csv_holds_the_history(tmp_path):
    import csv

    monitor = watch(csv=tmp_path / "gradients.csv")
    fit(net(), monitor)
    with open(tmp_path / "gradients.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 7
    chosen = [row for row in rows if row["name"] == "hidden"]
    assert {row["kind"] for row in chosen} == {"layer"}
    np.testing.assert_allclose(
        [float(row["gradient_norm_max"]) for row in chosen],
        monitor.history["gradient_norm_max"]["hidden"],
        rtol=1e-6,
    )


def test_report_fits_100_columns_and_needs_no_training():
    assert "no epoch" in watch().report()
    name = "a_rather_long_name_for_a_layer_that_somebody_may_well_think_of" * 2
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, name=name)])
    model.compile(keras.optimizers.SGD(0.01, clipnorm=0.1), "mse")
    monitor = watch()
    fit(model, monitor, epochs=1)
    report = monitor.report()
    assert max(map(len, report.splitlines())) <= 100
    assert "global" in report


def test_plot_draws_norms_and_profile():
    pytest.importorskip("matplotlib")
    monitor = watch()
    fit(net(), monitor)
    left, right = monitor.plot()
    norms = monitor.history["gradient_norm"]
    drawn = {line.get_label(): line.get_ydata() for line in left.lines}
    np.testing.assert_allclose(drawn["hidden"], norms["hidden"])
    assert left.get_yscale() == right.get_yscale() == "log"
    profile = next(line for line in right.lines if line.get_label() == "mean")
    np.testing.assert_allclose(profile.get_ydata(), [norms["hidden"][-1], norms["out"][-1]])
    alone = plots.gradient_profile(monitor)
    assert [label.get_text() for label in alone.get_xticklabels()] == ["hidden", "out"]


def test_copies_and_pickles_hold_the_history():
    import pickle

    monitor = watch()
    fit(net(), monitor)
    for twin in (copy.deepcopy(monitor), pickle.loads(pickle.dumps(monitor))):
        np.testing.assert_array_equal(
            twin.history["gradient_norm"]["global"], monitor.history["gradient_norm"]["global"]
        )
        assert twin.report() == monitor.report()
        fit(net(), twin)


# ---------------------------------------------------------------------- problems and errors


def test_problems_warn_stop_or_call():
    seen = []
    for on_problem in ("warn", "stop", seen.append, None):
        model = net(keras.optimizers.SGD(50.0))
        monitor = GradientMonitor(on_problem=on_problem)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            history = fit(model, monitor, epochs=3)
        epochs = len(history.epoch)
        assert epochs == (1 if on_problem == "stop" else 3)
        assert bool([w for w in caught if "Remedy" in str(w.message)]) == (
            on_problem in ("warn", "stop")
        )
        assert monitor.problems
        assert monitor.problems[0].message.split()[0] in monitor.report()
    assert {problem.kind for problem in seen} & {"update_large", "exploding", "nonfinite"}


@pytest.mark.parametrize("how", COMPILE, ids=str)
def test_the_first_infinity_is_found_at_its_step(how):
    x, y = data()
    y[20] = np.inf  # in the third batch of eight
    model, monitor = net(**how), watch()
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0, callbacks=[monitor])
    problem = monitor.problems[0]
    assert problem.kind == "nonfinite"
    assert problem.value == 3
    assert "step 3" in problem.message
    assert monitor.history["first_nonfinite"]["out"][0] == 3
    assert monitor.history["nonfinite"]["net/out/bias"][0] >= 2


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"every": 0}, "`every` must be an integer of at least 1"),
        ({"details": 0.5}, "`details` must be"),
        ({"histograms": -1}, "`histograms` must be"),
        ({"include": "("}, "`include` must be a regular expression"),
        ({"exclude": 3}, "`exclude` must be a regular expression"),
        ({"on_problem": "shout"}, "`on_problem` must be"),
        ({"vanishing": 2}, "`vanishing` must be in"),
        ({"update_ratio": (1, 0.1)}, "`update_ratio` must be"),
        ({"image": 1}, "`image` must be"),
    ],
    ids=str,
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        GradientMonitor(**kwargs)


def test_errors_come_before_training(tmp_path):
    model = net()
    weights = model.get_weights()
    with pytest.raises(ValueError, match=r"`include`.*must leave some.*conv.*net/hidden/kernel"):
        fit(model, watch(include="conv"))
    (tmp_path / "file").write_text("")
    for argument in ({"log_dir": tmp_path / "file" / "logs"}, {"csv": tmp_path / "file" / "a.csv"}):
        with pytest.raises(ValueError, match=r"must lie in a directory that can be written"):
            fit(model, watch(**argument))
    plain = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match=r"compile"):
        fit(plain, watch())
    loop = keras.callbacks.CallbackList([watch()], model=plain)
    with pytest.raises(ValueError, match=r"GradientMonitor needs a model compiled"):
        loop.on_train_begin()
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert not [k for k, v in model.optimizer.__dict__.items() if callable(v) and "apply" in k]
