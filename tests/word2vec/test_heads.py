import keras
import numpy as np
import pytest

from keras_dlnotes.word2vec import HierarchicalSoftmax, HuffmanTree, NegativeSampling

COUNTS = [40, 20, 10, 10, 7, 5, 3, 1]
HEADS = {
    "hierarchical": lambda: HierarchicalSoftmax(COUNTS),
    "negative": lambda: NegativeSampling(COUNTS, negative=3, seed=1),
    "shared": lambda: NegativeSampling(COUNTS, negative=3, shared=16, seed=1),
}


def built(make):
    head = make()
    head.build((None, 5))
    rng = np.random.default_rng(0)
    head.set_weights([rng.normal(size=w.shape) if w.ndim else w for w in head.get_weights()])
    if hasattr(head, "rows"):
        head.rows.assign(rng.normal(size=(8, 5)))
    return head


@pytest.mark.parametrize("name", HEADS)
def test_a_model_with_it_learns_saves_and_loads(name, tmp_path):
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 8, 512)
    inputs = np.eye(8, dtype="float32")[labels] + 0.1 * rng.normal(size=(512, 8)).astype("float32")
    x, y = keras.Input((8,)), keras.Input((), dtype="int32")
    head = HEADS[name]()
    model = keras.Model([x, y], head(keras.layers.Dense(5, kernel_initializer="orthogonal")(x), y))
    model.compile(keras.optimizers.Adam(0.05))
    history = model.fit([inputs, labels], epochs=40, batch_size=64, verbose=0).history["loss"]
    assert history[-1] < 0.6 * history[0]
    hidden = model.layers[1](inputs[:64])
    assert (head.predict(hidden) == labels[:64]).mean() > 0.9
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    own = next(layer for layer in again.layers if isinstance(layer, type(head)))
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(own.probabilities(hidden)),
        keras.ops.convert_to_numpy(head.probabilities(hidden)),
    )


@pytest.mark.parametrize("name", HEADS)
def test_probabilities_sum_to_one_and_top_k_sorts_them(name):
    head = built(HEADS[name])
    hidden = np.random.default_rng(2).normal(size=(6, 5)).astype("float32")
    shares = keras.ops.convert_to_numpy(head.probabilities(hidden))
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    values, classes = map(keras.ops.convert_to_numpy, head.top_k(hidden, 3))
    np.testing.assert_array_equal(classes, np.argsort(-shares, axis=1)[:, :3])
    np.testing.assert_allclose(values, -np.sort(-shares, axis=1)[:, :3])
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(head(hidden)), shares)


def test_hierarchical_loss_follows_the_path():
    head, tree = built(HEADS["hierarchical"]), HuffmanTree(COUNTS)
    hidden = np.random.default_rng(3).normal(size=(8, 5)).astype("float32")
    nodes = keras.ops.convert_to_numpy(head.nodes)
    expected = []
    for label, h in enumerate(hidden):
        signs = [1 if bit == "0" else -1 for bit in tree.code(label)]
        expected.append(np.log1p(np.exp(-np.array(signs) * (nodes[tree.path(label)] @ h))).sum())
    got = keras.ops.convert_to_numpy(head(hidden, np.arange(8)))
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    logs = keras.ops.convert_to_numpy(head.log_probabilities(hidden))
    np.testing.assert_allclose(-logs[np.arange(8), np.arange(8)], expected, rtol=1e-5)


@pytest.mark.parametrize("shared", [None, 7])
def test_negative_sampling_is_the_formula_for_the_noise_drawn(shared):
    make = lambda: NegativeSampling(COUNTS, negative=3, shared=shared, seed=5)  # noqa: E731
    head = built(make)
    hidden = np.random.default_rng(3).normal(size=(2, 5)).astype("float32")
    rows = keras.ops.convert_to_numpy(head.rows)
    noise = keras.ops.convert_to_numpy(make().sample((2, 3) if shared is None else (7,)))
    expected = np.logaddexp(0, -(hidden * rows[[3, 4]]).sum(1))
    for example in range(2):
        of_example = noise[example] if shared is None else noise
        weight = 1 if shared is None else 3 / 7
        expected[example] += weight * np.logaddexp(0, rows[of_example] @ hidden[example]).sum()
    got = keras.ops.convert_to_numpy(head(hidden, np.array([3, 4])))
    np.testing.assert_allclose(got, expected, rtol=1e-5)


@pytest.mark.parametrize("name", HEADS)
def test_under_mixed_precision(name):
    keras.config.set_dtype_policy("mixed_float16")
    x, y = keras.Input((5,)), keras.Input((), dtype="int32")
    hidden, head = keras.layers.Dense(5)(x), HEADS[name]()
    model = keras.Model([x, y], [head(hidden, y), head(hidden)])
    assert [(out.shape, out.dtype) for out in model.outputs] == [
        ((None,), "float32"), ((None, 8), "float32")
    ]  # fmt: skip
    model.compile("adam")
    given = [HIDDEN, np.arange(6)]
    losses = model.fit(given, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert [out.dtype for out in model.predict(given, verbose=0)] == ["float32"] * 2


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", HEADS)
def test_compiled_by_xla(name):
    def losses(jit_compile):
        keras.utils.set_random_seed(1)
        x, y = keras.Input((5,)), keras.Input((), dtype="int32")
        model = keras.Model([x, y], HEADS[name]()(keras.layers.Dense(5)(x), y))
        model.compile("adam", jit_compile=jit_compile)
        return model.fit([HIDDEN, np.arange(6)], epochs=4, verbose=0).history["loss"]

    # XLA draws other noise.
    np.testing.assert_allclose(losses(True), losses(False), rtol=1e-5 if name[0] == "h" else 0.01)


HIDDEN = np.random.default_rng(2).normal(size=(6, 5)).astype("float32")


@pytest.mark.parametrize("name", HEADS)
def test_a_batch_of_one_and_of_none(name):
    head = built(HEADS[name])
    (loss,) = keras.ops.convert_to_numpy(head(HIDDEN[:1], np.arange(1)))
    assert keras.ops.convert_to_numpy(head.losses[0]) == loss
    assert head(HIDDEN[:0], np.arange(0)).shape == (0,)
    # The mean of nothing, NaN, would end the training of all.
    assert keras.ops.convert_to_numpy(head.losses[0]) == 0
    assert head(HIDDEN[:0]).shape == (0, len(COUNTS))


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@pytest.mark.parametrize("value", [0, 1e-40, 6e-8, 65504, -65504, np.inf, np.nan])
@pytest.mark.parametrize("name", HEADS)
def test_numbers_at_the_edge_stay_in_their_row(name, value, policy):
    keras.config.set_dtype_policy(policy)
    head, given = built(HEADS[name]), HIDDEN.copy()
    given[0] = value
    given = given.astype("float16" if policy == "mixed_float16" else "float32")
    loss = keras.ops.convert_to_numpy(head(given, np.arange(6)))
    shares = keras.ops.convert_to_numpy(head(given))
    for result in (loss, shares):
        assert result.dtype == "float32"
        assert np.isfinite(result[1:]).all()
        assert np.isfinite(result[0]).all() == np.isfinite(value)
    np.testing.assert_allclose(shares[1:].sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["hierarchical", "shared"])
def test_a_million_classes(name):
    counts = np.arange(10**6, 0, -1)
    head = {
        "hierarchical": lambda: HierarchicalSoftmax(counts),
        "shared": lambda: NegativeSampling(counts, 5, shared=16, seed=1),
    }[name]()
    hidden = np.ones((2, 3), "float32")
    loss = keras.ops.convert_to_numpy(head(hidden, np.array([0, 10**6 - 1])))
    if name == "hierarchical":
        np.testing.assert_allclose(loss, head.tree.lengths[[0, -1]] * np.log(2), rtol=1e-5)
    else:
        np.testing.assert_allclose(loss, 6 * np.log(2), rtol=1e-5)
    shares = keras.ops.convert_to_numpy(head.probabilities(hidden[:1]))
    assert shares.sum() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("counts", [[3], [2, -1], [], 3, "ab", [[1, 2]], [1.5, 2], None])
def test_bad_counts(counts):
    with pytest.raises(ValueError, match="counts"):
        HierarchicalSoftmax(counts)
