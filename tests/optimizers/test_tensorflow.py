"""TensorFlow's own: XLA, loss scaling, several replicas, checkpoints."""

import keras
import numpy as np
import optimizer_cases as cases
import pytest

from keras_dlnotes import optimizers

pytestmark = pytest.mark.tensorflow
if keras.backend.backend() != "tensorflow":
    pytest.skip("rests on TensorFlow", allow_module_level=True)

tf = pytest.importorskip("tensorflow")

IDS = np.random.default_rng(0).integers(0, 6, size=(16, 3))
TARGETS = np.random.default_rng(1).normal(size=(16, 1)).astype("float32")


def text_model(optimizer, **kwargs):
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((3,), dtype="int32"),
            keras.layers.Embedding(8, 4),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer, "mse", **kwargs)
    return model


def fitted(make, **kwargs):
    model = text_model(make(), **kwargs)
    model.fit(IDS, TARGETS, batch_size=8, epochs=2, verbose=0, shuffle=False)
    return np.concatenate([weight.ravel() for weight in model.get_weights()])


@pytest.mark.parametrize(
    "make",
    [
        lambda: optimizers.Adam(0.01, clipnorm=0.1),
        lambda: optimizers.LazyAdam(0.01, global_clipnorm=0.1),
        lambda: optimizers.RMSProp(0.01, skip_nonfinite=True),
        lambda: optimizers.SGD(0.1, row_clipnorm=0.01),
        lambda: optimizers.Nadam(0.01, weight_decay=0.1),
        lambda: optimizers.Lookahead(optimizers.Momentum(0.01, rows="lazy"), 2),
        lambda: optimizers.SWA(optimizers.Adagrad(0.01), 1, 1),
        lambda: optimizers.AdaptiveClip(optimizers.Momentum(0.1), clipping=0.05),
        lambda: optimizers.AdaptiveClip(keras.optimizers.SGD(0.1), clipping=0.05),
    ],
)
def test_compiled_eager_and_two_replicas_agree(make):
    expected = fitted(make, jit_compile=False)
    np.testing.assert_allclose(fitted(make, jit_compile=True), expected, atol=2e-6)
    np.testing.assert_allclose(fitted(make, run_eagerly=True), expected, atol=2e-6)
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        mirrored = fitted(make)
    np.testing.assert_allclose(mirrored, expected, atol=2e-6)


@pytest.mark.parametrize("make", [optimizers.Adam, optimizers.LazyAdam, optimizers.SGD])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_mixed_precision_with_loss_scaling(make, jit_compile):
    expected = fitted(lambda: make(0.01))
    keras.config.set_dtype_policy("mixed_float16")
    scaled = fitted(lambda: make(0.01), jit_compile=jit_compile)
    np.testing.assert_allclose(scaled, expected, atol=0.02)
    assert np.any(scaled != fitted(lambda: make(1e-9)))


def test_loss_scale_optimizer_skips_and_halves():
    table = cases.variable(np.ones((4, 2)), name="embeddings")
    inner = optimizers.LazyAdam(0.01)
    optimizer = keras.optimizers.LossScaleOptimizer(inner, initial_scale=8.0)
    for value in (np.inf, 1.0):
        values = np.full((2, 2), value, "float32")
        optimizer.apply([tf.IndexedSlices(values, np.array([1, 1]), (4, 2))], [table])
    np.testing.assert_allclose(table.numpy()[:, 0], [1, 0.99, 1, 1], atol=1e-6)
    assert int(inner.iterations) == 1
    assert float(optimizer.dynamic_scale) == 4.0


def test_checkpoint_brings_back_slots_and_numbers(tmp_path):
    model = text_model(optimizers.Momentum(0.1, momentum=0.7))
    model.fit(IDS, TARGETS, batch_size=8, verbose=0, shuffle=False)
    path = tf.train.Checkpoint(model, optimizer=model.optimizer).save(str(tmp_path / "state"))
    model.optimizer.momentum = 0.2

    def losses():
        model.reset_metrics()  # Before Keras 3.15 the loss of a batch is the mean of all so far.
        return [model.train_on_batch(IDS, TARGETS) for _ in range(3)]

    first = losses()
    tf.train.Checkpoint(model, optimizer=model.optimizer).restore(path)
    assert model.optimizer.momentum == pytest.approx(0.7)
    second = losses()
    assert first[0] == second[0]
    assert first[2] != second[2]


def test_fused_update_equals_the_plain_one():
    def run(label, fused):
        return cases.random_run(cases.make(label, fused=fused), steps=10)

    for label in cases.CLASSES:
        np.testing.assert_allclose(run(label, True), run(label, False), atol=1e-6, err_msg=label)


#: Operations that cost nothing at run time.
FREE = {"Const", "Identity", "NoOp", "Placeholder"}
PAIRS = [
    (optimizers.SGD, keras.optimizers.SGD, {}),
    (optimizers.SGD, keras.optimizers.SGD, {"momentum": 0.9}),
    (optimizers.SGD, keras.optimizers.SGD, {"momentum": 0.9, "nesterov": True}),
    (optimizers.Adagrad, keras.optimizers.Adagrad, {}),
    (optimizers.Adadelta, keras.optimizers.Adadelta, {}),
    (optimizers.RMSProp, keras.optimizers.RMSprop, {}),
    (optimizers.Adam, keras.optimizers.Adam, {}),
    (optimizers.AdamW, keras.optimizers.AdamW, {}),
    (optimizers.Adamax, keras.optimizers.Adamax, {}),
    (optimizers.Nadam, keras.optimizers.Nadam, {}),
]


@pytest.mark.parametrize(("ours", "theirs", "kwargs"), PAIRS)
def test_no_more_operations_a_variable_than_keras(ours, theirs, kwargs):
    def operations(make, count):
        variables = [cases.variable(np.ones((4, 4))) for _ in range(count)]
        optimizer = make(**kwargs)
        optimizer.build(variables)

        @tf.function
        def step(gradients):
            optimizer.apply(gradients, variables)

        graph = step.get_concrete_function([tf.ones((4, 4))] * count).graph
        return sum(operation.type not in FREE for operation in graph.get_operations())

    mine, keras_ = (operations(make, 3) - operations(make, 2) for make in (ours, theirs))
    assert mine <= keras_
