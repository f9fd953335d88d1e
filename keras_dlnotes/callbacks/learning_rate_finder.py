"""A short training with a rising learning rate, after which nothing has happened."""

import collections.abc
import itertools
import math

import keras
import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes._state import ModelState, RandomState
from keras_dlnotes._wrapped_optimizers import innermost
from keras_dlnotes.callbacks import driven_optimizer
from keras_dlnotes.callbacks.learning_rate_curve import LearningRateCurve, smooth

WHO = "The learning-rate finder"
#: What `fit` takes but a sweep decides by itself, or has no use for.
OURS = (
    "epochs",
    "initial_epoch",
    "validation_data",
    "validation_steps",
    "validation_batch_size",
    "validation_freq",
)


class LearningRateFinder(keras.callbacks.Callback):
    """Tries learning rates from tiny to huge in one short training and suggests one.

    Use it before the first real training of a model, or to choose the bounds of a cycle. Keras has
    none. `find` takes what `fit` takes, and the true loss of every batch is recorded, with sample
    weights and regularization, not the running mean that Keras logs. Afterwards everything is as it
    was: weights, optimizer slots and iterations, statistics of normalization, seeds, metrics,
    learning rate, the compiled training step; also after an exception or Ctrl-C. (A Python
    generator has moved on, of course.)

        rate_i = min_learning_rate * (max_learning_rate / min_learning_rate) ^ (i / (steps - 1))
        average_i = smoothing * average_(i-1) + (1 - smoothing) * loss_i
        smoothed_i = average_i / (1 - smoothing ^ (i + 1))

    The sweep ends after `steps` rates, as soon as the smoothed loss exceeds `divergence` times its
    minimum, or when a loss is NaN or infinite. With `gradient_accumulation_steps` each rate lasts
    for one update, that is, for so many batches, whose losses are averaged.

    It is a callback, too: `model.fit(x, y, epochs=10, callbacks=[finder])` sweeps, restores, and
    ends the training; `finder.result` then holds the curve. There a rate lasts for
    `steps_per_execution` batches, and `finder.restore()` has to be called by hand if `fit` was
    interrupted; `find` knows neither restriction.

    Args:
        min_learning_rate: Float > 0. Defaults to 1e-7.
        max_learning_rate: Float > min_learning_rate. Defaults to 10.0.
        steps: Integer >= 2. How many rates to try; more give a smoother curve. Defaults to 100.
        sweep: "exponential" or "linear". Defaults to "exponential".
        smoothing: Float in [0, 1). Defaults to 0.9.
        divergence: Float > 1, or None to try all rates. Defaults to 4.0.

    Example:
        >>> keras.utils.set_random_seed(1)
        >>> x = np.random.normal(size=(256, 3))
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(0.01), "mse")
        >>> before = model.get_weights()[0]
        >>> curve = LearningRateFinder(1e-4, 10.0).find(model, x, x.sum(axis=1), batch_size=16)
        >>> curve.stop_reason
        'diverged'
        >>> 0.001 < curve.valley < 1.0
        True
        >>> bool((model.get_weights()[0] == before).all())
        True

    Reference: [Smith, 2015](https://arxiv.org/abs/1506.01186), section 3.3
    """

    def __init__(
        self,
        min_learning_rate=1e-7,
        max_learning_rate=10.0,
        steps=100,
        sweep="exponential",
        smoothing=0.9,
        divergence=4.0,
    ):
        super().__init__()
        self.min_learning_rate = _checks.number("min_learning_rate", min_learning_rate, "(0, inf)")
        self.max_learning_rate = _checks.number("max_learning_rate", max_learning_rate, "(0, inf)")
        if self.max_learning_rate <= self.min_learning_rate:
            _checks.fail(
                "max_learning_rate",
                f"be greater than min_learning_rate={min_learning_rate!r}",
                max_learning_rate,
            )
        self.steps = _checks.size("steps", steps, 2)
        self.sweep = _checks.one_of("sweep", sweep, ("exponential", "linear"))
        self.smoothing = _checks.number("smoothing", smoothing, "[0, 1)")
        if divergence is not None:
            divergence = _checks.number("divergence", divergence, "(1, inf)")
        self.divergence = divergence
        self._state, self._finding = None, False
        self._clear()

    def _clear(self):
        ends = self.min_learning_rate, self.max_learning_rate
        space = np.geomspace if self.sweep == "exponential" else np.linspace
        self._rates = space(*ends, self.steps)
        self._losses, self._group, self._reason = [], [], None

    @property
    def result(self):
        """The curve of the last sweep; None before the first."""
        if self._reason is None and not self._losses:
            return None
        losses = np.array(self._losses)
        rates = self._rates[: len(losses)].copy()
        return LearningRateCurve(rates, losses, self._smoothed(), self._reason or "interrupted")

    def _smoothed(self):
        return smooth(self._losses, self.smoothing)

    # ------------------------------------------------------------------------ before and after

    def find(self, model, x=None, y=None, *args, **kwargs):
        """Sweeps over the data, restores the model, and returns a `LearningRateCurve`.

        Args:
            model: A compiled model.
            x, y, ...: As in `model.fit`. Epochs and validation data are of no use here and are
                passed over; `verbose` is 0 by default.
        """
        driven_optimizer.with_settable_rate(model, WHO)
        if args:  # `fit` has batch_size as its third argument.
            if len(args) > 1 or "batch_size" in kwargs:
                raise TypeError("`find` takes model, x, y and batch_size by position, no more.")
            kwargs["batch_size"] = args[0]
        for name in OURS:
            kwargs.pop(name, None)
        kwargs.setdefault("verbose", 0)
        callbacks = [*keras.tree.flatten(kwargs.pop("callbacks", None) or []), self]
        # Every epoch has a batch at least, so this many are enough. An iterator passes by only
        # once, unless `steps_per_epoch` cuts it into pieces.
        once = isinstance(x, collections.abc.Iterator) and not kwargs.get("steps_per_epoch")
        epochs = 1 if once else self.steps * _accumulation(model)
        chance, surroundings = RandomState(), _Surroundings(model)
        self._clear()
        self._state, self._finding = None, True
        try:
            if model.built:
                self._remember(model)  # A `fit` of its own may change variables as it begins.
            # What `validation_split` sets aside stays out, as in training, but its turn, in the
            # zeroth epoch, never comes.
            model.fit(x, y, epochs=epochs, callbacks=callbacks, validation_freq=[0], **kwargs)
        finally:
            self._reason = self._reason or "interrupted"
            self._finding = False
            self.restore()
            surroundings.restore()
            chance.restore()
        return self.result

    def restore(self):
        """Puts everything back as it was before the sweep. A second call changes nothing."""
        if self._state is not None:
            state, self._state = self._state, None
            state.restore()

    def on_train_begin(self, logs=None):
        driven_optimizer.with_settable_rate(self.model, WHO)
        if not self._finding:
            self._clear()
            self._state = None
        if self._state is None and self.model.built:
            self._remember(self.model)

    def on_train_end(self, logs=None):
        self._reason = self._reason or "data ended"
        self.restore()

    def _remember(self, model):
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        self._state = ModelState(model)
        self._every = _accumulation(model)
        # The sweep may begin in the middle of an accumulation.
        inner = innermost(model.optimizer)
        done = int(keras.ops.convert_to_numpy(inner._iterations)) % self._every
        self._missing = self._every - done

    def _build_at_the_first_batch(self, model, train_function):
        """On TensorFlow a model without an input shape is built by its first training step, too
        late to see its initial weights. So the first batch passes through it beforehand."""

        def first(iterator):
            model.train_function = train_function
            data = list(itertools.islice(iterator, model.steps_per_execution))
            if data:
                model(keras.utils.unpack_x_y_sample_weight(data[0])[0])
            self._remember(model)
            self._set()
            return train_function(iter(data))

        model.train_function = first

    # --------------------------------------------------------------------------------- the sweep

    def on_train_batch_begin(self, batch, logs=None):
        if self._state is not None:
            self._set()
        elif not self.model.built:
            self._build_at_the_first_batch(self.model, self.model.train_function)

    def _set(self):
        model = self.model
        # The metrics then average over this batch alone, so `loss` is the loss of this batch,
        # whatever the training step adds to it and however it keeps it.
        model.reset_metrics()
        if not self._group:
            rate = float(self._rates[min(len(self._losses), self.steps - 1)])
            driven_optimizer.set_rate(model.optimizer, rate)

    def on_train_batch_end(self, batch, logs=None):
        if self._reason is not None:
            return
        if "loss" not in (logs or {}):
            raise ValueError(
                f"{WHO} reads the loss of each batch from the logs of the training step, but "
                f"there is no `loss` among them. Received: logs={sorted(logs or {})}"
            )
        loss = float(logs["loss"])
        self._group.append(loss)
        if not math.isfinite(loss):
            self._end("not finite")
        elif len(self._group) >= self._missing:
            self._missing = self._every
            self._losses.append(float(np.mean(self._group)))
            self._group = []
            smoothed = self._smoothed()
            best = smoothed.min()
            if self.divergence and smoothed[-1] - best > (self.divergence - 1) * abs(best):
                self._end("diverged")
            elif len(self._losses) == self.steps:
                self._end("finished")

    def _end(self, reason):
        self._reason = reason
        self.model.stop_training = True


class _Surroundings:
    """What `fit` changes about a model besides its variables."""

    def __init__(self, model):
        self.model = model
        self.stop_training = model.stop_training
        self.history = getattr(model, "history", None)
        self.steps_per_execution = model.steps_per_execution
        self.train_function = model.train_function
        if model.steps_per_execution != 1:  # One rate for each batch needs one call for each.
            model.steps_per_execution = 1
            model.train_function = None

    def restore(self):
        model = self.model
        model.stop_training = self.stop_training
        if self.history is not None:
            model.history = self.history
        elif hasattr(model, "history"):
            del model.history
        if self.steps_per_execution != 1:
            model.steps_per_execution = self.steps_per_execution
            model.train_function = self.train_function


def _accumulation(model):
    return innermost(model.optimizer).gradient_accumulation_steps or 1
