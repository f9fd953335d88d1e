"""What a search found."""

import pathlib

import numpy as np


class TuningResult:
    """The trials of a search, best first, and the best model among them.

    Attributes:
        trials: Rows as dictionaries: "trial", "status", "score", "epochs" and each hyper-parameter.
        objective: Name of what was optimised.
        tuner: The Keras Tuner object itself.
    """

    def __init__(self, tuner, source):
        self.tuner, self._source = tuner, source
        self.objective = tuner.oracle.objective.name
        self.direction = tuner.oracle.objective.direction
        sign = -1 if self.direction == "max" else 1
        rows = [row(trial) for trial in tuner.oracle.trials.values()]
        self.trials = sorted(
            rows, key=lambda r: (r["score"] is None, sign * (r["score"] or 0), r["trial"])
        )

    @property
    def best(self):
        """The first row, or an error that says why there is none."""
        if not self.trials or self.trials[0]["score"] is None:
            reasons = {trial.message for trial in self.tuner.oracle.trials.values()}
            last = [(reason or "").strip().splitlines()[-1:] for reason in reasons]
            raise ValueError(f"No trial was completed. Their errors: {last}")
        return self.trials[0]

    def best_hyperparameters(self):
        """The winning values, as `keras_tuner.HyperParameters`."""
        return self.tuner.oracle.trials[self.best["trial"]].hyperparameters

    def best_model(self):
        """The trained model of the best trial, after a check that it scores what the trial did.

        With folds the models of all of them are scored, and the last fold's is returned.
        """
        trial = self.tuner.oracle.trials[self.best["trial"]]
        found, parts = [], self._source.parts
        for number, part in enumerate(parts):
            self.tuner.part = number
            model = self.tuner.load_model(trial)
            found.append(self._source.evaluate(model, part).get(self.objective))
        # The training metrics are means over an epoch of changing weights, and of several
        # executions the best is kept, while the trial's score is their mean.
        if None in found or self.tuner.executions_per_trial > 1:
            return model
        if not np.isclose(np.mean(found), trial.score, rtol=1e-3, atol=1e-4):
            raise RuntimeError(
                f"The best model scores {self.objective}={np.mean(found):.6g}, but its trial "
                f"scored {trial.score:.6g}: the data are not those of the search."
            )
        return model

    def leaderboard(self, top=10):
        """The best trials as a table: score first, then what tells the trials apart."""
        rows = self.trials[:top]
        varying = [
            name
            for name in rows[0]
            if name not in ("trial", "status", "score", "best_epoch")
            and len({str(r.get(name)) for r in self.trials}) > 1
        ]
        names = ["trial", "status", "score", "best_epoch", *varying]
        table = [names] + [[cell(r.get(name)) for name in names] for r in rows]
        widths = [max(len(line[i]) for line in table) for i in range(len(names))]
        lines = [
            "  ".join(f"{c:<{w}}" for c, w in zip(line, widths, strict=True)) for line in table
        ]
        return "\n".join(line.rstrip() for line in lines)

    def plot(self, ax=None):
        """Score against each hyper-parameter; see `keras_dlnotes.plots.tuning`."""
        from keras_dlnotes import plots

        return plots.tuning(self, ax=ax)

    @property
    def directory(self):
        return pathlib.Path(self.tuner.project_dir)


def row(trial):
    values = {k: v for k, v in trial.hyperparameters.values.items() if not k.startswith("tuner/")}
    completed = trial.status == "COMPLETED"
    return {
        "trial": trial.trial_id,
        "status": trial.status.lower(),
        "score": trial.score if completed else None,
        "best_epoch": trial.best_step + 1 if completed else None,
        **values,
    }


def cell(value):
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)
