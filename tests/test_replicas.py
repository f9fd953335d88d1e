"""Two devices equal one: each layer, activation, loss, regularizer, model, optimizer, callback.

They stand side by side in one model or one step, since each is traced anew for each device.
Elsewhere: `callbacks/test_gradient_monitor.py` (the summed gradient's numbers), BatchNormalization
against Keras' in `layers/test_batch_normalization.py`, `callbacks/test_one_cycle.py`, the finder in
`callbacks/test_learning_rate_finder.py`, clips in `optimizers/test_tensorflow.py`.
"""

import contextlib

import fire_workers
import keras
import numpy as np
import pytest
import samples
from test_contracts import of, targets

from keras_dlnotes import callbacks, distribute, losses, optimizers
from keras_dlnotes.layers import BatchNormalization, RReLU
from keras_dlnotes.word2vec import HierarchicalSoftmax, NegativeSampling

pytestmark = pytest.mark.tensorflow
if keras.backend.backend() != "tensorflow":
    pytest.skip("rests on TensorFlow", allow_module_level=True)

tf = pytest.importorskip("tensorflow")

STEPS, ROWS = 20, 8
X = np.random.default_rng(0).normal(size=(ROWS, 4)).astype("float32")


@pytest.fixture(scope="module")
def two():
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def of_layers(random=False):
    """Layers and models side by side, between a dense layer and a vector of their means."""
    inputs, means = {}, []
    for parameter in of(samples.Layer):
        thing, sample = parameter.values
        if sample.random != random or sample.inputs != "normal" or thing is BatchNormalization:
            continue
        shape = sample.shape[1:]
        if shape not in inputs:
            data = np.random.default_rng(sum(shape)).normal(size=(ROWS, *shape)).astype("float32")
            symbol = keras.Input(shape)
            inputs[shape] = data, symbol, keras.layers.Dense(shape[-1])(symbol)
        data, _, hidden = inputs[shape]
        layer = sample.make()
        if sample.prepare is not None:
            sample.prepare(layer, data)
        y = keras.layers.Flatten()(layer(hidden))
        means.append(keras.ops.mean(y[:, ::2], axis=-1, keepdims=True))
    model = keras.Model([symbol for _, symbol, _ in inputs.values()], keras.ops.hstack(means))
    model.compile(optimizers.SGD(0.05), "mse")
    return model, [data for data, _, _ in inputs.values()], np.ones((ROWS, len(means)), "float32")


def of_functions():
    """Losses, regularizers and activations behind one dense layer."""
    table = of(samples.Loss)
    inputs, y, heads = keras.Input((4,)), [], []
    hidden = keras.layers.Dense(3 * len(table))(inputs)
    for i, parameter in enumerate(table):
        sample = parameter.values[1]
        activation = "linear"
        if not sample.from_logits:
            activation = "sigmoid" if sample.targets == "binary" else "softmax"
        heads.append(keras.layers.Activation(activation)(hidden[:, 3 * i : 3 * i + 3]))
        y.append(targets(sample.targets, (ROWS, 3)))
    rest = []
    for parameter in of(samples.Regularizer):
        make = parameter.values[1].make
        weights = None if "KL" in parameter.id else make()
        rest.append(
            keras.layers.Dense(
                2, "sigmoid", kernel_regularizer=weights, activity_regularizer=make()
            )(inputs)
        )
    rest += [p.values[0](hidden) for p in of(samples.Activation)]
    # Each device draws slopes of its own, so with but one slope to draw.
    rest.append(RReLU(0.2, 0.2)(hidden))
    rest = keras.ops.concatenate(rest, -1)
    model = keras.Model(inputs, [*heads, rest])
    model.compile(optimizers.Adam(0.01), [*(p.values[1].make() for p in table), "mse"])
    return model, X, [*y, np.ones((ROWS, rest.shape[-1]), "float32")]


def trained(make, strategy=None, **how):
    keras.utils.set_random_seed(1)
    with strategy.scope() if strategy else contextlib.nullcontext():
        model, x, y = make()
        if how:
            model.compile(model.optimizer, model.loss, **how)
    # Each epoch is one step, always with the same batch.
    history = model.fit(x, y, batch_size=ROWS, epochs=STEPS, verbose=0, shuffle=False).history
    assert np.mean(history["loss"][-5:]) < np.mean(history["loss"][:5])
    return history["loss"], [(v.path, np.asarray(v)) for v in model.weights]


def compare(one, other, loss=1e-5, weights=1e-5):
    np.testing.assert_allclose(other[0], one[0], rtol=loss)
    for (name, a), (_, b) in zip(one[1], other[1], strict=True):
        np.testing.assert_allclose(b, a, rtol=weights, atol=weights, err_msg=name)


#: A sparsity penalty, and a mean over the examples that count, are logged as each device has them.
@pytest.mark.parametrize(("make", "loss"), [(of_layers, 1e-4), (of_functions, 0.01)])
def test_two_devices_equal_one(make, loss, two):
    compare(trained(make), trained(make, two), loss)


@pytest.mark.long
def test_activations_losses_and_regularizers_compiled_by_xla():
    """Layers and optimizers: `test_contracts.py`."""
    compare(trained(of_functions), trained(of_functions, jit_compile=True), 1e-4, 1e-4)


def test_random_layers_learn_and_stay_alike(two):
    _, weights = trained(lambda: of_layers(random=True), two)
    model, x, _ = of_layers(random=True)
    with two.scope():
        other = of_layers(random=True)[0]
    for each in (model, other):
        each.set_weights([value for _, value in weights])
    np.testing.assert_allclose(
        other.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5, atol=1e-5
    )


# -------------------------------------------------------- what a batch shares over its devices

Y = np.array([0, 1, 2, 1, 1, 1, 1, 0])
WEIGHTS = np.array([3, 1, 0, 0, 1, 1, 1, 0.5], "float32")


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("ignore_class", [None, 1])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean_with_sample_weight", "sum"])
def test_examples_that_do_not_count_are_counted_over_all_devices(
    reduction, ignore_class, weights, two
):
    loss = losses.SparseCategoricalCrossentropy(
        True, ignore_class=ignore_class, reduction=reduction
    )

    def gradient(y, p, w):
        with tf.GradientTape() as tape:
            tape.watch(p)
            value = loss(y, p, w if weights is not None else None)
        return tape.gradient(value, p)

    given = [tf.constant(each) for each in (Y, X[:, :3], WEIGHTS)]
    halves = [
        two.experimental_distribute_values_from_function(
            lambda context, each=each: each[context.replica_id_in_sync_group * ROWS // 2 :][
                : ROWS // 2
            ]
        )
        for each in given
    ]
    parts = two.experimental_local_results(two.run(tf.function(gradient), halves))
    np.testing.assert_allclose(np.concatenate(parts), gradient(*given), rtol=1e-5, atol=1e-7)


# --------------------------------------------------------------------- optimizers and schedules

IDS = np.random.default_rng(3).integers(0, 5, (STEPS, ROWS))
ROWS_OF = np.random.default_rng(4).normal(size=(STEPS, ROWS, 3)).astype("float32")
GRADIENTS = np.random.default_rng(5).normal(size=(STEPS, 2, 4, 3)).astype("float32")


def stepped(makes, strategy=None):
    """Weights after steps with gradients of a matrix and of a table's rows, half on each device."""
    with strategy.scope() if strategy else contextlib.nullcontext():
        pairs = [[keras.Variable(np.ones((n, 3), "float32")) for n in (4, 5)] for _ in makes]
        made = [make() for make in makes]
        for optimizer, variables in zip(made, pairs, strict=True):
            optimizer.build(variables)

    def step(dense, ids, values):
        for optimizer, (matrix, table) in zip(made, pairs, strict=True):
            optimizer.apply([dense, tf.IndexedSlices(values, ids, (5, 3))], [matrix, table])

    def whole(i):
        step(tf.reduce_sum(tf.gather(GRADIENTS, i), 0), tf.gather(IDS, i), tf.gather(ROWS_OF, i))

    def half(i):
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        mine = slice(replica * ROWS // 2, (replica + 1) * ROWS // 2)
        dense = tf.gather(tf.gather(GRADIENTS, i), replica)
        step(dense, tf.gather(IDS, i)[mine], tf.gather(ROWS_OF, i)[mine])

    run = whole if strategy is None else lambda i: strategy.run(half, (i,))
    run = tf.function(run, autograph=False)
    for i in range(STEPS):
        run(tf.constant(i))
    return [np.concatenate([np.asarray(v).ravel() for v in variables]) for variables in pairs]


def test_optimizers_and_schedules_step_alike(two):
    labels, makes = [], []
    for parameter in of(samples.Optimizer):
        labels.append(parameter.id)
        makes.append(parameter.values[1].make)
    for parameter in of(samples.Schedule):
        labels.append(parameter.id)
        makes.append(lambda make=parameter.values[1].make: optimizers.SGD(make()))
    for label, one, other in zip(labels, stepped(makes), stepped(makes, two), strict=True):
        assert (one != 1).all(), label
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-5, err_msg=label)


# ------------------------------------------------------------------------------------ callbacks


class Interruption(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise InterruptedError


def watched(folder, strategy=None, interrupted=False):
    """The weights at the end of a fit, and the callbacks that took part in it."""
    keras.utils.set_random_seed(1)
    folder.mkdir()
    layers = [
        keras.layers.Dense(6, "relu", name="hidden"),
        keras.layers.Dense(3, "sigmoid", name="gates"),
        BatchNormalization(synchronized=True, name="normalized"),
        keras.layers.Dense(2, name="outputs"),
    ]
    with strategy.scope() if strategy else contextlib.nullcontext():
        model = keras.Sequential([keras.Input((4,)), *layers])
        model.compile(optimizers.Adam(0.05), "mse")
    others = {
        "activations": callbacks.ActivationMonitor(sample=X, on_problem=None),
        "convergence": callbacks.Convergence(0.0, state_path=folder / "convergence.json"),
        "time": callbacks.TimeStopping(600, state_path=folder / "time.json"),
        "trajectory": callbacks.TrajectoryRecorder(every=2),
        "backup": callbacks.BackupAndRestore(folder / "backup"),
    }

    def fit(*more):
        how = {"batch_size": 4, "epochs": 4, "verbose": 0, "shuffle": False}
        model.fit(X, X[:, :2], callbacks=[*others.values(), *more], **how)

    if interrupted:
        with pytest.raises(InterruptedError):
            fit(Interruption())
    fit()
    return flat(model.get_weights()), others


def test_callbacks_do_on_two_devices_what_they_do_on_one(two, tmp_path):
    weights, one = watched(tmp_path / "one")
    same, other = watched(tmp_path / "two", two)
    np.testing.assert_allclose(same, weights, rtol=1e-5, atol=1e-5)
    for statistic, seen in one["activations"].history.items():
        again = other["activations"].history[statistic]
        for name in seen if isinstance(seen, dict) else ():
            np.testing.assert_allclose(again[name], seen[name], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(other["convergence"].changes, one["convergence"].changes, rtol=1e-4)
    first, second = (map(flat, each["trajectory"].snapshots) for each in (one, other))
    np.testing.assert_allclose(list(second), list(first), rtol=1e-5, atol=1e-5)
    # A fit that breaks off goes on where it was, to the same end.
    again, resumed = watched(tmp_path / "resumed", two, interrupted=True)
    np.testing.assert_array_equal(again, same)
    assert resumed["convergence"].changes == other["convergence"].changes


def flat(arrays):
    return np.concatenate([array.ravel() for array in arrays])


# ------------------------------------------------------------------------ heads for many classes


def of_heads():
    """Side by side, each behind a layer of its own."""
    counts = [40, 20, 10, 10, 7, 5, 3, 1]
    heads = [
        HierarchicalSoftmax(counts, name="exact_head"),
        NegativeSampling(counts, 3, name="head"),
        NegativeSampling(counts, 3, shared=16, name="shared_head"),
    ]
    inputs, labels = keras.Input((4,)), keras.Input((), dtype="int32")
    model = keras.Model(
        [inputs, labels],
        [head(keras.layers.Dense(5, name=f"{head.name}_in")(inputs), labels) for head in heads],
    )
    model.compile(optimizers.Adam(0.05))
    return model, [X, np.arange(ROWS) % len(counts)], None


def test_heads_for_many_classes(two):
    one, other = trained(of_heads), trained(of_heads, two)
    # Noise is drawn by each device for itself.
    exact = [[(name, w) for name, w in run[1] if "exact" in name] for run in (one, other)]
    assert len(exact[0]) == 3
    compare(([], exact[0]), ([], exact[1]))


# ------------------------------------------------------------------------------------- Word2Vec


def test_word2vec_on_two_devices_learns_as_on_one(two):
    text = fire_workers.corpus()
    one = fire_workers.word2vec(text.vocabulary)
    one.fit(text.dataset(128, seed=1), epochs=6, verbose=0)
    with two.scope():
        other = fire_workers.word2vec(text.vocabulary)
    data = distribute.shards(lambda n, i: text.dataset(64, seed=1), two)
    assert data.total_words == text.total_words
    other.fit(data, steps_per_epoch=data.steps, epochs=6, verbose=0)
    seen = float(keras.ops.convert_to_numpy(other.words_seen))
    assert seen == pytest.approx(6 * text.total_words, rel=0.05)
    quality = [fire_workers.separation(model.vectors) for model in (one, other)]
    assert quality[0] > 0.5
    assert quality[1] > quality[0] - 0.1
