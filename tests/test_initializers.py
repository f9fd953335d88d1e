"""Initializers: Keras' numbers, the formulas' variances, right fans; LSUVReport on real nets."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_dlnotes import initializers
from keras_dlnotes.initializers import compute_fans, lsuv_scale

SAME = [
    ("Zeros", {}),
    ("Constant", {"value": 0.3}),
    ("RandomNormal", {}),
    ("RandomNormal", {"mean": 1.0, "stddev": 0.2}),
    ("TruncatedNormal", {}),
    ("RandomUniform", {}),
    ("RandomUniform", {"minval": -1.0, "maxval": 2.0}),
    ("VarianceScaling", {}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_out", "distribution": "uniform"}),
    ("VarianceScaling", {"mode": "fan_avg", "distribution": "untruncated_normal"}),
    ("VarianceScaling", {"distribution": "normal"}),
    ("GlorotNormal", {}),
    ("GlorotUniform", {}),
    ("HeNormal", {}),
    ("HeUniform", {}),
    ("LecunNormal", {}),
    ("LecunUniform", {}),
]


def draw(initializer, shape):
    return ops.convert_to_numpy(initializer(shape))


@pytest.mark.parametrize(("name", "kwargs"), SAME)
def test_same_seed_same_numbers_as_keras(name, kwargs):
    ours, theirs = getattr(initializers, name), getattr(keras.initializers, name)
    for seed in (1, 1234):
        seeded = {} if name in ("Zeros", "Constant") else {"seed": seed}
        for shape in ((7,), (5, 4), (3, 3, 4, 8)):
            a, b = draw(ours(**kwargs, **seeded), shape), draw(theirs(**kwargs, **seeded), shape)
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["RandomNormal", "HeNormal", "GlorotUniform"])
def test_seeds_as_in_keras(name):
    ours, theirs = getattr(initializers, name), getattr(keras.initializers, name)
    fixed, none = ours(seed=3), ours()
    np.testing.assert_array_equal(draw(fixed, (4, 4)), draw(fixed, (4, 4)))
    assert fixed.seed == 3
    assert not np.array_equal(draw(none, (4, 4)), draw(ours.from_config(none.get_config()), (4, 4)))
    moving = ours(seed=keras.random.SeedGenerator(5))
    first, second = draw(moving, (4, 4)), draw(moving, (4, 4))
    assert not np.array_equal(first, second)
    other = theirs(seed=keras.random.SeedGenerator(5))
    np.testing.assert_allclose(first, draw(other, (4, 4)), rtol=1e-6)
    np.testing.assert_allclose(second, draw(other, (4, 4)), rtol=1e-6)
    keras.utils.set_random_seed(9)
    unseeded = draw(ours(), (4, 4))
    keras.utils.set_random_seed(9)
    np.testing.assert_allclose(unseeded, draw(theirs(), (4, 4)), rtol=1e-6)


def test_attention_gets_the_same_kernels_as_with_keras():
    def kernels(initializer):
        layer = layers.MultiHeadAttention(4, 8, kernel_initializer=initializer)
        layer.build((None, 10, 16), (None, 10, 16))
        return layer.get_weights()

    ours = kernels(initializers.GlorotUniform(seed=1))
    theirs = kernels(keras.initializers.GlorotUniform(seed=1))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


VARIANCES = [
    (initializers.SmallNormal(seed=1), 0.01**2),
    (initializers.LargeNormal(seed=1), 1.0),
    (initializers.FanInUniform(seed=1), 1 / 300 / 3),
    (initializers.GlorotNormal(seed=1), 2 / 800),
    (initializers.GlorotNormal(seed=1, truncated=False), 2 / 800),
    (initializers.GlorotNormal(seed=1, mode="fan_in"), 1 / 300),
    (initializers.GlorotUniform(seed=1, mode="fan_in"), 1 / 300),
    (initializers.HeNormal(seed=1), 2 / 300),
    (initializers.HeNormal(seed=1, truncated=False), 2 / 300),
    (initializers.HeUniform(seed=1), 2 / 300),
    (initializers.LecunNormal(seed=1), 1 / 300),
]


@pytest.mark.parametrize(("initializer", "variance"), VARIANCES)
def test_variance_is_that_of_the_formula(initializer, variance):
    x = draw(initializer, (300, 500))
    # 150 000 draws: a relative standard error of at most sqrt(2 / 150000) = 0.4 %.
    assert x.var() == pytest.approx(variance, rel=0.02)
    assert abs(x.mean()) < 5 * np.sqrt(variance / x.size)


def test_truncation_and_bounds():
    limit = 2 * np.sqrt(2 / 300) / 0.87962566
    assert np.abs(draw(initializers.HeNormal(1), (300, 500))).max() <= limit * 1.0001
    assert np.abs(draw(initializers.HeNormal(1, truncated=False), (300, 500))).max() > limit
    fan_in = np.abs(draw(initializers.FanInUniform(seed=1), (300, 500))).max()
    assert 0.999 / np.sqrt(300) < fan_in <= 1.0001 / np.sqrt(300)


#: Layer, its kernel's name and kind, and the inputs that feed one unit.
FANS = [
    (layers.Dense(7), (None, 5), "kernel", "conv", 5, 7),
    (layers.Conv1D(7, 3), (None, 9, 5), "kernel", "conv", 15, 21),
    (layers.Conv2D(7, (3, 2)), (None, 9, 9, 5), "kernel", "conv", 30, 42),
    (layers.DepthwiseConv1D(3, depth_multiplier=2), (None, 9, 5), "kernel", "depthwise", 3, 6),
    (layers.DepthwiseConv2D(3), (None, 9, 9, 5), "kernel", "depthwise", 9, 9),
    (layers.Conv2DTranspose(7, 3), (None, 9, 9, 5), "kernel", "transposed", 45, 63),
]


@pytest.mark.parametrize(("layer", "shape", "name", "kind", "fan_in", "fan_out"), FANS)
def test_fans_of_real_kernels(layer, shape, name, kind, fan_in, fan_out):
    layer.build(shape)
    assert compute_fans(tuple(getattr(layer, name).shape), kind) == (fan_in, fan_out)


def test_kernel_keyword_reaches_the_variance():
    x = draw(initializers.HeNormal(1, kernel="depthwise"), (3, 3, 512, 8))
    assert x.var() == pytest.approx(2 / 9, rel=0.03)
    x = draw(initializers.HeNormal(1, kernel="transposed"), (3, 3, 512, 8))
    assert x.var() == pytest.approx(2 / 72, rel=0.03)
    assert compute_fans(()) == (1, 1)
    assert compute_fans((6,)) == (6, 6)
    assert compute_fans((512, 8, 64), input_axes=[0], output_axes=[1, 2]) == (512, 512)


def test_constants_may_be_arrays():
    values = np.arange(3.0)
    initializer = initializers.Constant(values)
    np.testing.assert_array_equal(draw(initializer, (2, 3)), [[0, 1, 2]] * 2)
    copy = initializers.Constant.from_config(initializer.get_config())
    np.testing.assert_array_equal(draw(copy, (3,)), values)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.RandomNormal(stddev=-1.0), "Received: stddev=-1.0"),
        (lambda: initializers.RandomUniform(1.0, 0.0), "Received: maxval=0.0"),
        (lambda: initializers.VarianceScaling(0.0), "in (0, inf). Received: scale=0.0"),
        (lambda: initializers.VarianceScaling(mode="fan"), "Received: mode='fan'"),
        (lambda: initializers.VarianceScaling(distribution="x"), "Received: distribution='x'"),
        (lambda: initializers.HeNormal(seed="x"), "Received: seed='x'"),
        (lambda: initializers.HeNormal(truncated=1), "Received: truncated=1"),
        (lambda: initializers.HeNormal(kernel="dense"), "Received: kernel='dense'"),
        (lambda: initializers.Constant("a"), "Received: value='a'"),
        (lambda: initializers.Constant(float("nan")), "Received: value=nan"),
    ],
)
def test_bad_arguments_are_named_with_what_was_received(make, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        make()
    assert message in str(error.value)


# --------------------------------------------------------------------------------------- LSUV

BATCH = np.random.default_rng(0).normal(size=(256, 12)).astype("float32") * 3 + 1


def outputs(model, batch):
    wanted = [layer.output for layer in model.layers if layer.weights]
    values = keras.Model(model.inputs[0], wanted)(batch)
    return [ops.convert_to_numpy(v) for v in (values if isinstance(values, list) else [values])]


@pytest.mark.parametrize("activation", ["linear", "relu", "elu", "gelu", "swish", "softplus"])
@pytest.mark.parametrize("kernel", ["small_bias", "large"])
def test_every_output_gets_unit_variance(activation, kernel):
    stddev = 0.01 if kernel == "small_bias" else 1.0
    options = {"kernel_initializer": initializers.RandomNormal(stddev=stddev, seed=1)}
    if kernel == "small_bias":
        options["bias_initializer"] = initializers.RandomNormal(stddev=stddev, seed=2)
    stack = [layers.Dense(32, activation, **options) for _ in range(4)]
    model = keras.Sequential([keras.Input((12,)), *stack])
    report = lsuv_scale(model, BATCH)
    assert [row.layer for row in report.rows] == [layer.name for layer in stack]
    for value, row in zip(outputs(model, BATCH), report.rows, strict=True):
        assert value.var() == pytest.approx(1, abs=0.011)
        assert row.after == pytest.approx(value.var(), rel=1e-3)
        assert row.measured == "output"


def test_bounded_activations_are_measured_before():
    model = keras.Sequential(
        [keras.Input((12,)), layers.Dense(9, "tanh"), layers.Dense(3, "softmax")]
    )
    report = lsuv_scale(model, BATCH)
    assert [row.measured for row in report.rows] == ["pre-activation"] * 2
    kernel, bias = model.layers[0].get_weights()
    assert (BATCH @ kernel + bias).var() == pytest.approx(1, abs=0.011)
    assert model.layers[0].activation is keras.activations.tanh
    text = str(report).splitlines()
    assert text[0].split() == ["layer", "measured", "before", "after", "scale", "note"]
    assert len(text) == 3


def test_convolutions_of_all_kinds():
    x = np.random.default_rng(1).normal(size=(8, 12, 12, 3)).astype("float32")
    stack = [
        layers.Conv2D(8, 3, activation="relu"),
        layers.DepthwiseConv2D(3, activation="relu"),
        layers.SeparableConv2D(8, 3),
        layers.Conv2DTranspose(4, 3, strides=2),
    ]
    model = keras.Sequential([keras.Input((12, 12, 3)), *stack])
    lsuv_scale(model, x)
    for value in outputs(model, x):
        assert value.var() == pytest.approx(1, abs=0.011)


def test_nested_shared_and_frozen_layers():
    inner_in = keras.Input((12,))
    inner = keras.Model(inner_in, layers.Dense(12, "relu", name="inside")(inner_in))
    shared, frozen = layers.Dense(12, name="shared"), layers.Dense(12, name="frozen")
    frozen.trainable = False
    inputs = keras.Input((12,))
    x = shared(shared(inner(inputs)))
    model = keras.Model(
        inputs, layers.Dense(2, name="last")(frozen(layers.BatchNormalization()(x)))
    )
    kept = frozen.get_weights()
    rows = {row.layer: row for row in lsuv_scale(model, BATCH).rows}
    assert list(rows) == ["inside", "shared", "frozen", "last"]
    assert rows["frozen"].note == "frozen"
    for a, b in zip(kept, frozen.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for name in ("inside", "shared", "last"):
        assert rows[name].after == pytest.approx(1, abs=0.011)
    assert ops.convert_to_numpy(inner(BATCH)).var() == pytest.approx(1, abs=0.011)


def test_a_model_not_built_and_constant_outputs():
    model = keras.Sequential([layers.Dense(4), layers.Dense(4, kernel_initializer="zeros")])
    rows = lsuv_scale(model, BATCH).rows
    assert rows[0].after == pytest.approx(1, abs=0.011)
    assert rows[1].note == "constant output"
    assert rows[1].scale == 1


def test_failure_leaves_everything_as_it_was():
    class Boom(layers.Layer):
        def call(self, inputs):
            if armed:
                raise RuntimeError("boom")
            return inputs

    armed = False
    model = keras.Sequential([keras.Input((12,)), layers.Dense(4), Boom()])
    kept, armed = model.get_weights(), True
    with pytest.raises(RuntimeError, match="boom"):
        lsuv_scale(model, BATCH)
    for a, b in zip(kept, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert "call" not in model.layers[0].__dict__


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"target": 0.0}, "Received: target=0.0"),
        ({"tolerance": -1.0}, "Received: tolerance=-1.0"),
        ({"max_iterations": 0}, "Received: max_iterations=0"),
        ({"measure": "input"}, "Received: measure='input'"),
        ({"batch": np.full((2, 12), np.nan)}, "Argument `batch` must hold finite numbers only"),
    ],
)
def test_lsuv_rejects(kwargs, message):
    model = keras.Sequential([keras.Input((12,)), layers.Dense(4)])
    with pytest.raises(ValueError) as error:  # noqa: PT011
        lsuv_scale(model, **{"batch": BATCH, **kwargs})
    assert message in str(error.value)
