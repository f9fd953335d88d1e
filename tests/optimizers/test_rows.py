"""Embeddings: a lookup with duplicate ids trains like the matrix product it stands for."""

import itertools

import keras
import numpy as np
import optimizer_cases as cases
import pytest

from keras_dlnotes import optimizers
from keras_dlnotes.optimizers import _fused_rows, _rows, _updates

pytestmark = pytest.mark.tensorflow
if keras.backend.backend() != "tensorflow":
    pytest.skip("Gradients of rows are TensorFlow's", allow_module_level=True)

tf = pytest.importorskip("tensorflow")

ROWS, WIDTH = 20, 4


def train(optimizer, lookup, steps=20, jit_compile=False, dtype="float32", sizes=(12,)):
    """A table and a kernel, the table read by lookup or by a one-hot product.

    With several `sizes` batches have these in turn, and none is known when the step is traced.
    """
    generator = np.random.default_rng(3)
    table = cases.variable(0.1 * generator.normal(size=(ROWS, WIDTH)), dtype, name="embeddings")
    kernel = cases.variable(generator.normal(size=(WIDTH, 2)), dtype)
    optimizer.build([table, kernel])
    size = sizes[0] if len(sizes) == 1 else None
    specs = tf.TensorSpec((size,), "int32"), tf.TensorSpec((size, 2), dtype)

    @tf.function(input_signature=specs, jit_compile=jit_compile, autograph=False)
    def step(ids, target):
        with tf.GradientTape() as tape:
            if lookup:
                vectors = tf.gather(table.value, ids)
            else:
                vectors = tf.matmul(tf.one_hot(ids, ROWS, dtype=dtype), table.value)
            loss = tf.reduce_mean((tf.matmul(vectors, kernel.value) - target) ** 2)
            loss = optimizer.scale_loss(loss)
        gradients = tape.gradient(loss, [table.value, kernel.value])
        assert isinstance(gradients[0], tf.IndexedSlices) == lookup
        optimizer.apply(gradients, [table, kernel])

    for _, size in zip(range(steps), itertools.cycle(sizes)):
        ids = np.minimum(generator.zipf(1.5, size=size) - 1, ROWS - 1).astype("int32")
        assert len(set(ids)) < len(ids) or size < 12
        step(tf.constant(ids), tf.constant(generator.normal(size=(size, 2)), dtype))
    return cases.numbers([table, kernel])


def assert_lookup_equals_product(make, **kwargs):
    with_lookup, with_product = train(make(), True, **kwargs), train(make(), False, **kwargs)
    np.testing.assert_allclose(with_lookup, with_product, rtol=0, atol=1e-6)


OPTIONS = [
    {},
    {"rows": "lazy"},
    {"clipnorm": 0.1},
    {"clipvalue": 0.02},
    {"global_clipnorm": 0.1},
    {"row_clipnorm": 1e-3},
    {"weight_decay": 0.01},
]
MORE_OPTIONS = [
    {"clipnorm": 0.1, "rows": "lazy"},
    {"row_clipnorm": 1e-3, "rows": "lazy"},
    {"weight_decay": 0.01, "lazy_weight_decay": True},
    {"weight_decay": 0.01, "lazy_weight_decay": False, "rows": "lazy"},
    {"use_ema": True, "ema_overwrite_frequency": 7},
    {"loss_scale_factor": 8.0},
    {"gradient_accumulation_steps": 3},
    {"gradient_accumulation_steps": 3, "rows": "lazy"},
    {"skip_nonfinite": True},
    {"fused": True},
]
name_of = "-".join


@pytest.mark.parametrize("options", OPTIONS, ids=name_of)
@pytest.mark.parametrize("label", cases.CLASSES)
def test_lookup_equals_one_hot_product(label, options):
    assert_lookup_equals_product(lambda: cases.make(label, learning_rate=0.001, **options))


@pytest.mark.parametrize("options", MORE_OPTIONS, ids=name_of)
@pytest.mark.parametrize("label", ["sgd", "rmsprop", "adam"])
def test_lookup_equals_one_hot_product_with_more_options(label, options):
    assert_lookup_equals_product(lambda: cases.make(label, learning_rate=0.001, **options))


@pytest.mark.parametrize("options", [{}, {"rows": "lazy"}, {"row_clipnorm": 1e-3}], ids=name_of)
@pytest.mark.parametrize("label", ["sgd", "momentum", "rmsprop"])
def test_lookup_equals_one_hot_product_under_xla(label, options):
    def make():
        return cases.make(label, learning_rate=0.001, **options)

    assert_lookup_equals_product(make, jit_compile=True)
    np.testing.assert_allclose(
        train(make(), True, jit_compile=True), train(make(), True), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("label", ["sgd", "momentum", "adagrad", "adam"])
def test_lookup_equals_one_hot_product_in_half_precision(label):
    """As far as bfloat16 products agree: rounded weights, float32 averages."""

    def make():
        return cases.make(label, learning_rate=0.01)

    one, other = (train(make(), lookup, steps=5, dtype="bfloat16") for lookup in (True, False))
    np.testing.assert_allclose(one, other, atol=0.03)


TABLE_OPTIONS = [
    {},
    {"weight_decay": 0.01},
    {"weight_decay": 0.01, "lazy_weight_decay": True},
    {"row_clipnorm": 1e-3},
    {"skip_nonfinite": True, "clipnorm": 0.1},
]


@pytest.mark.parametrize("options", TABLE_OPTIONS, ids=name_of)
@pytest.mark.parametrize("label", ["momentum", "rmsprop_centered", "adam_amsgrad", "nadam"])
@pytest.mark.parametrize("sizes", [(12,), (12, 9, 1)], ids=["known", "of any size"])
def test_large_tables_are_updated_around_the_batch(sizes, label, options, monkeypatch):
    """Only for tables of millions of numbers, so here the limit is lowered."""

    def make():
        return cases.make(label, learning_rate=0.001, fused=True, **options)

    expected = train(make(), True, sizes=sizes)
    monkeypatch.setattr(_updates, "TABLE_SIZE", 0)
    monkeypatch.setattr(_updates, "FEW", 0)
    sums = []
    monkeypatch.setattr(_rows, "dense", lambda rows: sums.append(rows))
    np.testing.assert_allclose(train(make(), True, sizes=sizes), expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(train(make(), False, sizes=sizes), expected, rtol=0, atol=1e-6)
    assert sums == []


@pytest.mark.parametrize("label", ["sgd", "momentum", "adagrad", "adam"])
def test_lookups_by_xla_in_batches_of_any_size(label, monkeypatch):
    """Only for batches of thousands of numbers, so here the limit is lowered."""

    def make():
        return cases.make(label, learning_rate=0.001, rows="lazy")

    expected = train(make(), True, sizes=(12, 9, 1))
    monkeypatch.setattr(_fused_rows, "LARGE", 20)
    np.testing.assert_allclose(train(make(), True, sizes=(12, 9, 1)), expected, rtol=0, atol=1e-6)


def test_a_table_of_millions_of_numbers_in_fit():
    """`fit` knows the size of no batch beforehand."""
    model = keras.Sequential([keras.layers.Embedding(2**16, 2**6), keras.layers.Dense(1)])
    model.compile(optimizers.Adam(), "mse")
    rows = np.array([[5], [7], [5]])
    model.build(rows.shape)
    before = np.array(model.layers[0].embeddings)
    model.fit(rows, np.ones((3, 1, 1)), batch_size=2, verbose=0)
    moved = np.any(np.array(model.layers[0].embeddings) != before, axis=1)
    np.testing.assert_array_equal(np.flatnonzero(moved), [5, 7])


def test_sums_of_equal_ids_by_xla_are_those_of_tensorflow(monkeypatch):
    ids = tf.constant([7, 2, 7, 7, 0, 2], "int32")
    values = tf.reshape(tf.range(18.0), (6, 3))

    @tf.function
    def merged(ids, values):
        rows = _rows.merge(_rows.Rows(ids, values, (9, 3), merged=False))
        return rows.ids, rows.values

    plain = [x.numpy() for x in merged(ids, values)]
    monkeypatch.setattr(_fused_rows, "LARGE", 0)
    merged = tf.function(merged.python_function)
    by_xla = [x.numpy() for x in merged(ids, values)]
    np.testing.assert_array_equal(by_xla[0], [7, 2, 0])
    np.testing.assert_array_equal(by_xla[1], [[15, 18, 21], [18, 20, 22], [12, 13, 14]])
    np.testing.assert_array_equal(plain[1], by_xla[1])
    calls = merged.get_concrete_function(ids, values).graph.get_operations()
    assert not any(op.type == "UnsortedSegmentSum" for op in calls)


@pytest.mark.parametrize("count", [6, None], ids=["known", "any number"])
@pytest.mark.parametrize("large", [False, True])
def test_rows_subtracted_by_xla_are_those_of_tensorflow(monkeypatch, large, count):
    monkeypatch.setattr(_fused_rows, "LARGE", 1 if large else 10**9)
    table = keras.Variable(np.ones((9, 3), "float32"), name="embeddings")
    optimizer = optimizers.SGD(0.5)
    optimizer.build([table])

    @tf.function(input_signature=[tf.TensorSpec((count,), "int64"), tf.TensorSpec((count, 3))])
    def step(ids, values):
        optimizer.apply([tf.IndexedSlices(values, ids, (9, 3))], [table])

    ids, values = np.array([7, 2, 7, 7, 0, 2]), np.arange(18.0, dtype="float32").reshape(6, 3)
    step(ids, values)
    expected = np.ones((9, 3), "float32")
    np.subtract.at(expected, ids, 0.5 * values)
    np.testing.assert_array_equal(table.numpy(), expected)
    kinds = {op.type for op in step.get_concrete_function().graph.get_operations()}
    # Of any number: chosen when the step runs.
    assert ("If" in kinds, "ResourceScatterSub" in kinds) == (not count, bool(count) and not large)


def test_which_tables_are_large():
    optimizer = optimizers.Adam()

    def moves(shape, count):
        rows = _rows.Rows(tf.zeros((count,), "int32"), None, shape)
        return _updates.moves_table(optimizer, rows)

    assert moves((71_290, 100), 4096)
    assert not moves((71_290, 100), 30_000)
    assert not moves((10_000, 100), 10)
    assert not _updates.moves_table(
        optimizers.Adam(fused=False), _rows.Rows(tf.zeros((1,), "int32"), None, (71_290, 100))
    )


@pytest.mark.parametrize("label", cases.LABELS)
def test_lazy_leaves_absent_rows_alone(label):
    table = cases.variable(np.ones((5, 2)), name="embeddings")
    optimizer = cases.make(label, rows="lazy", weight_decay=0.1, learning_rate=0.1)
    for ids in ([0, 1, 1], [1, 3]):
        values = np.full((len(ids), 2), 0.5, "float32")
        optimizer.apply([tf.IndexedSlices(values, np.array(ids), (5, 2))], [table])
    moved = np.any(table.numpy() != 1, axis=1)
    np.testing.assert_array_equal(moved, [True, True, False, True, False])
    # Row 0 rested in the second step: it is where one step alone takes it.
    alone = cases.variable(np.ones((5, 2)), name="embeddings")
    single = cases.make(label, rows="lazy", weight_decay=0.1, learning_rate=0.1)
    single.apply([tf.IndexedSlices(np.full((1, 2), 0.5, "f4"), np.array([0]), (5, 2))], [alone])
    np.testing.assert_allclose(table.numpy()[0], alone.numpy()[0], rtol=1e-6)


@pytest.mark.parametrize("label", cases.LABELS)
@pytest.mark.parametrize("rows", ["exact", "lazy"])
def test_row_clipnorm_bounds_the_merged_step(label, rows):
    table = cases.variable(np.ones((4, 3)), name="embeddings")
    optimizer = (
        cases.make(label, rows=rows, row_clipnorm=0.25, learning_rate=50.0, weight_decay=None)
        if label != "adamw"
        else optimizers.AdamW(50.0, 0.0, rows=rows, row_clipnorm=0.25)
    )
    ids = np.array([0, 2, 2])
    optimizer.apply([tf.IndexedSlices(np.full((3, 3), 9.0, "float32"), ids, (4, 3))], [table])
    lengths = np.linalg.norm(table.numpy() - 1, axis=1)
    if not label.startswith("adadelta"):  # Its first steps are tiny whatever the gradient.
        np.testing.assert_allclose(lengths[[0, 2]], 0.25, rtol=1e-5)
    assert np.all(lengths[[1, 3]] == 0)


def test_the_dense_table_is_never_built_where_rows_suffice():
    """The graph of a lazy step holds no tensor of the table's size."""
    table = cases.variable(np.zeros((977, 3)), name="embeddings")
    for optimizer in (
        optimizers.LazyAdam(),
        optimizers.Adagrad(),
        optimizers.SGD(row_clipnorm=0.1),
        optimizers.Momentum(rows="lazy", clipnorm=1.0),
        optimizers.SGD(weight_decay=0.1, lazy_weight_decay=True),
    ):
        optimizer.build([table])

        @tf.function
        def step(values, ids, optimizer=optimizer):
            optimizer.apply([tf.IndexedSlices(values, ids, (977, 3))], [table])

        values, ids = tf.zeros((8, 3)), tf.zeros((8,), "int32")
        graph = step.get_concrete_function(values, ids).graph
        sized = [
            output.name
            for op in graph.get_operations()
            for output in op.outputs
            if output.shape.rank and output.shape[0] == 977
        ]
        assert sized == []


@pytest.mark.parametrize("inner", [lambda: optimizers.Adam(0.001), lambda: keras.optimizers.Adam()])
def test_adaptive_clip_sees_the_product_too(inner):
    assert_lookup_equals_product(lambda: optimizers.AdaptiveClip(inner(), clipping=0.01))


@pytest.mark.parametrize("label", cases.CLASSES)
def test_gradients_made_by_hand_may_hold_plain_sequences(label):
    def moved(ids, values):
        table = cases.variable(np.ones((4, 2)), name="embeddings")
        cases.make(label).apply([tf.IndexedSlices(values, ids, (4, 2))], [table])
        return table.numpy()

    by_hand = moved((0, 2, 2), [[0.5, 0.5]] * 3)
    np.testing.assert_array_equal(by_hand, moved(tf.constant([0, 2, 2]), tf.fill((3, 2), 0.5)))
    assert np.any(by_hand != 1)
