import keras
import keras_tuner
import numpy as np
import pytest

from keras_dlnotes.schedules import OneCycle
from keras_dlnotes.tuning import (
    AutoencoderHyperModel,
    HopelessGradients,
    MLPHyperModel,
    TuningResult,
    tune,
)

pytestmark = pytest.mark.tensorflow

X = np.random.default_rng(0).normal(size=(120, 4)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
SMALL = {
    "hidden_layers": (1, 2),
    "units": (4, 8),
    "activations": ("relu", "tanh"),
    "batch_sizes": (30, 60),
    "epochs": (1, 2),
    "seed": 0,
}


def small(**more):
    return MLPHyperModel(**{**SMALL, **more})


def run(directory, tuner="random", hypermodel=None, **more):
    options = {"max_trials": 2, "max_epochs": 2, "monitor": False, "verbose": 0}
    return tune(hypermodel or small(), X, Y, tuner, directory=str(directory), **{**options, **more})


@pytest.mark.parametrize("tuner", ["random", "bayesian", "grid", "hyperband"])
def test_each_tuner_finds_a_model_that_scores_what_its_trial_did(tuner, tmp_path):
    more = {"factor": 2} if tuner == "hyperband" else {}
    result = run(tmp_path, tuner, **more)
    assert isinstance(result, TuningResult)
    scores = [row["score"] for row in result.trials]
    assert scores == sorted(scores, reverse=True)
    model = result.best_model()  # Raises if it does not score the same.
    assert model.predict(X, verbose=0).shape == (120, 1)
    table = result.leaderboard()
    assert table.splitlines()[0].split()[:3] == ["trial", "status", "score"]
    assert max(map(len, table.splitlines())) < 250


def test_same_seed_same_trials(tmp_path):
    first, second, third = (
        run(tmp_path / name, seed=seed, max_trials=1).trials
        for name, seed in (("a", 5), ("b", 5), ("c", 6))
    )
    assert first == second
    assert first != third


def test_the_objective_is_checked_before_the_first_trial(tmp_path):
    with pytest.raises(ValueError, match=r"'val_accuracy'.*Received: objective='val_f1'"):
        run(tmp_path, objective="val_f1")
    assert not list(tmp_path.rglob("trial*"))


class Faulty(MLPHyperModel):
    """Ends each second trial, or so, in the way named."""

    def __init__(self, way, every=2):
        super().__init__(**SMALL)
        self.way, self.every, self.count = way, every, 0

    def fit(self, hp, model, *data, **more):
        self.count += 1
        if self.count % self.every == 0:
            if self.way == "nan":
                model.layers[1].kernel.assign(np.full(model.layers[1].kernel.shape, np.nan))
            elif self.way == "memory":
                import tensorflow as tf

                raise tf.errors.ResourceExhaustedError(None, None, "17 GiB wanted")
            else:
                raise KeyError("a fault in the program")
        return super().fit(hp, model, *data, **more)


@pytest.mark.parametrize("way", ["nan", "memory"])
def test_failed_trials_are_marked_and_the_search_goes_on(way, tmp_path):
    result = run(tmp_path, hypermodel=Faulty(way), max_trials=3)
    assert [row["status"] for row in result.trials] == ["completed", "completed", "failed"]
    assert result.best["score"] is not None


def test_a_fault_in_the_program_ends_the_search(tmp_path):
    with pytest.raises(keras_tuner.errors.FatalError, match=r"KeyError.*a fault in the program"):
        run(tmp_path, hypermodel=Faulty("fault"))


def test_all_trials_failed_is_said_plainly(tmp_path):
    result = run(tmp_path, hypermodel=Faulty("nan", every=1), max_trials=1)
    with pytest.raises(ValueError, match=r"No trial was completed.*The loss became nan"):
        result.best_model()


def test_goes_on_after_an_end_and_refuses_another_space(tmp_path):
    before = run(tmp_path, max_trials=1)
    after = run(tmp_path, max_trials=2)
    assert len(after.trials) == 2
    known = {row["trial"]: row["score"] for row in before.trials}
    assert known.items() <= {row["trial"]: row["score"] for row in after.trials}.items()
    with pytest.raises(ValueError, match=r"another space .its settings differ"):
        run(tmp_path, hypermodel=small(units=(4, 16)))
    assert (
        len(run(tmp_path, hypermodel=small(units=(4, 16)), overwrite=True, max_trials=1).trials)
        == 1
    )
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds something else"):
        run(tmp_path, project_name="other")
    assert (tmp_path / "other" / "letter.txt").read_text() == "mine"


def test_a_torn_oracle_file_is_taken_from_its_backup(tmp_path):
    run(tmp_path, max_trials=1)
    oracle = tmp_path / "search" / "oracle.json"
    oracle.write_text(oracle.read_text()[:100])
    assert len(run(tmp_path, max_trials=2).trials) == 2


def test_folds_give_the_mean_score(tmp_path):
    result = run(tmp_path, folds=3, max_trials=1)
    assert all(row["score"] is not None for row in result.trials)
    # Accuracies over three folds of 40 are multiples of 1/120.
    assert float(result.best["score"]) * 120 == pytest.approx(
        round(float(result.best["score"]) * 120), abs=1e-3
    )
    result.best_model()  # Of all folds together.
    with pytest.raises(ValueError, match=r"Received: validation=0\.3"):
        run(tmp_path / "both", folds=3, validation=0.3)


def rates_of(hypermodel, seen):
    """Notes of each training its first epoch and the learning rate of each of its steps."""

    def fit(hp, model, *data, fit=hypermodel.fit, **more):
        rates = []
        seen.append((hp.get("tuner/bracket"), more.get("initial_epoch", 0), rates))
        watch = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: rates.append(
                float(model.optimizer.learning_rate)
            )
        )
        return fit(hp, model, *data, **{**more, "callbacks": [*more["callbacks"], watch]})

    hypermodel.fit = fit
    return hypermodel


@pytest.mark.parametrize("folds", [None, 2])
def test_hyperband_goes_on_with_schedule_weights_and_optimizer(folds, tmp_path):
    seen = []
    hypermodel = small(
        hidden_layers=1, schedules="one_cycle", batch_sizes=20, optimizers={"adam": 0.01}
    )
    loaded, build = [], hypermodel.build
    hypermodel.build = lambda hp: loaded.append((hp, build(hp))) or loaded[-1][1]
    result = run(
        tmp_path, "hyperband", rates_of(hypermodel, seen), folds=folds, factor=2, max_epochs=2
    )
    steps = 5 if folds is None else 3  # An epoch's, of 96 examples or of 60.
    curve = OneCycle(0.01, 2 * steps).curve(2 * steps)
    ends = set()
    for bracket, first, rates in seen:
        np.testing.assert_allclose(rates, curve[first * steps :][: len(rates)], rtol=1e-6)
        ends.add((bracket, first, len(rates)))
    assert ends == {(1, 0, steps), (1, 1, steps), (0, 0, 2 * steps)}
    promoted = [model for hp, model in loaded if hp.values.get("tuner/initial_epoch") == 1]
    counts = {int(model.optimizer.iterations) for model in promoted}
    assert max(counts) == 2 * steps, "the optimizer went on counting where its rung began"
    files = {file.name for file in tmp_path.rglob("*.weights.h5")}
    assert len(files) == (folds or 1)
    result.best_model()


def test_any_hypermodel_of_keras_tuner_is_searched(tmp_path):
    class Plain(keras_tuner.HyperModel):
        def __init__(self, top):
            super().__init__()
            self.top = top

        def build(self, hp):
            units = hp.Int("units", 2, self.top)
            model = keras.Sequential(
                [keras.Input((4,)), keras.layers.Dense(units, "relu"), keras.layers.Dense(1)]
            )
            model.compile("adam", "mse")
            return model

    result = run(tmp_path, hypermodel=Plain(8), max_epochs=3)
    assert result.objective == "val_loss"
    assert all(1 <= row["best_epoch"] <= 3 for row in result.trials)
    result.best_model()
    with pytest.raises(ValueError, match=r"another space .its settings differ"):
        run(tmp_path, hypermodel=Plain(9))


def test_a_function_is_a_hypermodel_and_a_callback_a_list_of_one(tmp_path):
    def build(hp):
        units = hp.Int("units", 2, 8)
        layers = [keras.Input((4,)), keras.layers.Dense(units), keras.layers.Dense(1)]
        model = keras.Sequential(layers)
        model.compile("adam", "mse")
        return model

    stopping = keras.callbacks.EarlyStopping(patience=1)
    result = run(tmp_path, hypermodel=build, max_trials=1, callbacks=stopping)
    assert result.best["units"] in range(2, 9)


def test_tensorboard_and_gradients_stand_in_the_trials_own_directory(tmp_path):
    log_dir = tmp_path / "logs"
    run(tmp_path / "search", max_trials=2, log_dir=str(log_dir), monitor=None)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for trial in ("0", "1"):
        tags = set()
        for file in (log_dir / trial).rglob("events*"):
            events = EventAccumulator(str(file)).Reload()
            tags |= set(events.Tags()["tensors"]) | set(events.summary_metadata)
        assert any("gradient" in tag for tag in tags), tags
        assert "epoch_loss" in tags
        assert "_hparams_/session_start_info" in tags


def test_autoencoders_are_tuned(tmp_path):
    hypermodel = AutoencoderHyperModel(
        code_size=(2, 3), hidden_layers=0, batch_sizes=60, epochs=1, seed=0
    )
    options = {"max_trials": 2, "monitor": False, "verbose": 0}
    for name, held_out in (("share", None), ("array", X[:20])):
        where = {"directory": str(tmp_path), "project_name": name}
        result = tune(hypermodel, X, validation=held_out, **where, **options)
        assert result.best_model().encode(X).shape[1] in (2, 3)


def test_hopeless_gradients_end_a_trial(tmp_path):
    deep = [
        keras.layers.Dense(
            8, "sigmoid", kernel_initializer=keras.initializers.RandomNormal(0, 0.01)
        )
        for _ in range(10)
    ]
    model = keras.Sequential([keras.Input((4,)), *deep, keras.layers.Dense(1)])
    model.compile("sgd", "mse")

    class Deep(keras_tuner.HyperModel):
        def build(self, hp):
            hp.Fixed("layers", 10)
            again = keras.models.clone_model(model)
            again.compile("sgd", "mse")
            return again

        def fit(self, hp, model, *data, **more):
            history = model.fit(*data, epochs=20, **more)
            epochs.append(len(history.epoch))
            return history

    epochs = []
    run(tmp_path, hypermodel=Deep(), max_trials=1, monitor=None)
    assert epochs == [3]
    history = model.fit(X, Y, epochs=20, verbose=0, callbacks=[HopelessGradients(patience=2)])
    assert len(history.epoch) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tuner": "annealing"}, "Received: tuner='annealing'"),
        ({"max_trials": 0}, "Received: max_trials=0"),
        ({"seed": -1}, "Received: seed=-1"),
        ({"folds": 1}, "Received: folds=1"),
        ({"objective": "val_loss", "direction": "up"}, "Received: direction='up'"),
        ({"objective": ["val_loss", "loss"]}, r"Received: objective=\['val_loss', 'loss'\]"),
        ({"hypermodel": MLPHyperModel}, "be a keras_tuner.HyperModel or a function of hp"),
    ],
)
def test_rejects(arguments, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        run(tmp_path, **arguments)


def test_rejects_features_with_holes_by_column(tmp_path):
    x = X.copy()
    x[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"in columns 2 \(1\)"):
        tune(small(), x, Y, directory=str(tmp_path))
