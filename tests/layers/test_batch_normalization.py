"""BatchNormalization against Keras' own, against NumPy in float64, and by finite differences."""

import keras
import numpy as np
import pytest
from keras import ops
from vjp import BACKEND, vjp

from keras_dlnotes.layers import BatchNormalization

JIT = [False] if BACKEND == "torch" else [False, True]


def data(shape, dtype="float32", seed=0, mean=0.5, std=1.5):
    generator = np.random.default_rng(seed)
    x = generator.normal(mean, std, shape).astype(dtype)
    return x, generator.normal(size=shape).astype(dtype)


def pair(shape, dtype=None, **kwargs):
    """Ours and Keras' with the same, untrivial, weights."""
    generator = np.random.default_rng(7)
    layers = [
        kind(dtype=dtype, **kwargs)
        for kind in (BatchNormalization, keras.layers.BatchNormalization)
    ]
    for layer in layers:
        layer.build(shape)
    weights = [generator.uniform(0.5, 1.5, w.shape) for w in layers[0].weights]
    for layer in layers:
        layer.set_weights(weights)
    return layers


def compare(ours, theirs, x, upstream, jit=False, rtol=1e-5, atol=1e-5, **call):
    a, b = (vjp(layer, x, upstream, jit, **call) for layer in (ours, theirs))
    np.testing.assert_allclose(a[0], b[0], rtol, atol)
    np.testing.assert_allclose(a[1], b[1], rtol, atol)
    for mine, its in zip(a[2], b[2], strict=True):
        np.testing.assert_allclose(mine, its, rtol, 10 * atol)  # Sums over the batch.
    for mine, its in zip(ours.weights, theirs.weights, strict=True):
        assert mine.path.split("/")[-1] == its.path.split("/")[-1]
        np.testing.assert_allclose(mine.numpy(), its.numpy(), rtol, atol)


def reference(x, gamma, beta, upstream, epsilon=1e-3, axis=-1, weights=1.0):
    """Output, gradients, mean and variance, in float64."""
    x, upstream = x.astype("float64"), upstream.astype("float64")
    axes = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    weights = np.broadcast_to(weights, x.shape)
    n = weights.sum(axes, keepdims=True)
    mean = (weights * x).sum(axes, keepdims=True) / n
    variance = (weights * (x - mean) ** 2).sum(axes, keepdims=True) / n
    shape = mean.shape
    rstd = 1 / np.sqrt(variance + epsilon)
    x_hat = (x - mean) * rstd
    y = x_hat * gamma.reshape(shape) + beta.reshape(shape)
    dbeta, dgamma = (s.sum(axes, keepdims=True) for s in (upstream, upstream * x_hat))
    dx = gamma.reshape(shape) * rstd * (upstream - weights * (dbeta + x_hat * dgamma) / n)
    return y, dx, dgamma.ravel(), dbeta.ravel(), mean.ravel(), variance.ravel()


SHAPES = [((8, 5), -1), ((4, 7, 3), -1), ((4, 7, 3), 1), ((3, 4, 5, 2), -1), ((2, 17, 19, 2), -1),
          ((3, 8, 4), -1), ((2, 13, 13, 3), -1), ((3, 2, 4, 5), 1),
          ((2, 3, 4, 2, 3), -1), ((2, 3, 4, 2, 3), 2), ((6, 4), 0)]  # fmt: skip
OPTIONS = [
    {},
    {"center": False},
    {"scale": False},
    {"center": False, "scale": False, "momentum": 0.0, "epsilon": 0.1},
]


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_equals_keras_on_any_axis(shape, axis, jit):
    x, upstream = data(shape)
    compare(*pair(shape, axis=axis), x, upstream, jit, training=True)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("options", OPTIONS)
def test_equals_keras_with_any_option(options, training):
    x, upstream = data((6, 3, 3, 4))
    compare(*pair(x.shape, **options), x, upstream, training=training)


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize(
    ("shape", "axis"), [((4, 7, 3), -1), ((3, 4, 5, 2), -1), ((3, 2, 4, 5), 1)]
)
def test_masked_positions_are_left_out(shape, axis, jit):
    x, upstream = data(shape)
    mask = np.random.default_rng(3).random(shape[:-1]) < 0.6
    compare(
        *pair(shape, axis=axis), x, upstream, jit, training=True, mask=ops.convert_to_tensor(mask)
    )


def test_whatever_stands_behind_the_mask_is_not_seen():
    layer, _ = pair((2, 3, 4), momentum=0.0)
    x, _ = data((2, 3, 4))
    mask = np.array([[True, True, False], [True, False, False]])
    layer(x, training=True, mask=mask)
    before = layer.get_weights()
    layer(np.where(mask[..., None], x, np.nan).astype("float32"), training=True, mask=mask)
    for a, b in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"renorm_clipping": {"rmax": 1.2, "rmin": 0.9, "dmax": 0.3}},
        {"scale": False, "center": False},
    ],
)
def test_renorm_equals_keras(options):
    x, upstream = data((6, 3, 3, 4))
    layers = pair(x.shape, renorm=True, renorm_momentum=0.7, momentum=0.8, **options)
    for _ in range(2):  # The second step starts from what the first has left behind.
        compare(*layers, x, upstream, training=True)
    compare(*layers, x, upstream, training=False)


def test_frozen_layer_runs_in_inference_mode():
    x, upstream = data((6, 4))
    layers = pair(x.shape)
    for layer in layers:
        layer.trainable = False
    before = layers[0].get_weights()
    compare(*layers, x, upstream, training=True)
    for a, b in zip(before, layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "mixed_float16", "mixed_bfloat16"])
def test_half_precision_sums_in_float32(dtype, jit):
    x, upstream = data((64, 4, 4, 3), mean=3.0, std=2.0)
    if BACKEND == "jax" and dtype == "float16":
        pytest.skip("the layer's own weights overflow alike in both")
    ours, theirs = pair(x.shape, dtype=dtype)
    half = dtype.removeprefix("mixed_")
    x = ops.convert_to_numpy(ops.cast(ops.cast(x, half), "float32"))
    tolerance = 2e-3 if half == "float16" else 2e-2  # One unit in the last place of the output.
    compare(ours, theirs, x, upstream, jit, tolerance, tolerance, training=True)
    if dtype.startswith("mixed"):
        _, _, _, _, mean, variance = reference(x, np.ones(3), np.zeros(3), upstream)
        layer = BatchNormalization(momentum=0.0, dtype=dtype)
        layer(x, training=True)
        np.testing.assert_allclose(layer.moving_mean.numpy(), mean, 1e-5)
        np.testing.assert_allclose(layer.moving_variance.numpy(), variance, 1e-5)


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("mean", [0.0, 1e3, 1e4])
def test_means_far_from_zero_do_not_cancel(mean, axis, jit):
    # At most as far from the exact numbers as Keras is, and never NaN or a negative variance.
    x, upstream = data((64, 8, 8, 4) if axis == -1 else (64, 4, 8, 8), mean=mean, std=1.0)
    layers = pair(x.shape, axis=axis, momentum=0.0)
    gamma, beta = (w.astype("float64") for w in layers[0].get_weights()[:2])
    exact = reference(x, gamma, beta, upstream, axis=axis)
    errors = []
    for layer in layers:
        y, dx, gradients = vjp(layer, x, upstream, jit, training=True)
        statistics = layer.get_weights()[2:4]
        found = [y, dx, *gradients, *statistics]
        errors.append([np.abs(a - b).max() for a, b in zip(found, exact, strict=True)])
    floor = [2e-6, 2e-6, 5e-5, 5e-5, 1e-6, 2e-6]
    rounding = mean * 2.0**-23  # What x itself, its mean and the output lose in float32.
    for mine, its, least in zip(*errors, floor, strict=True):
        its = np.nan_to_num(its, nan=0.1)  # Keras on PyTorch squares before it subtracts.
        assert mine <= 1.5 * its + least + 2 * rounding


@pytest.mark.skipif(BACKEND == "jax", reason="JAX computes in float64 only after a global switch")
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("shape", "axis"), [((6, 3), -1), ((3, 4, 2), 1), ((2, 3, 2, 3), -1)])
def test_closed_form_against_finite_differences_in_float64(shape, axis, masked):
    x, upstream = data(shape, "float64")
    call = {"training": True}
    if masked:
        call["mask"] = ops.convert_to_tensor(np.random.default_rng(1).random(shape[:-1]) < 0.7)
    layer, _ = pair(shape, "float64", axis=axis, epsilon=0.01)

    def loss(x):
        return float(
            np.sum(
                ops.convert_to_numpy(layer(ops.convert_to_tensor(x, "float64"), **call)) * upstream
            )
        )

    _, dx, gradients = vjp(layer, x, upstream, **call)
    step = 1e-6
    numeric = np.zeros_like(x)
    for i in np.ndindex(shape):
        shift = np.zeros_like(x)
        shift[i] = step
        numeric[i] = (loss(x + shift) - loss(x - shift)) / (2 * step)
    np.testing.assert_allclose(dx, numeric, atol=1e-6)
    for variable, gradient in zip(layer.trainable_variables, gradients, strict=True):
        value = variable.numpy()
        for i in range(len(value)):
            shift = np.zeros_like(value)
            shift[i] = step
            variable.assign(value + shift)
            up = loss(x)
            variable.assign(value - shift)
            np.testing.assert_allclose(gradient[i], (up - loss(x)) / (2 * step), atol=1e-6)
            variable.assign(value)


def plain(x, gamma, beta, epsilon, axes):
    """The formula alone, for autodiff of any order. tf.nn.moments stops a gradient inside the
    variance, which does not show in first derivatives but makes the second ones wrong."""
    import tensorflow as tf

    mean = tf.reduce_mean(x, axes, keepdims=True)
    variance = tf.reduce_mean(tf.square(x - mean), axes, keepdims=True)
    gamma, beta = tf.reshape(gamma, mean.shape), tf.reshape(beta, mean.shape)
    return (x - mean) / tf.sqrt(variance + epsilon) * gamma + beta


@pytest.mark.tensorflow
@pytest.mark.parametrize("jit", [False, True, "eager"])
@pytest.mark.parametrize(("dtype", "axis"), [("float32", -1), ("float32", 1), ("float64", -1)])
def test_second_order_gradients(dtype, axis, jit):
    """The gradient of a gradient penalty, as in WGAN-GP, against autodiff of the formula."""
    import tensorflow as tf

    x, upstream = data((4, 3, 3, 2 if axis == -1 else 3), "float64")
    layer, _ = pair(x.shape, dtype, axis=axis, epsilon=0.1)

    def penalty(normalise, x, gamma, upstream):
        with tf.GradientTape() as outer:
            outer.watch([x, gamma])
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.reduce_sum(tf.tanh(normalise(x, gamma)) * upstream)
            loss = tf.reduce_sum(tf.square(inner.gradient(y, x)) * upstream)
        return outer.gradient(loss, [x, gamma])

    def ours(x, upstream):
        return penalty(lambda x, _: layer(x, training=True), x, layer.gamma.value, upstream)

    if jit != "eager":
        ours = tf.function(ours, jit_compile=jit)
    found = ours(tf.constant(x, dtype), tf.constant(upstream, dtype))
    gamma, beta = (tf.constant(w, "float64") for w in layer.get_weights()[:2])
    axes = [i for i in range(4) if i != axis % 4]
    exact = penalty(
        lambda x, gamma: plain(x, gamma, beta, 0.1, axes),
        tf.constant(x), gamma, tf.constant(upstream),
    )  # fmt: skip
    tolerance = 1e-4 if dtype == "float32" else 1e-9
    for mine, its in zip(found, exact, strict=True):
        np.testing.assert_allclose(mine, its, tolerance, tolerance)


@pytest.mark.tensorflow
@pytest.mark.parametrize("jit", [False, True])
def test_unknown_batch_size(jit):
    import tensorflow as tf

    layers = pair((None, 3, 3, 4))
    x, upstream = data((5, 3, 3, 4))
    found = []
    for layer in layers:

        @tf.function(input_signature=[tf.TensorSpec((None, None, 3, 4))], jit_compile=jit)
        def run(x, layer=layer):
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = tf.reduce_sum(layer(x, training=True) * upstream)
            return tape.gradient(loss, [x, layer.gamma.value])

        found.append(run(x))
    for mine, its in zip(*found, strict=True):
        np.testing.assert_allclose(mine, its, 1e-5, 1e-5)


@pytest.mark.tensorflow
def test_the_fused_kernels_serve_where_they_can_and_nowhere_else():
    import tensorflow as tf

    def operations(x, axis=-1, jit=False, **call):
        layer = BatchNormalization(axis, dtype=x.dtype)
        layer.build(x.shape)
        run = tf.function(lambda x: layer(x, training=True, **call), jit_compile=jit)
        graph = run.get_concrete_function(x).graph
        return any("FusedBatchNorm" in op.type for op in graph.get_operations())

    x = np.zeros((2, 3, 3, 4), "float32")
    assert operations(x)
    assert operations(x.astype("float16"))
    assert not operations(x, jit=True)
    assert not operations(x, axis=1)
    assert not operations(x.astype("float64"))
    assert not operations(x, mask=np.ones((2, 3, 3), bool))


def two_cpus():
    import tensorflow as tf

    # The collective operations that are the default number themselves once per process, so that a
    # second strategy in the same process meets the numbers of the first.
    reduction = tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], reduction)


def fitted(kind, jit, strategy=None, epochs=3, **kwargs):
    import contextlib

    keras.utils.set_random_seed(5)
    x = np.random.default_rng(5).normal(2.0, 3.0, (32, 6)).astype("float32")
    with strategy.scope() if strategy else contextlib.nullcontext():
        model = keras.Sequential(
            [keras.Input((6,)), keras.layers.Dense(5), kind(**kwargs), keras.layers.Dense(1)]
        )
        model.compile(keras.optimizers.SGD(0.05), "mse", jit_compile=jit)
    model.fit(x, x[:, :1], batch_size=16, epochs=epochs, shuffle=False, verbose=0)
    return model.get_weights()


@pytest.mark.parametrize("jit", JIT)
def test_training_takes_the_same_path_as_with_keras(jit):
    for a, b in zip(
        fitted(BatchNormalization, jit), fitted(keras.layers.BatchNormalization, jit), strict=True
    ):
        np.testing.assert_allclose(a, b, 1e-4, 1e-5)


@pytest.mark.tensorflow
@pytest.mark.parametrize("synchronized", [False, True])
def test_two_replicas(synchronized):
    if synchronized:  # Then two halves of a batch are worth the batch on one device.
        expected = fitted(BatchNormalization, False)
    else:
        expected = fitted(keras.layers.BatchNormalization, False, two_cpus())
    found = fitted(BatchNormalization, False, two_cpus(), synchronized=synchronized)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, 1e-4, 1e-5)


@pytest.mark.tensorflow
def test_replicas_with_masks_of_different_length():
    import tensorflow as tf

    x, upstream = data((2, 4, 3), mean=100.0)
    mask = np.array([[True] * 3 + [False], [True] + [False] * 3])
    strategy = two_cpus()
    with strategy.scope():
        layer = BatchNormalization(synchronized=True, momentum=0.0)
        layer.build((None, 4, 3))

    @tf.function
    def step(i):
        part, its_mask = tf.gather(x, [i]), tf.gather(mask, [i])
        with tf.GradientTape() as tape:
            tape.watch(part)
            y = layer(part, training=True, mask=its_mask)
        return y, tape.gradient(y, part, tf.gather(upstream, [i]))

    ids = strategy.experimental_distribute_values_from_function(
        lambda c: tf.constant(c.replica_id_in_sync_group)
    )
    y, dx = (
        np.concatenate(strategy.experimental_local_results(r)) for r in strategy.run(step, (ids,))
    )
    exact = reference(x, np.ones(3), np.zeros(3), upstream, weights=mask[..., None] * 1.0)
    np.testing.assert_allclose(y, exact[0], atol=1e-4)
    np.testing.assert_allclose(dx, exact[1], atol=1e-4)
    np.testing.assert_allclose(layer.moving_variance, exact[5], 1e-4)


def test_regularizers_constraints_and_config():
    layer = BatchNormalization(
        gamma_regularizer="l2",
        beta_regularizer=keras.regularizers.L1(0.3),
        gamma_constraint="non_neg",
        beta_constraint=keras.constraints.MaxNorm(1.0),
        gamma_initializer=keras.initializers.RandomNormal(seed=1),
        renorm=True,
        renorm_clipping={"rmax": 3},
    )
    copy = BatchNormalization.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    layer.build((2, 3))
    assert len(layer.losses) == 2
    assert isinstance(layer.gamma.constraint, keras.constraints.NonNeg)
    names = set(keras.layers.BatchNormalization().get_config())
    assert set(layer.get_config()) >= names - {"dtype"}


def test_one_example_and_a_constant_channel_stay_finite():
    for x in (np.array([[3.0, -2.0]], "float32"), np.full((5, 2), 7.0, "float32")):
        layer, _ = pair(x.shape)
        y, dx, _ = vjp(layer, x, np.ones_like(x), training=True)
        np.testing.assert_allclose(y, np.tile(layer.beta.numpy(), (len(x), 1)), atol=1e-5)
        np.testing.assert_allclose(dx, 0, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "value", "requirement"),
    [
        ("axis", 1.5, "be an integer"),
        ("momentum", 1.5, r"be in \[0, 1\]"),
        ("momentum", float("nan"), r"be in \[0, 1\]"),
        ("epsilon", 0, r"be in \(0, inf\)"),
        ("epsilon", -1e-3, r"be in \(0, inf\)"),
        ("center", 1, "be True or False"),
        ("scale", None, "be True or False"),
        ("renorm", "yes", "be True or False"),
        ("synchronized", 2, "be True or False"),
        ("renorm_momentum", -0.1, r"be in \[0, 1\]"),
    ],
)
def test_bad_arguments(name, value, requirement):
    message = rf"^Argument `{name}` must {requirement}.*\. Received: {name}={value!r}$"
    with pytest.raises(ValueError, match=message):
        BatchNormalization(**{name: value})


@pytest.mark.parametrize(
    ("clipping", "problem"),
    [
        ({"random_key": 1.0}, r"Received invalid keys: \['random_key'\]"),
        ({"rmax": 0.0, "rmin": 1.0}, "rmax should be at least rmin"),
        ({"dmax": -1.0}, "dmax should be non-negative"),
        (3, "be a dict or None"),
        ({"rmax": float("nan")}, r"\['rmax'\]` must be in"),
    ],
)
def test_bad_renorm_clipping(clipping, problem):
    with pytest.raises(ValueError, match=rf"^Argument `renorm_clipping.*{problem}.*Received: "):
        BatchNormalization(renorm=True, renorm_clipping=clipping)


def test_bad_inputs():
    with pytest.raises(
        ValueError, match=r"^Argument `axis` must be in \[-2, 2\).* Received: axis=2$"
    ):
        BatchNormalization(axis=2).build((3, 4))
    with pytest.raises(ValueError, match="known size along axis -1"):
        BatchNormalization().build((3, None))
    with pytest.raises(ValueError, match="at least 2 axes"):
        BatchNormalization().build((3,))
    with pytest.raises(ValueError, match="`mask` must have one axis fewer"):
        BatchNormalization()(np.ones((2, 3)), mask=np.ones((2, 3)), training=True)


@pytest.mark.skipif(BACKEND == "tensorflow", reason="TensorFlow synchronises")
def test_synchronized_needs_tensorflow():
    with pytest.raises(ValueError, match="Argument `synchronized` must be False on every backend"):
        BatchNormalization(synchronized=True)
