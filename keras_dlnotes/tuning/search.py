"""One call that drives Keras Tuner's own tuners, with what people trip over taken care of."""

import pathlib

import keras
import keras_tuner

from keras_dlnotes import _checks
from keras_dlnotes.tuning.project import claim, fingerprint, is_worker
from keras_dlnotes.tuning.result import TuningResult
from keras_dlnotes.tuning.sources import Arrays
from keras_dlnotes.tuning.trials import Ready, Trials

TUNERS = {
    "hyperband": keras_tuner.Hyperband,
    "bayesian": keras_tuner.BayesianOptimization,
    "random": keras_tuner.RandomSearch,
    "grid": keras_tuner.GridSearch,
}
#: A failed trial is a result like any other; only a fault in the program ends a search.
NEVER = 10**9


class Built(keras_tuner.HyperModel):
    """A hypermodel made of a function of `hp`, as Keras Tuner's own tuners take one."""

    def __init__(self, build):
        super().__init__()
        self.build = build


def tune(
    hypermodel,
    x,
    y=None,
    tuner="random",
    objective=None,
    *,
    validation=None,
    folds=None,
    max_trials=20,
    max_epochs=30,
    directory="tuning",
    project_name="search",
    log_dir=None,
    monitor=None,
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
            `keras_tuner.HyperModel` or function that builds a model from `hp`.
        x, y: Arrays; for a `Word2VecHyperModel` a `Corpus` as `x`.
        tuner: "hyperband", "bayesian", "random" or "grid". Hyperband tries many configurations for
            a few epochs and promotes the best; Bayesian search pays where a trial is dear; random
            search is a sound default; a grid is for two or three fixed choices. Defaults to
            "random".
        objective: Name of a metric in the logs, or a `keras_tuner.Objective`. Defaults to the
            validation accuracy, or the validation loss for regression. It is checked before the
            first trial.
        validation: Share of the data held out, or a pair (x, y); without `y`, `x` alone. Defaults
            to 0.2 for arrays.
        folds: Integer. Each trial is trained on so many folds, and its score is their mean.
            Defaults to None, one split.
        max_trials: Integer; not for Hyperband. Defaults to 20.
        max_epochs: Integer. Epochs of Hyperband's longest trials, or of each trial of a
            hypermodel that does not choose them itself. Defaults to 30.
        directory, project_name: Where the search is kept.
        log_dir: Directory for TensorBoard, with its HParams page. Defaults to none.
        monitor: Boolean. Whether a `GradientMonitor` watches each trial and ends those whose
            gradients explode or vanish. Defaults to True, for word vectors to False.
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
    if callable(hypermodel) and not isinstance(hypermodel, type):
        hypermodel = Built(hypermodel)
    if not isinstance(hypermodel, keras_tuner.HyperModel):
        _checks.fail("hypermodel", "be a keras_tuner.HyperModel or a function of hp", hypermodel)
    _checks.integer("seed", seed, 0)
    bring = getattr(hypermodel, "source", None)
    if bring is not None:
        source = bring(x, y, validation, folds, seed)
    else:
        source = Arrays(hypermodel, x, y, validation, folds, seed)
    hp = keras_tuner.HyperParameters()
    objective = checked_objective(objective, direction, hypermodel, source.names, hp)
    limits = {"max_epochs": _checks.integer("max_epochs", max_epochs, 1)}
    if tuner != "hyperband":
        limits = {"max_trials": _checks.integer("max_trials", max_trials, 1)}
    hypermodel.total_epochs = max_epochs if tuner == "hyperband" else None
    fit = {}
    if type(hypermodel).fit is keras_tuner.HyperModel.fit and tuner != "hyperband":
        fit["epochs"] = max_epochs  # Nobody else says how many.
    project = pathlib.Path(directory) / project_name
    claim(project, fingerprint(hypermodel, hp, tuner, objective, folds), overwrite)

    class Search(Trials, TUNERS[tuner]):
        pass

    found = Search(
        Ready(hypermodel),
        objective=objective,
        directory=str(directory),
        project_name=project_name,
        overwrite=False,
        seed=seed or 1,  # Keras Tuner takes 0 for "any seed".
        max_consecutive_failed_trials=NEVER,
        **limits,
        **tuner_arguments,
    )
    found.source, found.seed, found.log_dir = source, seed, log_dir
    found.watch = getattr(hypermodel, "watched", True) if monitor is None else monitor
    found.search(callbacks=keras.tree.flatten(callbacks or ()), verbose=verbose, **fit)
    return None if is_worker() else TuningResult(found, source)


def checked_objective(objective, direction, hypermodel, names, hp):
    """A `keras_tuner.Objective` whose name will really be in the logs of each trial."""
    if objective is None:
        objective = getattr(hypermodel, "default_objective", "val_loss")
    if isinstance(objective, (list, tuple)):
        _checks.fail("objective", "be one name: trials are ranked by one number", objective)
    if isinstance(objective, keras_tuner.Objective):
        objective, direction = objective.name, objective.direction
    if direction is None:
        direction = getattr(hypermodel, "directions", {}).get(objective)
    if direction is not None:
        _checks.one_of("direction", direction, ("min", "max"))
    offered = names(hypermodel.build(hp))
    if objective not in offered:
        raise ValueError(
            f"Argument `objective` must be one of {', '.join(map(repr, offered))}. "
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
