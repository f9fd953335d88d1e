"""Every schedule against Keras' own where there is one, and against a formula in NumPy."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from keras_dlnotes import schedules

KERAS = keras.optimizers.schedules
STEPS = [*range(60), 99, 100, 101, 1000, 12345]

#: (name, positional and keyword arguments), each tried on both sides.
WITH_A_PEER = [
    ("ExponentialDecay", (0.1, 10, 0.5), {}),
    ("ExponentialDecay", (0.1, 7.5, 0.96), {"staircase": True}),
    ("InverseTimeDecay", (0.1, 1.0, 0.5), {}),
    ("InverseTimeDecay", (0.1, 10, 2.0), {"staircase": True}),
    ("PolynomialDecay", (0.1, 10), {}),
    ("PolynomialDecay", (0.1, 7, 0.01, 0.5), {"cycle": True}),
    ("PolynomialDecay", (0.1, 10, 0.01), {"power": 2.0, "cycle": True}),
    ("PolynomialDecay", (0.0, 10, 0.3, 1.0), {}),
    ("PiecewiseConstantDecay", ([3, 10, 50], [0.1, 0.05, 0.01, 0.001]), {}),
    ("PiecewiseConstantDecay", ([2.5], [0.1, 0.2]), {}),
    ("CosineDecay", (0.1, 10), {}),
    ("CosineDecay", (0.1, 10, 0.2), {}),
    ("CosineDecay", (0.0, 20), {"warmup_target": 0.3, "warmup_steps": 10}),
    ("CosineDecay", (0.01, 20, 0.1), {"warmup_target": 0.3, "warmup_steps": 0}),
    ("CosineDecay", (0.01, 20, 0.1), {"warmup_steps": 5}),
    ("CosineDecayRestarts", (0.1, 10), {"t_mul": 1.0}),
    ("CosineDecayRestarts", (0.1, 9, 1.0, 0.5, 0.1), {}),
    ("CosineDecayRestarts", (0.1, 10, 2.0, 0.7, 0.1), {}),
    ("CosineDecayRestarts", (0.1, 10, 1.7, 0.9), {}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), WITH_A_PEER)
def test_equals_keras(name, args, kwargs):
    ours, peer = getattr(schedules, name)(*args, **kwargs), getattr(KERAS, name)(*args, **kwargs)
    expected = [float(peer(ops.convert_to_tensor(step, "int32"))) for step in STEPS]
    at = np.ones(len(STEPS), bool)
    if name == "CosineDecayRestarts":  # On JAX, Keras comes late for some restarts.
        full = [*args, *(2.0, 1.0, 0.0)[len(args) - 2 :]]
        full[2] = kwargs.get("t_mul", full[2])
        at = np.isclose(expected, [restarts(step, *full) for step in STEPS], atol=1e-3)
        assert np.mean(at) > 0.9
    np.testing.assert_allclose(ours.curve(STEPS)[at], np.array(expected)[at], rtol=1e-5, atol=1e-6)
    # Config and constructor are interchangeable in the direction users go.
    assert (
        type(ours).from_config(peer.get_config()).get_config().items()
        >= {**peer.get_config()}.items()
    )


@pytest.mark.parametrize("name", sorted({name for name, _, _ in WITH_A_PEER}))
def test_takes_the_arguments_of_keras_in_their_order(name):
    import inspect

    ours = inspect.signature(getattr(schedules, name)).parameters
    peer = inspect.signature(getattr(KERAS, name)).parameters
    assert list(ours)[: len(peer)] == list(peer)
    assert [ours[p].default for p in peer] == [peer[p].default for p in peer]
    assert all(p.kind is p.KEYWORD_ONLY for p in list(ours.values())[len(peer) :])


def restarts(step, start, first, t_mul, m_mul, alpha):
    """Period after period, counted out, in exact arithmetic."""
    length, top, begin = first, 1.0, 0.0
    while step >= begin + length:
        begin, length, top = begin + length, length * t_mul, top * m_mul
    half = 0.5 * (1 + math.cos(math.pi * (step - begin) / length))
    return start * ((1 - alpha) * top * half + alpha)


@pytest.mark.parametrize("t_mul", [1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("first", [1, 3, 10, 64])
def test_restarts_fall_on_their_own_step(t_mul, first):
    # m_mul=1 makes a restart that comes a step late as wrong as can be: alpha in place of 1.
    schedule = schedules.CosineDecayRestarts(1.0, first, t_mul)
    steps = range(3000)
    expected = [restarts(step, 1.0, first, t_mul, 1.0, 0.0) for step in steps]
    np.testing.assert_allclose(schedule.curve(steps), expected, atol=2e-4)


def test_warm_up_before_restarts():
    warm = schedules.CosineDecayRestarts(
        0.1, 4, m_mul=0.5, alpha=0.1, warmup_target=0.5, warmup_steps=8
    )
    plain = schedules.CosineDecayRestarts(0.5, 4, m_mul=0.5, alpha=0.1)
    np.testing.assert_allclose(warm.curve(8), 0.1 + 0.4 * np.arange(8) / 8, rtol=1e-6)
    np.testing.assert_allclose(warm.curve(range(8, 40)), plain.curve(32), rtol=1e-6)


def test_step_decay_is_a_staircase():
    ours = schedules.StepDecay(0.5, 10, 0.5).curve(STEPS)
    np.testing.assert_allclose(ours, [0.5 * 0.5 ** (step // 10) for step in STEPS], rtol=1e-6)


@pytest.mark.parametrize("size", [3, 7, 10, 49, 103])
def test_edges_stand_in_compiled_code_too(size):
    """A compiler may divide by multiplying with a reciprocal, which misses whole quotients."""
    steps = np.arange(0, 40 * size)
    periods, rest = steps // size, steps % size
    expected = {
        schedules.StepDecay(1.0, size, 0.9): 0.9**periods,
        schedules.ExponentialDecay(1.0, size, 0.9, staircase=True): 0.9**periods,
        schedules.InverseTimeDecay(1.0, size, 0.5, staircase=True): 1 / (1 + 0.5 * periods),
        schedules.PolynomialDecay(1.0, size, 0.0, cycle=True): 1
        - steps / (size * np.maximum(-(-steps // size), 1)),
        schedules.CosineDecayRestarts(1.0, size, 1.0): 0.5 * (1 + np.cos(np.pi * rest / size)),
    }
    for schedule, curve in expected.items():
        np.testing.assert_allclose(compiled(schedule)(steps), curve, atol=1e-5)


def compiled(schedule):
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(schedule, jit_compile=True)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(schedule.__call__)
    return lambda steps: schedule.curve(steps)


def addons_cyclical(step, low, high, step_size, mode, gamma):
    """The formula of the paper's appendix, as TensorFlow Addons has it."""
    cycle = math.floor(1 + step / (2 * step_size))
    x = abs(step / step_size - 2 * cycle + 1)
    scale = {"triangular": 1.0, "triangular2": 0.5 ** (cycle - 1), "exp_range": gamma**step}[mode]
    return low + (high - low) * max(0.0, 1 - x) * scale


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
@pytest.mark.parametrize("step_size", [1, 7, 20])
def test_cyclical_equals_the_paper(mode, step_size):
    ours = schedules.Cyclical(0.01, 0.3, step_size, mode, 0.99).curve(STEPS)
    expected = [addons_cyclical(step, 0.01, 0.3, step_size, mode, 0.99) for step in STEPS]
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


def test_cyclical_stays_exact_after_many_cycles():
    # A phase computed as a difference of two large ratios would be off by about 1e-3 here.
    schedule = schedules.Cyclical(0.0, 1.0, 10)
    np.testing.assert_allclose(schedule.curve([10**7 + 3]), [0.3], rtol=1e-5)


def test_cyclical_up_and_down_at_different_speeds():
    ours = schedules.Cyclical(0.0, 1.0, 2, step_size_down=8).curve(13)
    down = [1 - k / 8 for k in range(8)]
    np.testing.assert_allclose(ours, [0.0, 0.5, *down, 0.0, 0.5, 1.0], atol=1e-6)


CYCLES = [
    {},
    {"anneal_strategy": "linear"},
    {"pct_start": 0.1, "div_factor": 10.0, "final_div_factor": 100.0},
    {"pct_start": 0.4, "three_phase": True},
    {"pct_start": 0.25, "three_phase": True, "anneal_strategy": "linear"},
    {"pct_start": 0.0},
    {"pct_start": 1.0},
]


@pytest.mark.parametrize("kwargs", CYCLES)
@pytest.mark.parametrize("total", [7, 40, 123])
def test_one_cycle_equals_torch(total, kwargs):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1, momentum=0.9)
    peer = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=0.3,
        total_steps=total,
        **kwargs,
    )
    rates, momenta = [], []
    for step in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        if step < total - 1:
            peer.step()
    ours = schedules.OneCycle(0.3, total, **kwargs)
    np.testing.assert_allclose(ours.curve(total), rates, rtol=1e-4, atol=1e-8)
    np.testing.assert_allclose(ours.momentum().curve(total), momenta, rtol=1e-5)


@pytest.mark.parametrize("anneal", ["cos", "linear"])
def test_one_cycle_landmarks(anneal):
    cycle = schedules.OneCycle(0.5, 100, 0.3, anneal, div_factor=10.0, final_div_factor=1000.0)
    rates = cycle.curve(200)
    np.testing.assert_allclose(rates[[0, 29, 99, 150]], [0.05, 0.5, 5e-5, 5e-5], rtol=1e-5)
    assert np.all(np.diff(rates[:30]) > 0)
    assert np.all(np.diff(rates[29:100]) < 0)
    momenta = cycle.momentum(0.8, 0.9).curve(200)
    np.testing.assert_allclose(momenta[[0, 29, 99, 150]], [0.9, 0.8, 0.9, 0.9], rtol=1e-6)
    middle = {"linear": (0.05 + 0.5) / 2, "cos": (0.05 + 0.5) / 2}[anneal]
    assert cycle.curve([14.5])[0] == pytest.approx(middle, rel=1e-5)
    quarter = {"linear": 0.25, "cos": (1 - math.cos(math.pi / 4)) / 2}[anneal]
    assert cycle.curve([7.25])[0] == pytest.approx(0.05 + 0.45 * quarter, rel=1e-5)


@pytest.mark.parametrize("total", [1, 2, 3, 4])
@pytest.mark.parametrize("three_phase", [False, True])
def test_one_cycle_of_a_few_steps_stays_finite(total, three_phase):
    cycle = schedules.OneCycle(0.3, total, three_phase=three_phase)
    rates = cycle.curve(10)
    assert np.all(np.isfinite(rates))
    assert np.all((rates > 0) & (rates <= 0.3))
    assert rates[-1] == pytest.approx(0.3 / 25 / 1e4, rel=1e-5)


def test_a_schedule_drives_a_compiled_step():
    schedule = schedules.OneCycle(0.4, 8, div_factor=4.0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    jit = keras.backend.backend() != "torch"
    # A loss with slope -1 in the weight: each step moves it by the rate itself.
    model.compile(keras.optimizers.SGD(schedule), lambda y, p: -p, jit_compile=jit)
    seen = [0.0]

    class Note(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(float(self.model.get_weights()[0][0, 0]))

    model.set_weights([np.zeros((1, 1))])
    x = np.ones((8, 1), "float32")
    model.fit(x, x, batch_size=1, epochs=1, verbose=0, shuffle=False, callbacks=[Note()])
    np.testing.assert_allclose(np.diff(seen), schedule.curve(8), rtol=1e-5, atol=3e-7)


@pytest.mark.parametrize("name", schedules.__all__)
def test_dtype_and_shape(name):
    from samples.schedules import SAMPLES

    schedule = SAMPLES[name].make()
    one = schedule(ops.convert_to_tensor(3, "int32"))
    assert keras.backend.standardize_dtype(one.dtype) == "float32"
    assert schedule.curve(np.arange(6).reshape(2, 3)).shape == (2, 3)
    assert schedule.curve(0).shape == (0,)
    assert schedule(3).shape == ()
    again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(schedule))
    np.testing.assert_array_equal(again.curve(50), schedule.curve(50))


WRONG = [
    (lambda: schedules.ExponentialDecay(-0.1, 10, 0.5), "initial_learning_rate"),
    (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "decay_steps"),
    (lambda: schedules.ExponentialDecay(0.1, 10, -0.5), "decay_rate"),
    (lambda: schedules.ExponentialDecay(0.1, 10, 0.5, "yes"), "staircase"),
    (lambda: schedules.InverseTimeDecay(0.1, -1, 0.5), "decay_steps"),
    (lambda: schedules.StepDecay(0.1, 0), "decay_steps"),
    (lambda: schedules.PolynomialDecay(0.1, 0), "decay_steps"),
    (lambda: schedules.PolynomialDecay(0.1, 10, power=-1), "power"),
    (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]), "values"),
    (lambda: schedules.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]), "boundaries"),
    (lambda: schedules.PiecewiseConstantDecay([2], [0.1, "x"]), r"values\[1\]"),
    (lambda: schedules.CosineDecay(0.1, 0), "decay_steps"),
    (lambda: schedules.CosineDecay(0.1, 10, warmup_target=-1.0), "warmup_target"),
    (lambda: schedules.CosineDecay(0.1, 10, warmup_target=1.0, warmup_steps=-1), "warmup_steps"),
    (lambda: schedules.CosineDecayRestarts(0.1, 0), "first_decay_steps"),
    (lambda: schedules.CosineDecayRestarts(0.1, 10, t_mul=0.5), "t_mul"),
    (lambda: schedules.Cyclical(0.1, 0.2, 0), "step_size"),
    (lambda: schedules.Cyclical(0.1, 0.2, 5, "square"), "mode"),
    (lambda: schedules.Cyclical(0.1, 0.2, 5, gamma=1.5), "gamma"),
    (lambda: schedules.OneCycle(0.0, 100), "max_learning_rate"),
    (lambda: schedules.OneCycle(0.1, 0), "total_steps"),
    (lambda: schedules.OneCycle(0.1, None), "total_steps"),
    (lambda: schedules.OneCycle(0.1, 100, 1.5), "pct_start"),
    (lambda: schedules.OneCycle(0.1, 100, 0.6, three_phase=True), "pct_start"),
    (lambda: schedules.OneCycle(0.1, 100, anneal_strategy="cosine"), "anneal_strategy"),
    (lambda: schedules.OneCycle(0.1, 100, div_factor=0), "div_factor"),
    (lambda: schedules.OneCycleMomentum(100, base_momentum=1.0), "base_momentum"),
    (lambda: schedules.StepDecay(0.1, 10).curve(-1), "steps"),
]


@pytest.mark.parametrize(("make", "argument"), WRONG)
def test_wrong_arguments(make, argument):
    with pytest.raises(ValueError, match=rf"^Argument `{argument}` must .*Received: {argument}="):
        make()
