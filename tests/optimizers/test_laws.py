"""One table of laws: every optimizer over the same targets, dtypes, gradients and clips."""

import keras
import numpy as np
import optimizer_cases as cases
import pytest
from keras import ops

BACKEND = keras.backend.backend()
DTYPES = ["float32", "bfloat16"] + (["float64"] if BACKEND != "jax" else [])
CLIPS = [{"clipnorm": 0.1}, {"clipvalue": 0.1}, {"global_clipnorm": 0.1}]

#: Rates at which each gets somewhere on a quadratic within 150 steps.
RATES = {"adadelta": 20.0, "adagrad": 0.5, "momentum_damped": 0.1}


def rate(label):
    family = label.split("_")[0]
    adaptive = family in ("adam", "adamw", "adamax", "nadam", "lazy", "rectified", "rmsprop")
    return RATES.get(label, RATES.get(family, 0.05 if adaptive else 0.1))


def quadratic(w):
    """The gradient of ((w - 1) ** 2 * (1, 2, 3)).sum() / 2."""
    return (w - 1) * ops.cast([1.0, 2.0, 3.0], w.dtype)


def rosenbrock(w):
    """The gradient of (1 - x) ** 2 + 100 * (y - x ** 2) ** 2."""
    x, y = w[0], w[1]
    inner = y - x * x
    return ops.stack([-2 * (1 - x) - 400 * x * inner, 200 * inner])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("label", cases.LABELS)
def test_quadratic(label, dtype):
    w = cases.variable([3.0, -2.0, 0.5], dtype)
    optimizer = cases.make(label, learning_rate=rate(label))
    start = np.abs(cases.numbers([w]) - 1).max()
    run = cases.stepper(optimizer, [w], lambda: [quadratic(ops.convert_to_tensor(w))])
    for _ in range(60):
        run()
    assert keras.backend.standardize_dtype(w.dtype) == dtype
    assert np.abs(cases.numbers([w]) - 1).max() < 0.7 * start


@pytest.mark.parametrize("label", cases.CLASSES)
def test_rosenbrock(label):
    w = cases.variable([-1.0, 1.0])
    optimizer = cases.make(label, learning_rate=rate(label) / 100, global_clipnorm=10.0)
    run = cases.stepper(optimizer, [w], lambda: [rosenbrock(ops.convert_to_tensor(w))])
    for _ in range(80):
        run()
    x, y = cases.numbers([w])
    assert (1 - x) ** 2 + 100 * (y - x**2) ** 2 < 0.999 * 4.0


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: next(iter(clip)))
@pytest.mark.parametrize("label", cases.CLASSES)
def test_every_clip_equals_clipping_beforehand(label, clip):
    generator = np.random.default_rng(5)
    start = [generator.normal(size=(3, 2)), generator.normal(size=(2,))]
    clipped, plain = ([cases.variable(each) for each in start] for _ in range(2))
    one, other = cases.make(label, **clip), cases.make(label)
    for _ in range(4):
        gradients = [generator.normal(size=each.shape).astype("float32") for each in start]
        if "clipvalue" in clip:
            by_hand = [np.clip(each, -0.1, 0.1) for each in gradients]
        else:
            norms = [np.linalg.norm(each) for each in gradients]
            if "global_clipnorm" in clip:
                norms = [np.linalg.norm(norms)] * 2
            by_hand = [
                each * min(1, 0.1 / norm) for each, norm in zip(gradients, norms, strict=True)
            ]
        cases.step(one, [ops.convert_to_tensor(each) for each in gradients], clipped)
        cases.step(other, [ops.convert_to_tensor(each) for each in by_hand], plain)
    np.testing.assert_allclose(cases.numbers(clipped), cases.numbers(plain), atol=2e-6)


@pytest.mark.parametrize("label", cases.CLASSES)
def test_none_gradients_are_passed_over_with_a_warning(label):
    variables = [cases.variable([1.0, 2.0]), cases.variable([3.0])]
    optimizer = cases.make(label)
    optimizer.build(variables)
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        cases.step(optimizer, [None, ops.array([0.5])], variables)
    np.testing.assert_array_equal(cases.numbers(variables[:1]), [1.0, 2.0])
    assert cases.numbers(variables[1:]) != [3.0]


@pytest.mark.parametrize("label", cases.CLASSES)
def test_small_net_learns_in_fit(label):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(64, 4)).astype("float32")
    y = np.sin(x @ np.array([[1.0], [-1.0], [0.5], [0.2]], "float32"))
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="tanh", kernel_initializer="ones", trainable=False),
            keras.layers.Dense(1),
        ]
    )
    model.compile(cases.make(label, learning_rate=rate(label) / 5), "mse")
    frozen = model.layers[0].get_weights()[0]
    losses = model.fit(x, y, batch_size=16, epochs=3, verbose=0, shuffle=False).history["loss"]
    assert losses[-1] < losses[0]
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], frozen)


@pytest.mark.parametrize("label", ["sgd", "momentum", "adam", "nadam"])
def test_a_nan_is_not_hidden_unless_asked(label):
    gradients = [[1.0], [np.nan], [2.0]]

    def run(gradients, **kwargs):
        w, optimizer = cases.variable([1.0]), cases.make(label, **kwargs)
        for gradient in gradients:
            cases.step(optimizer, [ops.array(gradient)], [w])
        return cases.numbers([w])[0], optimizer

    assert np.isnan(run(gradients)[0])
    skipped, optimizer = run(gradients, skip_nonfinite=True)
    expected, _ = run([gradients[0], gradients[2]])
    assert skipped == pytest.approx(expected, abs=1e-7)
    assert int(optimizer.skipped_steps) == 1
    assert int(optimizer.iterations) == 2


@pytest.mark.parametrize("label", cases.CLASSES)
def test_overwrite_with_gradient_and_exclusion_from_decay(label):
    scale, bias, kernel = (cases.variable([1.0, 2.0], name=n) for n in ("scale", "bias", "kernel"))
    scale.overwrite_with_gradient = True
    optimizer = cases.make(label, weight_decay=0.5, learning_rate=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    gradients = [ops.array([7.0, 8.0]), ops.zeros((2,)), ops.zeros((2,))]
    cases.step(optimizer, gradients, [scale, bias, kernel])
    np.testing.assert_allclose(cases.numbers([scale, bias]), [7, 8, 1, 2])
    np.testing.assert_allclose(cases.numbers([kernel]), [0.95, 1.9], rtol=1e-6)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"learning_rate": 0}, r"`learning_rate` must be in \(0, inf\). Received: learning_rate=0"),
        ({"learning_rate": -1.0}, "`learning_rate` must be in"),
        ({"beta_1": 1.0}, r"`beta_1` must be in \[0, 1\). Received: beta_1=1.0"),
        ({"beta_2": -0.1}, "`beta_2` must be in"),
        ({"epsilon": -1e-8}, "`epsilon` must be in"),
        ({"weight_decay": -0.1}, "`weight_decay` must be in"),
        ({"rows": "some"}, "`rows` must be one of 'exact', 'lazy'. Received: rows='some'"),
        ({"row_clipnorm": 0.0}, "`row_clipnorm` must be in"),
        ({"clipnorm": -1.0}, "`clipnorm` must be in"),
        ({"skip_nonfinite": 1}, "`skip_nonfinite` must be True or False"),
        ({"fused": "yes"}, "`fused` must be one of"),
    ],
)
def test_bad_arguments_fail_in_the_constructor(kwargs, message):
    with pytest.raises(ValueError, match=message):
        cases.make("adam", **kwargs)
