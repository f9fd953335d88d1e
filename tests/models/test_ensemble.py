import keras
import numpy as np
import pytest

from keras_dlnotes.models import Ensemble, measure_diversity, monte_carlo, snapshot_ensemble

X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
Y = (X.sum(1) > 0).astype("int32")


def member(outputs=2, activation="softmax", **more):
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(outputs, activation, **more)])


@pytest.fixture
def members():
    return [member() for _ in range(3)]


def test_average_and_weighted(members):
    said = np.stack([m.predict(X, verbose=0) for m in members])
    np.testing.assert_allclose(Ensemble(members).predict(X, verbose=0), said.mean(0), atol=1e-6)
    weighted = Ensemble(members, "weighted", [2, 1, 1]).predict(X, verbose=0)
    np.testing.assert_allclose(weighted, np.tensordot([0.5, 0.25, 0.25], said, 1), atol=1e-6)


def test_vote(members):
    said = np.stack([m.predict(X, verbose=0) for m in members]).argmax(-1)
    shares = np.eye(2)[said].mean(0)
    np.testing.assert_allclose(Ensemble(members, "vote").predict(X, verbose=0), shares, atol=1e-6)
    single = [member(1, "sigmoid") for _ in range(3)]
    shares = np.mean([m.predict(X, verbose=0) > 0.5 for m in single], axis=0)
    np.testing.assert_allclose(Ensemble(single, "vote").predict(X, verbose=0), shares, atol=1e-6)
    logits = [member(1) for _ in range(3)]
    for plain, sure in zip(logits, single, strict=True):
        plain.layers[0].activation = keras.activations.linear
        plain.set_weights(sure.get_weights())
    said = Ensemble(logits, "vote", threshold=0).predict(X, verbose=0)
    np.testing.assert_allclose(said, shares, atol=1e-6)


def test_fit_weights_finds_the_member_that_is_right():
    kernel = np.array([[1.0], [2.0], [3.0]], "float32")
    right, wrong = member(1, None), member(1, None)
    right.set_weights([kernel, np.zeros(1)])
    wrong.set_weights([-kernel, np.zeros(1)])
    ensemble = Ensemble([wrong, right], "weighted")
    weights = ensemble.fit_weights(X, X @ kernel, "mse")
    assert weights[1] > 0.99
    np.testing.assert_allclose(weights.sum(), 1, atol=1e-6)


def test_ambiguity_decomposition_in_Diversity(members):
    """Squared error together = mean error - mean squared distance from the ensemble."""
    target = np.random.default_rng(1).normal(size=(40, 2))
    said = np.stack([m.predict(X, verbose=0) for m in members])
    report = measure_diversity(said, target)
    spread = np.mean((said - said.mean(0)) ** 2)
    np.testing.assert_allclose(report.ensemble_error, report.member_errors.mean() - spread)
    # Of all pairs, the mean squared difference is twice the spread.
    np.testing.assert_allclose(report.disagreement.mean(), 2 * spread)


def test_diversity_of_classifiers():
    predictions = np.eye(2)[[[0, 0, 1, 1], [0, 1, 1, 0]]]
    report = measure_diversity(predictions, np.array([0, 0, 1, 1]))
    np.testing.assert_allclose(report.disagreement, [[0, 0.5], [0.5, 0]])
    np.testing.assert_allclose(report.member_errors, [0, 0.5])
    assert np.isnan(report.error_correlation[0, 1])  # A member without errors has none to compare.
    one_hot = measure_diversity(predictions, np.eye(2)[[0, 0, 1, 1]])
    np.testing.assert_allclose(one_hot.member_errors, [0, 0.5])


def test_diversity_of_two_classes_told_by_one_output():
    right, wrong = member(1, "sigmoid"), member(1, "sigmoid")
    right.set_weights([np.ones((3, 1)), np.zeros(1)])
    wrong.set_weights([-np.ones((3, 1)), np.zeros(1)])
    report = Ensemble([right, wrong, right]).diversity(X, Y)
    np.testing.assert_array_equal(report.member_errors, [0, 1, 0])
    np.testing.assert_array_equal(report.disagreement[0], [0, 1, 0])
    assert report.ensemble_error == 0


def two_headed():
    inputs = keras.Input((3,))
    heads = {"a": keras.layers.Dense(2)(inputs), "b": keras.layers.Dense(1)(inputs)}
    return keras.Model(inputs, heads)


@pytest.mark.parametrize("combine", ["average", "vote"])
def test_several_outputs_are_combined_one_by_one(combine):
    members = [two_headed() for _ in range(3)]
    said = [m.predict(X, verbose=0) for m in members]
    together = Ensemble(members, combine, threshold=0).predict(X, verbose=0)
    for name in ("a", "b"):
        each = np.stack([one[name] for one in said])
        if combine == "vote":
            each = np.eye(2)[each.argmax(-1)] if name == "a" else each > 0
        np.testing.assert_allclose(together[name], each.mean(0), atol=1e-6)


def test_is_whole_before_it_is_called(members, tmp_path):
    Ensemble(members).save(tmp_path / "e.keras")  # Keras warns of models that are not built.
    again = keras.saving.load_model(tmp_path / "e.keras")
    expected = np.mean([m.predict(X, verbose=0) for m in members], axis=0)
    np.testing.assert_allclose(again.predict(X, verbose=0), expected, rtol=1e-6)


def test_trains_and_saves_as_one_model(members, tmp_path):
    ensemble = Ensemble(members, "weighted", [1, 2, 3])
    ensemble.compile("adam", "sparse_categorical_crossentropy")
    ensemble.fit(X, Y, epochs=1, verbose=0)
    ensemble.save(tmp_path / "e.keras")
    again = keras.saving.load_model(tmp_path / "e.keras")
    np.testing.assert_allclose(
        again.predict(X, verbose=0), ensemble.predict(X, verbose=0), rtol=1e-6
    )


def test_snapshots_differ_and_follow_the_cycles():
    model = member()
    model.compile(keras.optimizers.SGD(), "sparse_categorical_crossentropy")
    rates = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: rates.append(float(model.optimizer.learning_rate))
    )
    options = {"batch_size": 10, "verbose": 0, "callbacks": [watch], "maximum": 0.4}
    ensemble = snapshot_ensemble(model, X, Y, cycles=3, epochs=6, **options)
    assert len(ensemble.members) == 3  # A SnapshotRecorder kept them.
    position = np.arange(24) % 8 / 8
    np.testing.assert_allclose(rates, 0.2 * (1 + np.cos(np.pi * position)), rtol=1e-5)
    kernels = [m.get_weights()[0] for m in ensemble.members]
    assert not np.allclose(kernels[0], kernels[1])
    np.testing.assert_array_equal(kernels[2], model.get_weights()[0])


@pytest.mark.parametrize("start", [{"initial_epoch": 3}, {"steps_per_execution": 2}])
def test_cycles_begin_where_the_epochs_do(start):
    model = member()
    together = start.pop("steps_per_execution", 1)
    model.compile("sgd", "sparse_categorical_crossentropy", steps_per_execution=together)
    rates = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: rates.append(float(model.optimizer.learning_rate))
    )
    snapshot_ensemble(
        model, X, Y, cycles=2, epochs=4, batch_size=10, verbose=0, callbacks=watch, **start
    )
    # Two cycles of eight steps: the fourth epoch begins in the middle of the second one.
    steps = np.arange(12, 16) if start else np.arange(0, 16, 2)
    expected = 0.05 * (1 + np.cos(np.pi * (steps % 8) / 8))
    np.testing.assert_allclose(rates, expected, rtol=1e-5)


def test_monte_carlo_keeps_the_mean_and_shows_the_spread():
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5, seed=1),
            keras.layers.Dense(1),
        ]
    )
    plain = model.predict(X, verbose=0)
    statistics = model.get_weights()
    mean, spread = monte_carlo(model, X, samples=80)
    assert mean.shape == spread.shape == plain.shape
    # 80 passes: the mean is within five standard errors of the pass without dropout.
    assert np.all(np.abs(mean - plain) < 5 * spread / np.sqrt(80))
    assert spread.mean() > 0.1
    for before, after in zip(statistics, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(model.predict(X, verbose=0), plain)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ensemble([]), r"Received: members=\[\]"),
        (lambda: Ensemble([member(), member(3)]), "equal output shapes"),
        (lambda: Ensemble([member()], "median"), "Received: combine='median'"),
        (lambda: Ensemble([member()], "weighted", [-1]), r"Received: weights=\[-1.0\]"),
        (lambda: Ensemble([member()], weights=[1]), "be None unless"),
        (lambda: Ensemble([member()]).fit_weights(X, Y, "mse"), "Received: 'average'"),
        (lambda: Ensemble("a"), "`members` must be Keras models"),
        (lambda: Ensemble([two_headed()]).diversity(X, Y), "several outputs cannot be compared"),
        (lambda: measure_diversity(np.zeros((2, 40, 2)), Y[:3]), "with a label for each example"),
        (lambda: measure_diversity(np.zeros(40), Y), "must have shape"),
        (lambda: measure_diversity(np.zeros((2, 2, 2)), ["a", "b"]), "Labels must be numbers"),
        (lambda: monte_carlo(member(), X), "has no dropout layer"),
        (lambda: monte_carlo(len, X), "`model` must be a Keras model"),
        (lambda: monte_carlo(member(), X[:0]), "`x` must hold one example at least"),
        (lambda: snapshot_ensemble(len, X), "`model` must be a Keras model"),
        (lambda: snapshot_ensemble(member(), X, last=0), "`last` must be an integer of at least 1"),
        (lambda: snapshot_ensemble(member(), X, cycles=0), "Received: cycles=0"),
    ],
)
def test_rejects(make, message):
    with pytest.raises(ValueError, match=message):
        make()
