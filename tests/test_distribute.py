"""Two real processes on loopback train one model; one of them is killed; both start again."""

import fire_workers
import forked
import keras
import numpy as np
import pytest

from keras_dlnotes.distribute import WorkerLostError, multi_worker, shards
from keras_dlnotes.word2vec import WordVectors

pytestmark = pytest.mark.tensorflow


def run(task, folder):
    """Exit codes and results of both workers."""
    ports = forked.free_ports(2)
    workers = [
        forked.start(fire_workers.worker, task, index, ports, str(folder)) for index in range(2)
    ]
    codes = forked.finished(workers)
    results = []
    for index in range(2):
        path = folder / f"results-{index}.npz"
        results.append(dict(np.load(path)) if path.exists() else None)
        path.unlink(missing_ok=True)
    return codes, results


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    codes, results = run(fire_workers.all_sorts, tmp_path_factory.mktemp("two"))
    assert codes == [0, 0]
    return results


def test_keras_still_needs_it(two):
    assert str(two[0]["plain"]) != "works", (
        "Keras' own fit works under MultiWorkerMirroredStrategy: keras_dlnotes.distribute's "
        "multi_worker is no longer needed with this version. Say so in its docstring."
    )


def test_an_mlp_on_two_workers_is_that_of_one_process(two):
    x, y = fire_workers.data()
    model = fire_workers.mlp()
    history = model.fit(
        x, y, batch_size=64, epochs=3, verbose=0, shuffle=False, validation_data=(x, y)
    ).history
    for key in (key for key in two[0] if key.startswith("mlp_")):
        np.testing.assert_array_equal(two[0][key], two[1][key])
        np.testing.assert_allclose(
            two[0][key], model.get_weights()[int(key[4:])], rtol=1e-4, atol=1e-5
        )
    np.testing.assert_allclose(two[0]["loss"], history["loss"], rtol=1e-4)
    np.testing.assert_allclose(two[0]["val_loss"], history["val_loss"], rtol=1e-4)
    evaluated = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
    assert two[0]["evaluated"] == pytest.approx(evaluated, rel=1e-4)
    np.testing.assert_allclose(
        two[0]["predicted"], model.predict(x[:64], verbose=0), rtol=1e-3, atol=1e-5
    )


def test_word2vec_on_two_workers_learns_as_on_one(two):
    text = fire_workers.corpus()
    for result in two:
        np.testing.assert_array_equal(result["embeddings"], two[0]["embeddings"])
        assert result["total_words"] == text.total_words
    # Each worker reads its own half: together about the text, eight times.
    assert two[0]["words_seen"] == pytest.approx(8 * text.total_words, rel=0.1)
    one = fire_workers.word2vec(text.vocabulary)
    one.fit(text.dataset(128, seed=1), epochs=8, verbose=0)
    quality = fire_workers.separation(one.vectors)
    both = WordVectors(text.vocabulary.words, two[0]["embeddings"])
    assert quality > 0.5
    assert fire_workers.separation(both) > quality - 0.1


@pytest.mark.parametrize(
    ("killed", "task"),
    [
        (1, fire_workers.backed_up_and_killed),
        pytest.param(0, fire_workers.backed_up_and_first_killed, marks=pytest.mark.long),
    ],
)
def test_a_killed_worker_ends_the_other_and_both_go_on(killed, task, tmp_path):
    codes, results = run(task, tmp_path)
    assert codes[killed] == -9
    assert results[killed] is None
    other = results[1 - killed]
    assert codes[1 - killed] == 0
    assert "Start all workers again" in str(other["error"])
    assert other["waited"] < 60
    codes, results = run(fire_workers.backed_up, tmp_path)
    assert codes == [0, 0]
    model = fire_workers.mlp()
    x, y = fire_workers.data()
    model.fit(x, y, batch_size=64, epochs=4, verbose=0, shuffle=False)
    for result in results:
        assert result["epochs"].tolist() == [2, 3]
        for i, expected in enumerate(model.get_weights()):
            np.testing.assert_allclose(result[f"mlp_{i}"], expected, rtol=1e-4, atol=1e-5)
    assert not (tmp_path / "backup").exists()


def test_elsewhere_a_model_comes_back_untouched():
    model = fire_workers.mlp()
    before = dict(vars(model))
    assert multi_worker(model) is model
    assert vars(model).keys() == before.keys()
    with pytest.raises(ValueError, match="Call `compile`"):
        multi_worker(keras.Sequential([keras.layers.Dense(1)]))
    assert issubclass(WorkerLostError, RuntimeError)


def test_shards_of_one_process_are_the_whole():
    text = fire_workers.corpus(100)
    data = shards(lambda n, i: text.dataset(128, seed=1, num_shards=n, shard_index=i))
    assert data.total_words == text.total_words
    assert data.steps == int(text.dataset(128, seed=1).cardinality())


@pytest.fixture
def several(monkeypatch):
    """A strategy for several workers of which this process is the only one."""
    import tensorflow as tf

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    kind = type(strategy.extended)
    monkeypatch.setattr(kind, "_in_multi_worker_mode", lambda extended: True)
    return strategy


def line(optimizer, **how):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse", **how)
    return model


def test_a_dataset_shows_what_fit_gets_as_arrays_do(several):
    import tensorflow as tf

    x = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
    y, weights = x[:, :1], np.ones(16, "float32")
    data = tf.data.Dataset.from_tensor_slices((x, y, weights)).batch(8)
    losses = []
    for shown, given in (((x, y), {"x": x, "y": y, "batch_size": 8}), ((data,), {"x": data})):
        keras.utils.set_random_seed(0)
        with several.scope():
            model = line("sgd")
        multi_worker(multi_worker(model, *shown), *shown)
        history = model.fit(**given, shuffle=False, epochs=2, verbose=0).history
        losses.append(history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-6)


def test_what_cannot_be_trained_is_said_before(several):
    x = np.zeros((8, 4), "float32")
    with several.scope():
        model, spare = line("sgd"), line(keras.optimizers.SGD(gradient_accumulation_steps=2))
        own = keras.optimizers.SGD(use_ema=True, ema_overwrite_frequency=3)
        scaled = line(keras.optimizers.LossScaleOptimizer(own))
        outside = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    outside.compile("sgd", "mse")
    for wrong, given, message in (
        (model, (), "needs `x` and `y`"),
        (model, (x,), "needs `x` and `y`"),
        (spare, (x, x[:, :1]), "Received: gradient_accumulation_steps=2"),
        (scaled, (x, x[:, :1]), "Received: ema_overwrite_frequency=3"),
        (outside, (x, x[:, :1]), r"Call `compile` under `strategy.scope\(\)` too"),
    ):
        before = set(vars(wrong))
        with pytest.raises(ValueError, match=message):
            multi_worker(wrong, *given)
        assert set(vars(wrong)) == before


def test_shards_want_a_function_that_makes_datasets():
    import tensorflow as tf

    data = tf.data.Dataset.range(4).batch(2)
    for wrong, message in (
        (data, r"`make` must be a function of \(num_shards, shard_index\)"),
        (lambda n, i: None, "`make` must return a tf.data.Dataset"),
        (lambda n, i: data.repeat(), "a known, finite length"),
    ):
        with pytest.raises(ValueError, match=message):
            shards(wrong)
