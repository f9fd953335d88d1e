"""Each optimizer against its formula: one step by hand, then trajectories in NumPy."""

import keras
import numpy as np
import optimizer_cases as cases
import pytest
from keras import ops

from keras_dlnotes import optimizers

BACKEND = keras.backend.backend()
ROOT = np.sqrt

# From w = 1 with the gradients 2 and -1, learning rate 0.5: the weights after one step and two.
BY_HAND = [
    (optimizers.GradientDescent, {}, 1 - 1.0, 0 + 0.5),
    (optimizers.SGD, {}, 1 - 1.0, 0 + 0.5),
    (optimizers.SGD, {"momentum": 0.5}, 1 - 1.0, 0 - (0.5 * 1.0 - 0.5)),
    (optimizers.Momentum, {"momentum": 0.5}, 1 - 1.0, 0.0),
    # v = 0.5 * 0 + 0.5 * 2 = 1, then 0.5 * 1 + 0.5 * -1 = 0: the notes' second form.
    (optimizers.Momentum, {"momentum": 0.5, "dampening": 0.5}, 1 - 0.5 * 1, 0.5 - 0.5 * 0),
    # v = 1, step 0.5 * 1 + 1; v = 0.5 * 1 - 0.5 = 0, step 0 - 0.5.
    (optimizers.Nesterov, {"momentum": 0.5}, 1 - 1.5, -0.5 + 0.5),
    (
        optimizers.Adagrad,
        {"initial_accumulator_value": 0.0, "epsilon": 0.0},
        1 - 0.5 * 2 / 2,
        0.5 + 0.5 * 1 / ROOT(5),
    ),
    # average 0.5 * 4 = 2, delta 1 / sqrt(3) * 2, its average 0.5 * 4 / 3; average 0.5 * 2 + 0.5.
    (
        optimizers.Adadelta,
        {"rho": 0.5, "epsilon": 1.0},
        1 - 0.5 * 2 / ROOT(3),
        1 - 0.5 * 2 / ROOT(3) + 0.5 * ROOT(2 / 3 + 1) / ROOT(2.5),
    ),
    (
        optimizers.RMSProp,
        {"rho": 0.5, "epsilon": 0.0},
        1 - 0.5 * 2 / ROOT(2),
        1 - 0.5 * 2 / ROOT(2) + 0.5 * 1 / ROOT(1.5),
    ),
    # Corrected averages: 2 and 4; then m = 0.5 * 1 - 0.5 = 0.
    (optimizers.Adam, {"beta_1": 0.5, "beta_2": 0.5, "epsilon": 0.0}, 0.5, 0.5),
    (
        optimizers.Adam,
        {"beta_1": 0.5, "beta_2": 0.5, "epsilon": 0.0, "bias_correction": False},
        1 - 0.5 * 1 / ROOT(2),
        1 - 0.5 * 1 / ROOT(2),
    ),
    (optimizers.LazyAdam, {"beta_1": 0.5, "beta_2": 0.5, "epsilon": 0.0}, 0.5, 0.5),
    (
        optimizers.AdamW,
        {"beta_1": 0.5, "beta_2": 0.5, "epsilon": 0.0, "weight_decay": 0.1},
        0.95 - 0.5,
        0.45 * 0.95,
    ),
    (optimizers.Adamax, {"beta_1": 0.5, "beta_2": 0.5, "epsilon": 0.0}, 0.5, 0.5),
    # mu(1) = 0.26, mu(2) = 0.2696: (0.2696 / (1 - 0.26 * 0.2696) * 1 + 0.74 / 0.74 * 2) / 2.
    (
        optimizers.Nadam,
        {"beta_1": 0.5, "beta_2": 0.5, "epsilon": 0.0},
        1 - 0.5 * (0.2696 / (1 - 0.26 * 0.2696) + 2) / 2,
        None,
    ),
    # The averages are too short at first: momentum, m_hat = 2 and then 0.
    (optimizers.RectifiedAdam, {"beta_1": 0.5}, 1 - 0.5 * 2, 0.0),
]


@pytest.mark.parametrize(("cls", "kwargs", "first", "second"), BY_HAND)
def test_steps_by_hand(cls, kwargs, first, second):
    weight = cases.variable([1.0])
    optimizer = cls(learning_rate=0.5, **kwargs)
    cases.step(optimizer, [ops.array([2.0])], [weight])
    np.testing.assert_allclose(cases.numbers([weight]), [first], atol=1e-6)
    cases.step(optimizer, [ops.array([-1.0])], [weight])
    if second is not None:
        np.testing.assert_allclose(cases.numbers([weight]), [second], atol=1e-6)


@pytest.mark.parametrize("label", cases.LABELS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_trajectory_of_the_formula(label, dtype):
    if dtype == "float64" and BACKEND == "jax":
        pytest.skip("JAX has no float64 unless it is told to")
    generator = np.random.default_rng(3)
    start = generator.normal(size=(3, 2))
    gradients = generator.normal(size=(40, 3, 2))
    if dtype == "float32":
        gradients = gradients.astype("float32").astype("float64")
    optimizer = cases.make(label, learning_rate=0.01)
    # Keras' PyTorch multiplies by 1 - rate * decay, which it rounds once for all steps.
    rounded = np.dtype(dtype if BACKEND == "torch" else "float64").type
    expected = cases.reference(optimizer, start, gradients, rounded)
    weight = cases.variable(start, dtype)
    run = cases.stepper(optimizer, [weight])
    for gradient in gradients:
        run(ops.convert_to_tensor(gradient, dtype=dtype))
    # RMSProp's centred spread is a difference of near-equal numbers where the gradients are few.
    tolerance = 1e-5 if label == "rmsprop_centered" else 2e-6
    np.testing.assert_allclose(cases.numbers([weight]), expected.ravel(), atol=tolerance)


def test_nesterov_is_the_look_ahead():
    """w' = w - g * v; v = g * v + lr * gradient(w'); w = w - v, simulated beside the optimizer."""
    rate, momentum = 0.02, 0.9
    matrix = np.array([[3.0, 1.0], [1.0, 2.0]])
    w, v = np.array([1.0, -2.0]), np.zeros(2)
    ahead = cases.variable(w)  # The model's weights are the look-ahead point.
    optimizer = optimizers.Nesterov(rate, momentum)
    for _ in range(30):
        np.testing.assert_allclose(cases.numbers([ahead]), w - momentum * v, atol=1e-6)
        gradient = matrix @ (w - momentum * v)
        v = momentum * v + rate * gradient
        w = w - v
        cases.step(optimizer, [ops.matmul(ops.array(matrix, "float32"), ahead)], [ahead])


def test_dampening_is_the_notes_second_form():
    """v = b * v + (1 - b) * gradient; w = w - lr * v."""
    generator = np.random.default_rng(0)
    w, v, b, rate = 1.0, 0.0, 0.8, 0.3
    weight, optimizer = cases.variable([w]), optimizers.Momentum(rate, b, dampening=b)
    for gradient in generator.normal(size=25):
        v = b * v + (1 - b) * gradient
        w = w - rate * v
        cases.step(optimizer, [ops.array([gradient], "float32")], [weight])
    np.testing.assert_allclose(cases.numbers([weight]), [w], atol=1e-6)


@pytest.mark.parametrize("clip", ["clipnorm", "global_clipnorm", "clipvalue"])
def test_clipping_by_hand(clip):
    weights = [cases.variable([0.0, 0.0]), cases.variable([0.0])]
    gradients = [ops.array([3.0, 4.0]), ops.array([12.0])]
    cases.step(optimizers.SGD(1.0, **{clip: 2.6}), gradients, weights)
    expected = {
        "clipnorm": [-3 * 2.6 / 5, -4 * 2.6 / 5, -2.6],
        "global_clipnorm": [-3 * 0.2, -4 * 0.2, -12 * 0.2],
        "clipvalue": [-2.6, -2.6, -2.6],
    }
    np.testing.assert_allclose(cases.numbers(weights), expected[clip], rtol=1e-6)


@pytest.mark.parametrize("clip", ["clipnorm", "global_clipnorm", "clipvalue", "row_clipnorm"])
def test_below_the_limit_nothing_is_clipped(clip):
    weights, gradients = (
        [cases.variable([[0.0, 0.0]], name="embeddings")],
        [ops.array([[3.0, 4.0]])],
    )
    cases.step(optimizers.SGD(1.0, **{clip: 6.0}), gradients, weights)
    np.testing.assert_allclose(cases.numbers(weights), [-3.0, -4.0], rtol=1e-6)
