"""What the hypermodels share: how a trial is trained."""

import keras_tuner

from keras_dlnotes import _checks
from keras_dlnotes.tuning.guards import ScheduledRate


class TrainedHyperModel(keras_tuner.HyperModel):
    """A hypermodel with a training space, and a `fit` that follows it.

    A hypermodel that learns from something else than arrays, or is judged by something else than
    what `evaluate` says, has a method `source(x, y, validation, folds, seed)` besides; see
    `keras_dlnotes.tuning.sources.Arrays` for what it returns.
    """

    #: Whether a `GradientMonitor` watches the trials unless `tune` is told otherwise.
    watched = True
    #: Epochs of the whole training where the tuner decides on them, as Hyperband does.
    total_epochs = None

    def __init__(self, training, seed):
        super().__init__()
        self.training = training
        self.seed = _checks.seed("seed", seed)
        self.input_shape = None

    def prepare(self, x, y=None):
        """Takes from the data what `build` needs: shapes, and what kind of task it is."""
        raise NotImplementedError

    def adapt(self, model, x):
        """Fits to the training part whatever the model learns from data outside of `fit`."""

    def settings(self):
        """What makes this space this space, as plain JSON."""
        raise NotImplementedError

    def fit(self, hp, model, x, y=None, epochs=None, initial_epoch=0, callbacks=(), **more):
        """Trains one trial with its own batch size, number of epochs and schedule."""
        if not initial_epoch:
            self.adapt(model, x)
        planned = self.total_epochs or hp.get("epochs")
        rate = ScheduledRate(
            hp.get("schedule"), self.training.learning_rate(hp), planned, initial_epoch
        )
        return model.fit(
            x,
            y,
            batch_size=hp.get("batch_size"),
            epochs=epochs or planned,
            initial_epoch=initial_epoch,
            callbacks=[rate, *callbacks],
            **more,
        )
