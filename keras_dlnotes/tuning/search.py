"""One call that drives Keras Tuner's own tuners, with what people trip over taken care of."""

import json
import os
import pathlib
import shutil
import tempfile

import keras
import keras_tuner

from keras_dlnotes import _checks
from keras_dlnotes.models.data import checked_features, checked_pair, folds, split
from keras_dlnotes.tuning.guards import FailOnNonFinite, out_of_memory
from keras_dlnotes.tuning.result import TuningResult

TUNERS = {
    "hyperband": keras_tuner.Hyperband,
    "bayesian": keras_tuner.BayesianOptimization,
    "random": keras_tuner.RandomSearch,
    "grid": keras_tuner.GridSearch,
}
#: A failed trial is a result like any other; only a fault in the program ends a search.
NEVER = 10**9


def tune(
    hypermodel,
    x,
    y=None,
    tuner="random",
    objective=None,
    *,
    validation=0.2,
    folds=None,
    max_trials=20,
    max_epochs=30,
    directory="tuning",
    project_name="search",
    log_dir=None,
    monitor=True,
    callbacks=(),
    direction=None,
    seed=0,
    overwrite=False,
    verbose=1,
    **tuner_arguments,
):
    """Searches a hypermodel's space and returns what was found.

    Trials that end in NaN or run out of memory are marked as failed and the search goes on; any
    other exception is a fault and ends it. A search that was killed goes on where it was when
    called again with the same directory; a directory that holds another space is refused.

    Args:
        hypermodel: `MLPHyperModel`, `AutoencoderHyperModel`, `Word2VecHyperModel` or any
            `keras_tuner.HyperModel`.
        x, y: Arrays, or whatever the hypermodel's `prepare` and `fit` take.
        tuner: "hyperband", "bayesian", "random" or "grid". Hyperband tries many configurations for
            a few epochs and promotes the best; Bayesian search pays where a trial is dear; random
            search is a sound default; a grid is for two or three fixed choices. Defaults to
            "random".
        objective: Name of a metric in the logs, or a `keras_tuner.Objective`. Defaults to the
            validation accuracy, or the validation loss for regression. It is checked before the
            first trial.
        validation: Share of the data held out, or a pair (x, y). Defaults to 0.2.
        folds: Integer. Each trial is trained on so many folds, and its score is their mean.
            Defaults to None, one split.
        max_trials: Integer; not for Hyperband. Defaults to 20.
        max_epochs: Integer. Epochs of Hyperband's longest trials. Defaults to 30.
        directory, project_name: Where the search is kept.
        log_dir: Directory for TensorBoard, with its HParams page. Defaults to none.
        monitor: Boolean. Whether a `GradientMonitor` watches each trial and ends those whose
            gradients explode or vanish. Defaults to True.
        callbacks: More callbacks; each trial gets copies.
        direction: "min" or "max", for metrics whose direction Keras Tuner cannot tell.
        seed: Integer. The same seed gives the same trials. Defaults to 0.
        overwrite: Boolean. Whether to begin anew. Defaults to False.
        verbose: 0 or 1.
        **tuner_arguments: Anything else for the tuner.

    Returns:
        A `TuningResult`, or None in a worker of a search over several processes.
    """
    if not isinstance(tuner, str) or tuner not in TUNERS:
        _checks.one_of("tuner", tuner, tuple(TUNERS))
    if not isinstance(hypermodel, keras_tuner.HyperModel):
        _checks.fail("hypermodel", "be a keras_tuner.HyperModel", hypermodel)
    _checks.integer("seed", seed, 0)
    data = Data(hypermodel, x, y, validation, folds, seed)
    objective = checked_objective(objective, direction, hypermodel, data)
    limits = {"max_epochs": _checks.integer("max_epochs", max_epochs, 1)}
    if tuner != "hyperband":
        limits = {"max_trials": _checks.integer("max_trials", max_trials, 1)}
    hypermodel.total_epochs = max_epochs if tuner == "hyperband" else None
    project = pathlib.Path(directory) / project_name
    claim(project, fingerprint(hypermodel, tuner, objective, folds), overwrite)

    class Search(Trials, TUNERS[tuner]):
        pass

    found = Search(
        hypermodel,
        objective=objective,
        directory=str(directory),
        project_name=project_name,
        overwrite=False,
        seed=seed or 1,  # Keras Tuner takes 0 for "any seed".
        max_consecutive_failed_trials=NEVER,
        **limits,
        **tuner_arguments,
    )
    found.data, found.seed, found.watch, found.log_dir = data, seed, monitor, log_dir
    found.search(callbacks=list(callbacks), verbose=verbose)
    if is_worker():
        return None
    return TuningResult(found, data)


class Data:
    """The arrays of a search, and the pairs of training and validation parts made of them."""

    def __init__(self, hypermodel, x, y, validation, number, seed):
        self.supervised = y is not None
        x, y = checked_pair(x, y) if self.supervised else (checked_features(x), None)
        if hasattr(hypermodel, "prepare"):
            hypermodel.prepare(x, y)
        target = x if y is None else y
        if number is None:
            self.pairs = [split(x, target, validation, seed)]
        else:
            self.pairs = [
                ((x[train], target[train]), (x[held], target[held]))
                for train, held in folds(len(x), number, seed)
            ]

    def __iter__(self):
        return iter(self.pairs)

    def __len__(self):
        return len(self.pairs)


class Trials:
    """How one trial is run; mixed into each of Keras Tuner's tuners."""

    def run_trial(self, trial, *_, callbacks=(), **fit):
        keras.utils.set_random_seed(self.seed + int(trial.trial_id))
        results = []
        try:
            for (x, y), held_out in self.data:
                results += super().run_trial(
                    trial,
                    x,
                    y,
                    validation_data=held_out,
                    callbacks=[*callbacks, *self._own_callbacks()],
                    **{"verbose": 0, **fit},
                )
        except keras_tuner.errors.FailedTrialError:
            raise
        except Exception as error:
            if out_of_memory(error):
                raise keras_tuner.errors.FailedTrialError(f"Out of memory: {error}") from error
            raise keras_tuner.errors.FatalRuntimeError(
                f"Trial {trial.trial_id} met a fault, so the search ends: "
                f"{type(error).__name__}: {error}"
            ) from error
        return results

    def _own_callbacks(self):
        own = [FailOnNonFinite()]
        if self.log_dir is not None:
            own.append(keras.callbacks.TensorBoard(str(self.log_dir)))
        if self.watch:
            from keras_dlnotes.tuning.hopeless import HopelessGradients

            own.append(HopelessGradients(log_dir=self.log_dir))
        return own

    def on_trial_end(self, trial):
        super().on_trial_end(trial)
        # The oracle's file is rewritten in place; a kill in that moment must not lose the search.
        oracle = pathlib.Path(self.project_dir) / "oracle.json"
        if oracle.exists() and readable(oracle):
            replace(oracle.with_suffix(".backup"), oracle.read_text())


def checked_objective(objective, direction, hypermodel, data):
    """A `keras_tuner.Objective` whose name will really be in the logs of each trial."""
    if objective is None:
        objective = getattr(hypermodel, "default_objective", "val_loss")
    (x, y), _ = data.pairs[0]
    hp = keras_tuner.HyperParameters()
    model = hypermodel.build(hp)
    if isinstance(objective, keras_tuner.Objective):
        objective, direction = objective.name, objective.direction
    if direction is not None:
        _checks.one_of("direction", direction, ("min", "max"))
    logs = model.test_on_batch(x[:2], y[:2], return_dict=True)
    names = [*logs, *(f"val_{name}" for name in logs)]
    if objective not in names:
        raise ValueError(
            f"Argument `objective` must be one of {', '.join(map(repr, names))}. "
            f"Received: objective={objective!r}"
        )
    if direction is None:
        try:
            return keras_tuner.engine.objective.create_objective(objective)
        except (ValueError, AttributeError):
            if objective.removeprefix("val_") == "loss":
                direction = "min"
            elif "accuracy" in objective:
                direction = "max"
            else:
                raise ValueError(
                    f"Whether {objective!r} is to fall or to rise cannot be told: "
                    'pass direction="min" or "max".'
                ) from None
    return keras_tuner.Objective(objective, direction)


def fingerprint(hypermodel, tuner, objective, folds):
    settings = hypermodel.settings() if hasattr(hypermodel, "settings") else {}
    about = {
        "hypermodel": type(hypermodel).__name__,
        "settings": settings,
        "tuner": tuner,
        "objective": [objective.name, objective.direction],
        "folds": folds,
    }
    return json.loads(json.dumps(about, default=str))


def claim(project, wanted, overwrite):
    """Makes the directory this search's, or refuses if it is another's."""
    if overwrite and not is_worker() and project.exists():
        shutil.rmtree(project)
    file = project / "space.json"
    if file.exists():
        held = json.loads(file.read_text())
        if held != wanted:
            differing = [key for key in wanted if held.get(key) != wanted[key]]
            raise ValueError(
                f"The directory {project} holds a search over another space (its "
                f"{', '.join(differing)} differ); choose another project_name, or pass "
                "overwrite=True to begin anew."
            )
        oracle, backup = project / "oracle.json", project / "oracle.backup"
        if oracle.exists() and not readable(oracle):
            if not backup.exists():
                raise ValueError(f"The file {oracle} is damaged; pass overwrite=True.")
            replace(oracle, backup.read_text())
        return
    if project.exists() and any(project.iterdir()):
        raise ValueError(
            f"The directory {project} holds something else than a search of this package; choose "
            "another project_name, or pass overwrite=True to begin anew."
        )
    project.mkdir(parents=True, exist_ok=True)
    replace(file, json.dumps(wanted, indent=1))


def readable(file):
    try:
        json.loads(file.read_text())
    except ValueError:
        return False
    return True


def replace(file, text):
    """Writes a file whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=file.parent)
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
    os.replace(temporary, file)


def is_worker():
    """Whether this process only runs trials that another one hands out."""
    chief = "KERASTUNER_ORACLE_IP" in os.environ
    return chief and "chief" not in os.environ.get("KERASTUNER_TUNER_ID", "")
