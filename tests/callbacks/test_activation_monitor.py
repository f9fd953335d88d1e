"""ActivationMonitor against what the layers put out, layer by layer in NumPy."""

import keras
import numpy as np
import pytest

from keras_dlnotes.callbacks import ActivationMonitor, GradientMonitor
from keras_dlnotes.callbacks.taps import gradient_taps

BACKEND = keras.backend.backend()
in_training = pytest.mark.skipif(BACKEND == "jax", reason="JAX needs a sample batch")
COMPILE = [{}] if BACKEND == "torch" else [{}, {"jit_compile": True}, {"run_eagerly": True}]


def net(rate=0.0, hidden="relu", **how):
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Dense(6, hidden, name="hidden"),
        keras.layers.Dense(2, "sigmoid", name="out"),
    ]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(keras.optimizers.SGD(rate), "mse", **how)
    return model


def data():
    x = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
    return x, np.abs(x[:, :2])


def outputs(model, x):
    w1, b1, w2, b2 = model.get_weights()
    h = np.maximum(x @ w1 + b1, 0)
    return h, 1 / (1 + np.exp(-(h @ w2 + b2)))


def fit(model, *callbacks, **kwargs):
    x, y = data()
    return model.fit(
        x, y, batch_size=8, shuffle=False, verbose=0, callbacks=list(callbacks), **kwargs
    )


@in_training
@pytest.mark.parametrize("how", COMPILE, ids=str)
def test_training_batches_are_measured_as_they_pass(how):
    model, monitor = net(**how), ActivationMonitor(on_problem=None, histograms=True)
    x, _ = data()
    validation = (100 * x, np.zeros((24, 2)))  # must not be seen
    fit(model, monitor, epochs=2, validation_data=validation)
    assert monitor.source == "training batches"
    for name, y in zip(("hidden", "out"), outputs(model, x), strict=True):
        batches = y.reshape(3, 8, -1)
        expected = {
            "activation_mean": batches.mean((1, 2)),
            "activation_std": batches.std((1, 2)),
            "activation_zeros": (batches == 0).mean((1, 2)),
        }
        for statistic, values in expected.items():
            mine = monitor.history[statistic]
            np.testing.assert_allclose(mine[name], [values.mean()] * 2, rtol=1e-4, atol=1e-6)
            lowest = monitor.history[statistic + "_min"][name]
            np.testing.assert_allclose(lowest, [values.min()] * 2, rtol=1e-4, atol=1e-6)
        assert monitor.histogram_history[0]["activation"][name].sum() == y.size


@pytest.mark.parametrize("on_sample", [True, pytest.param(False, marks=in_training)])
@pytest.mark.parametrize("how", COMPILE, ids=str)
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_other_precisions_are_measured_in_full(policy, how, on_sample):
    """As many numbers as half precision could not even count."""
    keras.config.set_dtype_policy(policy)
    x = np.random.default_rng(0).normal(size=(900, 4)).astype("float32")
    monitor = ActivationMonitor(on_problem=None, histograms=True, sample=x if on_sample else None)
    model = net(**how)
    model.fit(x, x[:, :2], batch_size=900, verbose=0, callbacks=[monitor])
    y = keras.ops.convert_to_numpy(keras.ops.cast(model.layers[0](x), "float32"))
    for statistic, value in {"mean": y.mean(), "std": y.std(), "zeros": (y == 0).mean()}.items():
        mine = monitor.history[f"activation_{statistic}"]["hidden"]
        np.testing.assert_allclose(mine, [value], rtol=1e-3, err_msg=statistic)
    assert monitor.histogram_history[0]["activation"]["hidden"].sum() == y.size


class Mean(keras.layers.Layer):
    """Its output is one number, without axes."""

    def call(self, x):
        return keras.ops.mean(x)


@in_training
@pytest.mark.parametrize("how", COMPILE, ids=str)
def test_units_are_along_the_channels_wherever_these_are(how):
    x = np.random.default_rng(0).normal(size=(8, 3, 5)).astype("float32")
    x[:, 1] = -1.0
    middle = keras.layers.ReLU(name="channels")
    middle.data_format = "channels_first"
    last = keras.layers.ReLU(name="last")
    inputs = keras.Input((3, 5))
    scalar = Mean(name="scalar")(last(inputs) + middle(inputs))
    outputs = keras.layers.Dense(5)(inputs) * keras.ops.reshape(scalar, (1, 1, 1))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.0), "mse", **how)
    monitor = ActivationMonitor(include="channels|last|scalar", on_problem=None)
    model.fit(x, x, batch_size=8, verbose=0, callbacks=[monitor])
    assert {name: list(units) for name, units in monitor.dead_units.items()} == {
        "channels": [1],
        "last": [],
    }
    active = np.maximum(x, 0)
    for name, y in (("channels", active), ("last", active), ("scalar", 2 * active.mean())):
        found = [monitor.history["activation_" + what][name][0] for what in ("mean", "std")]
        np.testing.assert_allclose(found, [np.mean(y), np.std(y)], rtol=1e-5, atol=1e-6)


@in_training
def test_dead_units_are_counted_and_named():
    model = net()
    w1, b1, w2, b2 = model.get_weights()
    b1[[1, 4]] = -100.0
    b1[0], w1[:, 0] = 0.0, 0.0
    w1[0, 0] = 1.0  # active for some batches only: not dead
    model.set_weights([w1, b1, w2, b2])
    seen = []
    monitor = ActivationMonitor(on_problem=seen.append, dead=0.3)
    fit(model, monitor)
    assert monitor.dead_units["hidden"].tolist() == [1, 4]
    assert monitor.history["dead_units"]["hidden"].tolist() == [2]
    (problem,) = seen
    assert "2 of 6 units of hidden were never active in the epoch (1, 4)" in problem.message
    assert "out" not in monitor.history["dead_units"]


@in_training
@pytest.mark.parametrize("hidden", ["sigmoid", "tanh"])
def test_saturation(hidden):
    model = net(hidden=hidden)
    weights = model.get_weights()
    weights[0] = weights[0] * 100
    model.set_weights(weights)
    monitor = ActivationMonitor(on_problem=None)
    fit(model, monitor)
    z = data()[0] @ weights[0] + weights[1]
    y = np.tanh(z) if hidden == "tanh" else 0.5 + 0.5 * np.tanh(z / 2)
    slope = 1 - y * y if hidden == "tanh" else 4 * y * (1 - y)
    np.testing.assert_allclose(
        monitor.history["activation_saturated"]["hidden"], [(slope < 0.05).mean()], atol=1e-6
    )
    assert [problem.layers for problem in monitor.problems] == [("hidden",)]
    assert f"Saturated {hidden} in hidden" in monitor.report()


class MadeLate(keras.Model):
    """Its layers, and those of the model within, come to be when the first batch comes."""

    def __init__(self, depth):
        super().__init__(name=f"late_{depth}")
        self.depth = depth

    def build(self, shape):
        self.first = keras.layers.Dense(3, "tanh", name=f"first_{self.depth}")
        self.rest = MadeLate(self.depth - 1) if self.depth else keras.layers.Dense(2, name="out")

    def call(self, x):
        return self.rest(self.first(x))


@pytest.mark.parametrize("on_sample", [True, pytest.param(False, marks=in_training)])
def test_layers_that_building_makes_are_watched(on_sample):
    x, _ = data()
    model, monitor = MadeLate(1), ActivationMonitor(sample=x if on_sample else None)
    model.compile(keras.optimizers.SGD(0.0), "mse")
    for _ in range(2):
        fit(model, monitor, epochs=1)
        assert set(monitor.history["activation_mean"]) == {"first_1", "first_0", "out"}
    w, b = model.first.get_weights()
    mean = monitor.history["activation_mean"]["first_1"]
    np.testing.assert_allclose(mean, [np.tanh(x @ w + b).mean()] * 2, rtol=1e-4, atol=1e-6)
    for layer in (model, *model._flatten_layers()):
        assert "call" not in vars(layer)


def test_sample_batch_and_it_says_so(tmp_path):
    model = net(rate=0.1)
    x, _ = data()
    monitor = ActivationMonitor(tmp_path, sample=x[:5], on_problem=None)
    fit(model, monitor, epochs=2)
    hidden, out = outputs(model, x[:5])
    np.testing.assert_allclose(
        monitor.history["activation_mean"]["hidden"][-1], hidden.mean(), 1e-4
    )
    np.testing.assert_allclose(monitor.history["activation_std"]["out"][-1], out.std(), 1e-4)
    assert "from sample batch" in monitor.report()
    assert not [layer for layer in model.layers if "call" in layer.__dict__]


@pytest.mark.skipif(BACKEND != "jax", reason="elsewhere no sample is needed")
def test_jax_asks_for_a_sample():
    with pytest.raises(ValueError, match="`sample` must be a batch of inputs"):
        fit(net(), ActivationMonitor())


@in_training
def test_beside_the_gradient_monitor_and_no_trace_is_left(tmp_path):
    model = net(rate=0.1)
    fit(model)
    before = {k for k, v in model.optimizer.__dict__.items() if callable(v)}
    gradients, activations = GradientMonitor(tmp_path, on_problem=None), ActivationMonitor(tmp_path)
    for order in ([gradients, activations], [activations, gradients]):
        fit(model, *order, epochs=2)
    assert len(gradients.history["epoch"]) == len(activations.history["epoch"]) == 4
    assert {k for k, v in model.optimizer.__dict__.items() if callable(v)} == before
    assert not [layer for layer in model.layers if "call" in layer.__dict__]
    alone = ActivationMonitor()
    fit(net(rate=0.1), keras.callbacks.Callback(), epochs=1)
    fit(model, alone, alone)
    assert len(alone.history["epoch"]) == 1


@in_training
def test_another_fit_beside_the_gradient_monitor_is_not_traced_again(monkeypatch):
    traced, make = [], gradient_taps.make_step
    monkeypatch.setattr(gradient_taps, "make_step", lambda model: traced.append(1) or make(model))
    model, (x, _) = net(), data()
    monitors = [ActivationMonitor(on_problem=None), GradientMonitor(on_problem=None)]
    for _ in range(2):
        fit(model, *monitors)
        for name, y in zip(("hidden", "out"), outputs(model, x), strict=True):
            mean = monitors[0].history["activation_mean"][name][-1]
            np.testing.assert_allclose(mean, y.mean(), rtol=1e-4)
    assert len(traced) == 1
    fit(model, monitors[0])  # Alone it leaves another trace.
    assert len(traced) == 2
    assert len(monitors[0].history["epoch"]) == 3


@in_training
@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
def test_tensorboard_tags_and_a_layout_for_both(tmp_path):
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.plugins.custom_scalar import layout_pb2

    monitors = [GradientMonitor(tmp_path, on_problem=None), ActivationMonitor(tmp_path)]
    fit(net(), *monitors)
    events = event_accumulator.EventAccumulator(str(tmp_path / "train"))
    events.Reload()
    tags = set(events.Tags()["tensors"])
    assert {"epoch_activation_std/hidden", "epoch_dead_units/hidden"} <= tags
    assert "epoch_activation_spread" in tags  # the picture
    last = events.Tensors("custom_scalars__config__")[-1].tensor_proto.string_val[0]
    titles = [category.title for category in layout_pb2.Layout.FromString(last).category]
    assert sorted(titles) == ["Activations", "Gradients"]


def test_csv_plot_and_report(tmp_path):
    import csv

    pytest.importorskip("matplotlib")
    x, _ = data()
    monitor = ActivationMonitor(
        tmp_path, sample=x, csv=tmp_path / "activations.csv", on_problem=None
    )
    fit(net(rate=0.1), monitor, epochs=2)
    with open(tmp_path / "activations.csv") as file:
        rows = list(csv.DictReader(file))
    assert [(row["epoch"], row["name"]) for row in rows] == [
        *(("0", "hidden"), ("0", "out")),
        *(("1", "hidden"), ("1", "out")),
    ]
    for statistic in ("activation_mean", "activation_zeros", "dead_units"):
        mine = [float(row[statistic]) for row in rows if row["name"] == "hidden"]
        np.testing.assert_allclose(mine, monitor.history[statistic]["hidden"], rtol=1e-6)
    assert rows[1]["dead_units"] == "nan"  # a sigmoid has none
    for statistic in ("activation_std", "dead_units"):
        drawn = {line.get_label(): line for line in monitor.plot(statistic).lines}
        np.testing.assert_allclose(
            drawn["hidden"].get_ydata(), monitor.history[statistic]["hidden"]
        )
    assert monitor.report().startswith("Activations of epoch 2, from sample batch")


@in_training
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_outputs_that_are_no_numbers_are_told_of(value):
    model = net(0.0, "tanh")
    model.get_layer("out").kernel.assign(np.full((6, 2), value))
    model.layers[-1].activation = keras.activations.linear
    monitor = ActivationMonitor(on_problem=None)
    fit(model, monitor)
    # The first of three batches hands its gradient back, and the next ones find no weights.
    (found,) = monitor.problems
    assert (found.kind, found.layers) == ("nonfinite", ("hidden", "out"))
    assert found.value == pytest.approx(2 / 3)
    assert "infinities or NaN in 67% of the batches from hidden on" in found.message
    assert "Non-finite outputs" in monitor.report()


def test_errors_come_before_training():
    for kwargs in ({"dead": 0}, {"saturated": 2}, {"histograms": 1}, {"on_problem": 1}):
        with pytest.raises(ValueError, match=f"`{next(iter(kwargs))}` must be"):
            ActivationMonitor(**kwargs)
    with pytest.raises(ValueError, match=r"must leave some layer to watch.*hidden, out"):
        fit(net(), ActivationMonitor(include="conv", sample=data()[0]))
