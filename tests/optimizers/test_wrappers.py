"""Optimizers around another: Lookahead, SWA, AdaptiveClip."""

import keras
import numpy as np
import optimizer_cases as cases
import pytest
from keras import ops

from keras_dlnotes import optimizers

INNER = [lambda: optimizers.Adam(0.1), lambda: keras.optimizers.SGD(0.1, momentum=0.5)]
GRADIENTS = np.random.default_rng(0).normal(size=(13, 3)).astype("float32")


def plain_points(inner, gradients, weight):
    """The weights before and after every step of the inner optimizer alone."""
    points = [cases.numbers([weight])]
    for gradient in gradients:
        cases.step(inner, [ops.convert_to_tensor(gradient)], [weight])
        points.append(cases.numbers([weight]))
    return points


@pytest.mark.parametrize("inner", INNER)
def test_lookahead_follows_its_algorithm(inner):
    weight, alone = cases.variable(np.ones(3)), cases.variable(np.ones(3))
    wrapped, single = optimizers.Lookahead(inner(), 4, 0.3), inner()
    slow = cases.numbers([weight])
    for index, gradient in enumerate(GRADIENTS, 1):
        gradient = ops.convert_to_tensor(gradient)
        cases.step(wrapped, [gradient], [weight])
        cases.step(single, [gradient], [alone])
        if index % 4 == 0:
            slow = slow + 0.3 * (cases.numbers([alone]) - slow)
            alone.assign(slow)
        np.testing.assert_allclose(cases.numbers([weight]), cases.numbers([alone]), atol=1e-6)


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize(("start", "period"), [(0, 5), (3, 2)])
def test_swa_is_the_mean_of_its_points(inner, start, period):
    points = plain_points(inner(), GRADIENTS, cases.variable(np.ones(3)))
    weight, wrapped = cases.variable(np.ones(3)), optimizers.SWA(inner(), start, period)
    for gradient in GRADIENTS:
        cases.step(wrapped, [ops.convert_to_tensor(gradient)], [weight])
    np.testing.assert_allclose(cases.numbers([weight]), points[-1], atol=1e-6)
    wrapped.assign_average_vars([weight])
    mean = np.mean(points[start + 1 :: period], axis=0)
    np.testing.assert_allclose(cases.numbers([weight]), mean, atol=1e-6)


def test_swa_before_its_start_changes_nothing():
    weight, wrapped = cases.variable([1.0]), optimizers.SWA(optimizers.SGD(0.5), 5, 1)
    cases.step(wrapped, [ops.array([1.0])], [weight])
    wrapped.finalize_variable_values([weight])
    np.testing.assert_allclose(cases.numbers([weight]), [0.5])


def test_swa_passes_over_variables_it_does_not_average():
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(1)]
    )
    model.compile(optimizers.SWA(optimizers.SGD(0.1), average_period=1), "mse")
    x = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
    model.fit(x, x[:, :1], batch_size=8, verbose=0)
    before = model.get_weights()
    model.optimizer.assign_average_vars(model.variables)  # As `fit` has done already.
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_adaptive_clip_by_hand():
    kernel, bias = cases.variable([[3.0, 0.0], [4.0, 0.0]]), cases.variable([0.0, 2.0])
    optimizer = optimizers.AdaptiveClip(optimizers.SGD(1.0), clipping=0.1, epsilon=0.5)
    gradients = [ops.array([[0.0, 3.0], [9.0, 4.0]]), ops.array([0.06, 0.08])]
    cases.step(optimizer, gradients, [kernel, bias])
    # Column norms 5 and 0 (0.5 at least): limits 0.5 and 0.05. The bias of norm 2: 0.2, not met.
    expected = [3, -0.05 * 3 / 5, 3.5, -0.05 * 4 / 5, -0.06, 1.92]
    np.testing.assert_allclose(cases.numbers([kernel, bias]), expected, atol=1e-6)


@pytest.mark.parametrize(
    "wrap",
    [optimizers.Lookahead, optimizers.SWA, optimizers.AdaptiveClip],
    ids=lambda c: c.__name__,
)
def test_wrappers_in_fit_are_saved_and_pass_settings_on(wrap, tmp_path):
    x = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(wrap(optimizers.Adam(0.01, loss_scale_factor=8.0)), "mse")
    model.fit(x, x[:, :1], batch_size=8, verbose=0, shuffle=False)
    model.optimizer.learning_rate = 0.02
    assert float(model.optimizer.inner_optimizer.learning_rate) == pytest.approx(0.02)
    assert int(model.optimizer.iterations) == 4
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, copy):
        each.fit(x, x[:, :1], batch_size=8, epochs=2, verbose=0, shuffle=False)
    np.testing.assert_array_equal(model.get_weights()[0], copy.get_weights()[0])


def test_wrappers_refuse_what_is_no_optimizer():
    with pytest.raises(TypeError, match="`inner_optimizer` must be a Keras optimizer"):
        optimizers.Lookahead(3)
    with pytest.raises(ValueError, match="`sync_period` must be an integer of at least 1"):
        optimizers.Lookahead("sgd", sync_period=0)


def test_on_jax_a_loss_scale_stays_outside(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())
    with pytest.raises(ValueError, match=r"outermost optimizer: `LossScaleOptimizer\(Lookahead"):
        optimizers.Lookahead(scaled)
