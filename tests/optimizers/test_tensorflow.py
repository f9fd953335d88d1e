"""TensorFlow's own: XLA, loss scaling, several replicas, checkpoints."""

import keras
import numpy as np
import optimizer_cases as cases
import pytest

from keras_dlnotes import optimizers
from keras_dlnotes.optimizers import _stacks

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
def test_no_more_operations_a_variable_than_keras(ours, theirs, kwargs, monkeypatch):
    monkeypatch.setattr(_stacks, "SMALL", -1)
    assert added_operations(ours, kwargs) <= added_operations(theirs, kwargs)


def added_operations(make, kwargs):
    """How many a third variable adds to the step of two."""

    def operations(count):
        variables = [cases.variable(np.ones((4, 4))) for _ in range(count)]
        optimizer = make(**kwargs)
        optimizer.build(variables)

        @tf.function
        def step(gradients):
            optimizer.apply(gradients, variables)

        graph = step.get_concrete_function([tf.ones((4, 4))] * count).graph
        return sum(operation.type not in FREE for operation in graph.get_operations())

    return operations(3) - operations(2)


#: Options that a stack has to heed, each on its own.
OPTIONS = {
    "bare": {},
    "decay of some": {"weight_decay": 0.1},
    "steps left out": {"skip_nonfinite": True},
    "clipped": {"clipnorm": 0.5},
    "averaged": {"use_ema": True, "ema_overwrite_frequency": 2},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("label", cases.LABELS)
def test_stacked_variables_are_updated_as_each_alone(label, options, monkeypatch):
    shapes = [(3, 2), (5,), (3, 2), (), (5,), (1, 700), (3, 2), ()]

    def run():
        generator = np.random.default_rng(1)
        variables = [cases.variable(generator.normal(size=shape)) for shape in shapes]
        variables[4] = cases.variable(generator.normal(size=5), "float64")
        optimizer = cases.make(label, **options)
        optimizer.exclude_from_weight_decay([variables[2]])
        for number in range(3):
            gradients = [generator.normal(size=shape) for shape in shapes]
            if number == 1 and "skip_nonfinite" in options:
                gradients[3] = np.float64("nan")
            gradients = [tf.cast(g, v.dtype) for g, v in zip(gradients, variables, strict=True)]
            cases.step(optimizer, gradients, variables)
        return [v.numpy() for v in variables + optimizer.variables]

    stacked = run()
    monkeypatch.setattr(_stacks, "SMALL", -1)
    for ours, alone in zip(stacked, run(), strict=True):
        np.testing.assert_allclose(ours, alone, rtol=1e-6, atol=1e-7)


def test_stacks_are_of_small_dense_variables_of_one_kind():
    optimizer = optimizers.Adam(weight_decay=0.1)
    variables = [cases.variable(np.ones(shape)) for shape in [(2,)] * 4 + [(3,)] + [(600,)] * 2]
    variables += [cases.variable(np.ones(2), "float64"), cases.variable(np.ones(2), "bfloat16")]
    variables += [cases.variable(np.ones((2,)), name="embeddings")] * 2
    optimizer.exclude_from_weight_decay([variables[3]])
    optimizer.build(variables[:-1])
    pairs = [(variable.value, variable) for variable in variables]
    stacks, alone = _stacks.sort(optimizer, pairs)
    assert [[id(v) for _, v in stack] for stack in stacks] == [[id(v) for v in variables[:3]]]
    assert len(alone) == len(variables) - 3
    many = [pairs[0]] * (_stacks.MOST // 2 + 1)
    stacks, alone = _stacks.sort(optimizer, many)
    assert [len(stack) for stack in stacks] == [_stacks.MOST // 2]
    assert len(alone) == 1
    assert not _stacks.sort(optimizers.Adam(fused=True), pairs[4:7])[0]


def test_a_subclass_with_an_update_of_its_own_is_asked_for_each_variable():
    class Counting(optimizers.SGD):
        asked = 0

        def update_step(self, *arguments):
            self.asked += 1
            super().update_step(*arguments)

    optimizer, variables = Counting(), [cases.variable(np.ones(2)) for _ in range(3)]
    cases.step(optimizer, [tf.ones(2)] * 3, variables)
    assert optimizer.asked == 3


@pytest.mark.parametrize(("ours", "theirs", "kwargs"), PAIRS)
def test_a_variable_more_in_a_stack_is_only_read_and_written(ours, theirs, kwargs):
    optimizer = ours(**kwargs)
    decays = optimizer.weight_decay is not None  # Then the weights are read as well.
    assert added_operations(ours, kwargs) == 1 + decays + 2 * len(optimizer.slots())


@pytest.mark.parametrize("shape", [(3,), (600, 2)])
@pytest.mark.parametrize(
    ("make", "options", "moved"),
    [
        (optimizers.GradientDescent, {}, 0.5),
        (optimizers.GradientDescent, {"clipvalue": 0.5}, 0.25),
        (optimizers.SGD, {}, 0.5),
        (optimizers.SGD, {"dampening": 0.25}, 0.375),
    ],
)
def test_plain_descent_is_one_operation(make, options, moved, shape):
    optimizer, variable = make(0.5, **options), cases.variable(np.ones(shape))
    optimizer.build([variable])

    @tf.function
    def step(gradient):
        optimizer.apply([gradient], [variable])

    graph = step.get_concrete_function(tf.ones(shape)).graph
    types = [operation.type for operation in graph.get_operations()]
    assert types.count("ResourceApplyGradientDescent") == 1
    assert "AssignSubVariableOp" not in types
    step(tf.ones(shape))
    np.testing.assert_allclose(variable.numpy(), 1 - moved)
