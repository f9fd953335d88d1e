"""What the trials of a search are trained on, and how they are scored."""

from keras_dlnotes import _checks
from keras_dlnotes.models.data import checked_features, checked_pair, folds, split


class Arrays:
    """Arrays, split once or into folds, scored by what the model's `evaluate` says.

    A hypermodel may bring a source of its own (see `TrainedHyperModel`), which has the attribute
    and the methods of this one:

    - `parts`: list of (arguments, held out), one for each time that a trial is trained: the
      positional arguments of the hypermodel's `fit`, and its `validation_data`;
    - `names(model)`: what the logs of an epoch will hold;
    - `evaluate(model, part)`: those of the logs that a trained model can be asked for again, which
      is how `TuningResult.best_model` checks what it returns.
    """

    def __init__(self, hypermodel, x, y, validation, number, seed):
        x, y = (checked_features(x), None) if y is None else checked_pair(x, y)
        if hasattr(hypermodel, "prepare"):
            hypermodel.prepare(x, y)
        target = x if y is None else y
        if y is None and hasattr(validation, "shape"):
            validation = (validation, validation)
        if number is None:
            self.parts = [split(x, target, 0.2 if validation is None else validation, seed)]
        elif validation is not None:
            _checks.fail("validation", "be None where `folds` says what is held out", validation)
        else:
            self.parts = [
                ((x[train], target[train]), (x[held], target[held]))
                for train, held in folds(len(x), number, seed)
            ]

    def names(self, model):
        (x, y), _ = self.parts[0]
        logs = model.test_on_batch(x[:2], y[:2], return_dict=True)
        return [*logs, *(f"val_{name}" for name in logs)]

    def evaluate(self, model, part):
        _, (x, y) = part
        logs = model.evaluate(x, y, batch_size=256, verbose=0, return_dict=True)
        return {f"val_{name}": value for name, value in logs.items()}
