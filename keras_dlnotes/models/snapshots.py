"""An ensemble from one training run: a copy of the model at the end of each cycle."""

import keras

from keras_dlnotes import _checks
from keras_dlnotes.callbacks import driven_optimizer
from keras_dlnotes.models.ensemble import Ensemble
from keras_dlnotes.schedules.cosine_decay import CosineDecay


class SnapshotRecorder(keras.callbacks.Callback):
    """Drives the learning rate through cosine cycles and keeps the weights at each one's end.

        rate = maximum / 2 * (1 + cos(pi * position in the cycle))

    Args:
        cycles: Integer. Number of cycles, each ending in one snapshot.
        maximum: Float in (0, inf). Learning rate at the start of each cycle.

    Reference: [Huang et al., 2017](https://arxiv.org/abs/1704.00109)
    """

    def __init__(self, cycles, maximum=0.1):
        super().__init__()
        self.cycles = _checks.integer("cycles", cycles, 1)
        self.maximum = _checks.number("maximum", maximum, "(0, inf)")
        self.snapshots = []

    def on_train_begin(self, logs=None):
        driven_optimizer.with_settable_rate(self.model, "The snapshot recorder")
        epochs, steps = self.params["epochs"], self.params["steps"]
        if epochs % self.cycles:
            _checks.fail("cycles", f"divide the {epochs} epochs evenly", self.cycles)
        if not steps:
            raise ValueError("The number of steps an epoch must be known: pass steps_per_epoch.")
        length = epochs // self.cycles * steps
        self.rates = CosineDecay(self.maximum, length).curve(length)
        self.snapshots = []

    def on_epoch_begin(self, epoch, logs=None):
        self.steps_before = epoch * self.params["steps"]

    def on_train_batch_begin(self, batch, logs=None):
        rate = self.rates[(self.steps_before + batch) % len(self.rates)]
        driven_optimizer.set_rate(self.model.optimizer, float(rate))

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % (self.params["epochs"] // self.cycles) == 0:
            self.snapshots.append(self.model.get_weights())


def snapshot_ensemble(model, x, y=None, cycles=5, epochs=50, maximum=0.1, last=None, **fit):
    """Trains `model` once and returns an `Ensemble` of its snapshots.

    Args:
        model: A compiled model.
        x, y: Training data, as `fit` takes them.
        cycles: Integer. Cycles of the learning rate. Defaults to 5.
        epochs: Integer, a multiple of `cycles`. Defaults to 50.
        maximum: Float. Learning rate at each cycle's start. Defaults to 0.1.
        last: Integer. Only this many of the latest snapshots. Defaults to all.
        **fit: Anything else for `model.fit`.

    Example:
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x = np.ones((8, 3), "float32")
        >>> ensemble = snapshot_ensemble(model, x, x[:, :1], cycles=2, epochs=4, verbose=0)
        >>> len(ensemble.members)
        2
    """
    recorder = SnapshotRecorder(cycles, maximum)
    if not isinstance(model, keras.Model):
        _checks.fail("model", "be a Keras model", model)
    last = None if last is None else _checks.integer("last", last, 1)
    callbacks = [fit.pop("callbacks", None) or [], recorder]  # Keras flattens lists in lists.
    model.fit(x, y, epochs=epochs, callbacks=callbacks, **fit)
    chosen = recorder.snapshots[-last:] if last else recorder.snapshots
    members = []
    for weights in chosen:
        member = keras.models.clone_model(model)
        if not member.built:
            member.build(model.input_shape)
        member.set_weights(weights)
        members.append(member)
    return Ensemble(members)
