import hashlib
import pathlib

import forked
import keras
import numpy as np
import pytest

from keras_dlnotes import callbacks, optimizers
from keras_dlnotes.word2vec import Corpus, Vocabulary, Word2Vec, WordVectors

TORCH = keras.backend.backend() == "torch"
MODES = [
    (architecture, output)
    for architecture in ("skip_gram", "cbow")
    for output in ("negative_sampling", "hierarchical_softmax")
]


def two_topics(sentences=600, seed=0):
    """Sentences are about one of two topics, ten words each."""
    rng = np.random.default_rng(seed)
    topics = rng.integers(0, 2, sentences)
    return [[f"{'ab'[t]}{i}" for i in rng.integers(0, 10, 12)] for t in topics]


@pytest.fixture(scope="module")
def corpus():
    return Corpus.from_texts(two_topics(), min_count=1, sample=None)


def trained(corpus, epochs=3, batch_tokens=128, compile=None, fit=None, **config):
    model = Word2Vec(corpus.vocabulary, vector_size=10, window=3, seed=1, **config)
    model.compile(**(compile or {"learning_rate": 0.1}))
    dataset = corpus.dataset(batch_tokens, seed=2)
    history = model.fit(dataset, epochs=epochs, verbose=0, **(fit or {})).history
    return model, history


def separation(model):
    """Mean similarity within topics less that between them, about the centre of all vectors.

    Negative sampling with half of all noise true gives all words a common direction first.
    """
    table = keras.ops.convert_to_numpy(model.embeddings)
    table = table - table.mean(axis=0)
    table = table / np.linalg.norm(table, axis=1, keepdims=True)
    first = np.array([word[0] == "a" for word in model.vocabulary.words])
    same = first[:, None] == first
    return (table @ table.T)[same].mean() - (table @ table.T)[~same].mean()


@pytest.mark.parametrize(
    ("architecture", "output"), [*MODES, ("skip_gram", "softmax"), ("cbow", "softmax")]
)
def test_every_mode_learns_what_stands_together(corpus, architecture, output):
    model, history = trained(corpus, architecture=architecture, output=output, epochs=6)
    assert history["loss"][-1] < history["loss"][0]
    if (architecture, output) == ("skip_gram", "hierarchical_softmax"):
        # Ten words are equally likely: no model of probabilities comes below log 10.
        assert np.log(10) * 0.99 < history["loss"][-1] < np.log(10) * 1.02
    assert separation(model) > 0.5
    assert ("perplexity" in history) == (output == "softmax")
    likeliest = [word for word, _ in model.predict_context(["a1", "a2"], topn=8)]
    assert sum(word[0] == "a" for word in likeliest) >= 7


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("architecture", "output"), [*MODES, ("skip_gram", "softmax"), ("cbow", "softmax")]
)
def test_every_step_can_be_compiled_whole(corpus, architecture, output):
    """On its own a step compiles its parts; XLA may have all of it, and draws other numbers."""
    compiled = {"learning_rate": 0.1, "jit_compile": True}
    model, history = trained(corpus, 6, compile=compiled, architecture=architecture, output=output)
    assert history["loss"][-1] < history["loss"][0]
    assert separation(model) > 0.5


@pytest.mark.parametrize(("architecture", "output"), MODES)
def test_the_built_in_descent_is_sgd_on_the_sum_over_pairs(corpus, architecture, output):
    # Small rates: no row comes near its reach.
    kind = {
        "architecture": architecture,
        "output": output,
        "epochs": 1,
        "fit": {"steps_per_epoch": 3},
    }
    own, _ = trained(corpus, compile={"learning_rate": 1e-3}, **kind)
    own_start = Word2Vec(corpus.vocabulary, vector_size=10, window=3, seed=1)
    share = float(keras.ops.convert_to_numpy(own.words_seen)) / corpus.total_words
    other, _ = trained(corpus, compile={"optimizer": keras.optimizers.SGD(1e-3)}, **kind)
    start = keras.ops.convert_to_numpy(own_start.embeddings)
    a, b = (keras.ops.convert_to_numpy(m.output_table) for m in (own, other))
    assert 0 < share < 0.2
    np.testing.assert_allclose(a, b, atol=share * np.abs(b).max())  # Only the decay differs.
    assert np.abs(keras.ops.convert_to_numpy(own.embeddings) - start).max() > 0


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: optimizers.Adam(0.01),
        lambda: keras.optimizers.Adagrad(0.1),
        lambda: optimizers.SGD(0.05, row_clipnorm=0.5),
    ],
    ids=["Adam", "keras Adagrad", "SGD"],
)
def test_any_optimizer_trains_it(corpus, optimizer):
    model, _ = trained(corpus, compile={"optimizer": optimizer()}, epochs=5)
    assert separation(model) > 0.3


@pytest.mark.parametrize("optimizer", [None, "sgd"])
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_it_trains_the_same_under_any_policy(corpus, policy, optimizer):
    """Its gradients are in full precision: there is no loss to scale."""
    _, expected = trained(corpus, 1, compile={"optimizer": optimizer})
    keras.config.set_dtype_policy(policy)
    model, history = trained(corpus, 1, compile={"optimizer": optimizer})
    assert not isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-5)


def test_a_loss_scale_is_divided_out(corpus):
    def output_table(optimizer):
        model, _ = trained(corpus, 1, compile={"optimizer": optimizer})
        return keras.ops.convert_to_numpy(model.output_table)

    sgd, scaled = keras.optimizers.SGD, keras.optimizers.LossScaleOptimizer
    expected = output_table(sgd(0.01))
    assert np.abs(expected).max() > 0
    close = {"rtol": 1e-3, "atol": 1e-6}
    np.testing.assert_allclose(
        output_table(optimizers.SGD(0.01, loss_scale_factor=64.0)), expected, **close
    )
    if keras.backend.backend() == "jax":
        with pytest.raises(ValueError, match="trains without a LossScaleOptimizer"):
            output_table(scaled(sgd(0.01)))
        return
    np.testing.assert_allclose(output_table(scaled(sgd(0.01))), expected, **close)
    around = optimizers.Lookahead(scaled(sgd(0.01)), sync_period=10**6)
    np.testing.assert_allclose(output_table(around), expected, **close)


def test_a_watched_optimizer_sees_gradients(corpus):
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            apply = self.model.optimizer.apply

            def watched(gradients, variables=None):
                seen.append(len(gradients))
                return apply(gradients, variables)

            self.model.optimizer.apply = watched
            self.model.make_train_function(force=True)

    # Few steps: after a hundred the rounding shows.
    model, _ = trained(corpus, fit={"callbacks": [Watch()], "steps_per_epoch": 8}, epochs=1)
    plain, _ = trained(corpus, fit={"steps_per_epoch": 8}, epochs=1)
    assert seen
    assert seen[0] == 2
    np.testing.assert_allclose(model.vectors.vectors, plain.vectors.vectors, atol=1e-5)


def test_the_rate_falls_linearly_and_goes_on_in_the_middle(corpus):
    rates = []

    class Note(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rates.append(float(keras.ops.convert_to_numpy(self.model.decay)))

    fit = {"callbacks": [Note()]}
    model, _ = trained(corpus, epochs=4, fit=fit)
    np.testing.assert_allclose(rates, [0.75, 0.5, 0.25, 1e-4], atol=1e-6)
    rates.clear()
    model.fit(corpus.dataset(128), epochs=1, verbose=0, **fit)
    model.fit(corpus.dataset(128), epochs=2, initial_epoch=1, verbose=0, **fit)
    np.testing.assert_allclose(rates, [1e-4, 1e-4], atol=1e-6)


@pytest.mark.parametrize(
    ("output", "compile"),
    [
        ("negative_sampling", None),
        ("negative_sampling", {"optimizer": "adam"}),
        # Keras on PyTorch takes one step at a time.
        ("negative_sampling", {"optimizer": "sgd", "steps_per_execution": 1 + 3 * (not TORCH)}),
        ("hierarchical_softmax", None),
    ],
)
def test_saved_and_loaded_it_goes_on_where_it_was(corpus, output, compile, tmp_path):
    model, _ = trained(corpus, output=output, epochs=1, compile=compile)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.vocabulary == model.vocabulary
    for own, loaded in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (own, loaded)))
    assert again.steps_per_execution == model.steps_per_execution
    for one in (model, again):
        one.fit(corpus.dataset(128, seed=4), epochs=2, initial_epoch=1, verbose=0)
    np.testing.assert_array_equal(model.vectors.vectors, again.vectors.vectors)


def bits():
    text = Corpus.from_texts(two_topics(), min_count=1, sample=1e-2)
    models = (
        trained(text, output=output)[0] for output in ("negative_sampling", "hierarchical_softmax")
    )
    return [hashlib.sha256(model.vectors.vectors.tobytes()).hexdigest() for model in models]


def write_bits(path):
    pathlib.Path(path).write_text(str(bits()))


def test_two_processes_learn_the_same_bits(tmp_path):
    other = forked.start(write_bits, str(tmp_path / "bits"))
    own = bits()
    assert len(set(own)) == 2
    assert forked.finished([other]) == [0]
    assert (tmp_path / "bits").read_text() == str(own)


@pytest.mark.parametrize("optimizer", [None, "adam"])
def test_a_learning_rate_is_found_and_leaves_no_trace(corpus, optimizer):
    model, _ = trained(corpus, epochs=1, compile={"optimizer": optimizer})
    before = [keras.ops.convert_to_numpy(v) for v in [*model.variables, *model.optimizer.variables]]
    steps = model.steps_per_execution
    finder = callbacks.LearningRateFinder(1e-4, 1e4, steps=30)
    curve = finder.find(model, corpus.dataset(256, seed=2))
    # One rate a batch, though an execution has 16 of them otherwise.
    assert len(curve.losses) > 16
    np.testing.assert_allclose(curve.learning_rates[:9], np.geomspace(1e-4, 1e4, 30)[:9])
    after = [keras.ops.convert_to_numpy(v) for v in [*model.variables, *model.optimizer.variables]]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)
    assert model.steps_per_execution == steps
    # By position, as in Keras.
    history = model.fit(corpus.dataset(128), None, None, 2, 0).history
    assert len(history["loss"]) == 2


def test_validation_loss_is_repeatable_and_early_stopping_uses_it(corpus, tmp_path):
    held_out = Corpus.from_texts(two_topics(100, seed=9), vocabulary=corpus.vocabulary, sample=None)
    validation = held_out.dataset(256, shuffle=False, subsample=False)
    callbacks = [
        keras.callbacks.EarlyStopping(patience=1),
        keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", save_best_only=True),
        keras.callbacks.BackupAndRestore(tmp_path / "backup"),
    ]
    model, history = trained(
        corpus, epochs=2, fit={"validation_data": validation, "callbacks": callbacks}
    )
    last = history["val_loss"][-1]
    again = [model.evaluate(validation, verbose=0) for _ in range(2)]
    np.testing.assert_allclose(again, last, rtol=1e-5)
    assert (tmp_path / "best.keras").exists()


@pytest.mark.parametrize("output", ["negative_sampling", "hierarchical_softmax"])
@pytest.mark.parametrize("batch_tokens", [1, 65536])
def test_no_batch_size_and_rate_diverges(output, batch_tokens):
    short = Corpus.from_texts(
        two_topics(40 if batch_tokens == 1 else 2000), min_count=1, sample=None
    )
    for architecture in ("skip_gram", "cbow"):
        model, history = trained(
            short,
            architecture=architecture,
            output=output,
            batch_tokens=batch_tokens,
            compile={"learning_rate": 0.1},
            epochs=1 if batch_tokens == 1 else 4,
        )
        norms = np.linalg.norm(keras.ops.convert_to_numpy(model.embeddings), axis=1)
        assert np.isfinite(history["loss"]).all()
        assert norms.max() < 20


@pytest.mark.parametrize("architecture", ["skip_gram", "cbow"])
def test_a_tree_settles_in_large_steps_too(corpus, architecture):
    """Each word stands beside ten, all as likely; a node that overshoots stays away from that."""
    _, history = trained(
        corpus,
        architecture=architecture,
        output="hierarchical_softmax",
        batch_tokens=2048,
        epochs=6,
    )
    assert np.log(10) * 0.99 < history["loss"][-1] < np.log(10) * 1.008


def test_initial_vectors_and_frozen_words(corpus, tmp_path):
    words = corpus.vocabulary.words
    given = WordVectors(words[:5], np.arange(50, dtype="float32").reshape(5, 10) / 50)
    given.save_word2vec_format(tmp_path / "some.txt")
    for source in (given, tmp_path / "some.txt"):
        model, _ = trained(corpus, epochs=1, initial_vectors=source, frozen_words=words[:3])
        np.testing.assert_allclose(model.vectors.vectors[:3], given.vectors[:3], atol=1e-6)
        assert not np.allclose(model.vectors.vectors[3:5], given.vectors[3:5], atol=1e-3)
    with pytest.raises(ValueError, match="initial_vectors"):
        Word2Vec(corpus.vocabulary, initial_vectors=np.zeros((3, 100)))
    with pytest.raises(ValueError, match="finite"):
        Word2Vec(corpus.vocabulary, vector_size=2, initial_vectors=np.full((len(words), 2), np.nan))


@pytest.mark.parametrize("output", ["negative_sampling", "hierarchical_softmax"])
def test_extended_with_new_text_it_keeps_what_it_knows(corpus, output):
    model, _ = trained(corpus, output=output, epochs=1)
    longer = corpus.vocabulary.extend([["a1", "new"] * 20], min_count=1)
    new = model.extend(longer)
    old = [longer.index(word) for word in corpus.vocabulary.words]
    np.testing.assert_array_equal(new.vectors.vectors[old], model.vectors.vectors)
    new.compile()
    more = Corpus.from_texts([["a1", "new"] * 20] * 5, vocabulary=longer, sample=None)
    new.fit(more.dataset(64), verbose=0)
    assert not np.array_equal(new.vectors["a1"], model.vectors["a1"])
    with pytest.raises(ValueError, match="lacks"):
        model.extend(Vocabulary(["x", "y"], [1, 1]))


@pytest.mark.parametrize(("architecture", "output"), MODES)
def test_score_is_the_loss_of_whole_windows(corpus, architecture, output, monkeypatch):
    model, _ = trained(corpus, architecture=architecture, output=output, epochs=4)
    related, mixed = model.score([["a1", "a2", "a3", "a4"], ["a1", "b2", "a3", "b4"]])
    assert mixed < related < 0
    words = ["a1", "a2", "b3", "b4", "a1", "b1"]
    table, nodes = (keras.ops.convert_to_numpy(v) for v in (model.embeddings, model.output_table))
    ids = model.vocabulary.encode(words)
    expected = 0.0
    for place, word in enumerate(ids):
        others = [ids[at] for at in range(len(ids)) if 0 < abs(at - place) <= 3]
        inputs, targets = ([word], others) if architecture == "skip_gram" else (others, [word])
        h = table[inputs].mean(axis=0)
        for target in targets:
            if output == "hierarchical_softmax":
                signs = 1.0 - 2.0 * np.array([int(bit) for bit in model.tree.code(target)])
                expected -= np.logaddexp(0, -signs * (nodes[model.tree.path(target)] @ h)).sum()
            else:
                scores = (nodes @ h).astype(float)
                expected += scores[target] - np.log(np.exp(scores).sum())
    texts = [words, ["a1"], [], ["nowhere"]]
    np.testing.assert_allclose(model.score(texts), [expected, 0, 0, 0], rtol=1e-5)
    whole = model.score([words * 20])
    monkeypatch.setattr("keras_dlnotes.word2vec.outputs.prediction.BLOCK", 1)
    np.testing.assert_allclose(model.score([words * 20]), whole, rtol=1e-6)


def test_parameters_are_counted():
    vocabulary = Vocabulary([f"w{i}" for i in range(20)], [1] * 20)
    count = Word2Vec(vocabulary, vector_size=7, window=2).parameters
    assert count == {"embeddings": 140, "output": 140, "total": 280, "notes": 5 * 7 * 20}
    tree = Word2Vec(vocabulary, vector_size=7, architecture="cbow", output="hierarchical_softmax")
    assert (
        tree.parameters["total"]
        == 140 + 133
        == sum(int(np.prod(w.shape)) for w in tree.trainable_weights)
    )
    assert tree.parameters["notes"] == 2 * 7 * 20


def test_batches_of_another_size_are_no_trouble(corpus):
    """In one model: a second fit, validation, evaluation, with a monitor that comes again."""
    model = Word2Vec(corpus.vocabulary, vector_size=4, window=3, seed=1)
    model.compile(learning_rate=0.1)
    held_out, monitor = corpus.dataset(96, shuffle=False), callbacks.GradientMonitor()
    losses = []
    for size, watching in ((64, []), (128, []), (32, [monitor]), (64, [monitor]), (64, [])):
        dataset = corpus.dataset(size, seed=2)
        history = model.fit(dataset, validation_data=held_out, callbacks=watching, verbose=0)
        losses += history.history["val_loss"]
        np.testing.assert_allclose(model.evaluate(held_out, verbose=0), losses[-1], rtol=1e-6)
        model.evaluate(corpus.dataset(size), verbose=0)
    assert max(losses) < 3  # It begins at 6 ln 2, about 4.2.


def test_a_text_of_which_nothing_is_left_says_so():
    """Thinned out as long texts are, of a short one no word may be left to learn from."""
    corpus = Corpus.from_texts([["a", "b"]] * 3, min_count=1, sample=1e-9)
    model = Word2Vec(corpus.vocabulary, vector_size=4)
    model.compile()
    before = keras.ops.convert_to_numpy(model.embeddings).copy()
    with pytest.warns(UserWarning, match=r"Epoch 1 had no pair.* leaves .*sample=None keeps all"):
        model.fit(corpus.dataset(64), verbose=0)
    with pytest.warns(UserWarning, match="The evaluation had no pair"):
        model.evaluate(corpus.dataset(64), verbose=0)
    np.testing.assert_array_equal(model.embeddings, before)
    alone = Corpus.from_texts([["a"], ["b"]], min_count=1, sample=None)
    with pytest.warns(UserWarning, match="Every sentence is a single word"):
        model.fit(alone.dataset(64), verbose=0)


def test_the_words_must_be_the_models(corpus):
    model = Word2Vec(corpus.vocabulary, vector_size=4, window=3)
    model.compile()
    other = Corpus.from_texts(two_topics(20, seed=5)[:3], min_count=1).dataset(64)
    same = Corpus.from_texts(two_topics(20, seed=5), vocabulary=corpus.vocabulary).dataset(64)
    for name, call in (
        ("x", lambda: model.fit(other)),
        ("validation_data", lambda: model.fit(same, validation_data=other)),
        ("x", lambda: model.evaluate(other)),
    ):
        with pytest.raises(ValueError, match=f"`{name}` must have .*vocabulary=model.vocabulary"):
            call()
    assert int(model.optimizer.iterations) == 0
    model.fit(same, validation_data=same, verbose=0)


def test_bad_arguments_and_batches(corpus):
    for bad in (
        {"window": 0},
        {"vector_size": 0},
        {"negative": 0},
        {"output": "hs"},
        {"architecture": "sg"},
    ):
        with pytest.raises(ValueError, match=next(iter(bad))):
            Word2Vec(corpus.vocabulary, **bad)
    with pytest.raises(ValueError, match=r"vocabulary=\['a', 'b', .*\.\.\.\]$"):
        Word2Vec(["a", "b"] * 1000)
    model = Word2Vec(corpus.vocabulary, vector_size=4, window=8)
    with pytest.raises(ValueError, match=r"must call `compile\(\)`"):
        model.fit(corpus.dataset(64, window=8), verbose=0)
    model.compile()
    for text in (corpus, "a b", [["a", "b"]]):
        with pytest.raises(ValueError, match=r"`x` must be batches.*`corpus\.dataset\(\)`"):
            model.fit(text)
        with pytest.raises(ValueError, match="`validation_data` must be batches"):
            model.fit(corpus.dataset(64, window=8), validation_data=text)
    with pytest.raises(ValueError, match=r"dataset\(window=8\)"):
        model.fit(corpus.dataset(64, window=5), verbose=0)
    model = Word2Vec(corpus.vocabulary, vector_size=4)  # Keras on JAX drops weights with a step.
    model.compile()
    with pytest.raises(ValueError, match=r"Corpus\.dataset"):
        model.fit(np.zeros((4, 3)), verbose=0)
    model = Word2Vec(corpus.vocabulary, vector_size=4)
    with pytest.raises(ValueError, match="learning_rate"):
        model.compile("adam", learning_rate=0.1)
    with pytest.raises(ValueError, match="None of these words"):
        model.predict_context(["nowhere"])
    with pytest.raises(ValueError, match="`sentences` must be a list, not one string"):
        model.score("a b")
