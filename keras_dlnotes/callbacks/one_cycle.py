"""One cycle of learning rate and momentum over a training."""

import warnings

import keras
import numpy as np

from keras_dlnotes import _checks, _curves
from keras_dlnotes._wrapped_optimizers import innermost
from keras_dlnotes.callbacks import driven_optimizer

WHO = "The one-cycle callback"


class OneCycle(keras.callbacks.Callback):
    """Drives learning rate and momentum through one cycle that spans the training.

    The rate rises from low to the maximum and falls to very low; momentum does the reverse. It
    needs no number of steps: the length of the data and `epochs` say it. Where that is enough, the
    schedule `keras_dlnotes.schedules.OneCycle` does the same for the rate without a callback.

        start = max_learning_rate / div_factor,    end = start / final_div_factor
        rate      goes from start to max_learning_rate at step pct_start * total_steps - 1,
                  then to end at step total_steps - 1
        momentum  goes from max_momentum to base_momentum and back at the same steps

    A step is a batch, also under gradient accumulation, as it is for a schedule inside a Keras
    optimizer. With `steps_per_execution` the rate is set once for so many batches. Arguments and
    numbers are those of `torch.optim.lr_scheduler.OneCycleLR`. The optimizer keeps the last rate
    when the training is over.

    A training that begins at `initial_epoch` (given to `fit`, or found by `BackupAndRestore`)
    begins at that epoch's place in the cycle. One callback whose `total_steps` last longer than
    one `fit` goes on in the next.

    Momentum is the optimizer's `momentum` or `beta_1`. The optimizers of this package keep it in a
    variable; those of Keras have compiled it into the training step, where nobody can set it.

    Args:
        max_learning_rate: Float > 0.
        total_steps: Integer >= 1, or None for the number of batches in all epochs of `fit`.
            Defaults to None.
        pct_start: Float in [0, 1]. The share of the steps in which the rate rises. Defaults to 0.3.
        anneal_strategy: "cos" or "linear". Defaults to "cos".
        div_factor: Float > 0. Defaults to 25.0.
        final_div_factor: Float > 0. Defaults to 1e4.
        three_phase: Boolean. Fall back to `start` as fast as the rate rose, and go to `end` in a
            third phase. Defaults to False.
        cycle_momentum: True, False, or None: drive momentum where there is some and it can be set,
            and warn where there is some and it cannot. True makes that an error. Defaults to None.
        base_momentum: Float in [0, 1). Where the rate is highest. Defaults to 0.85.
        max_momentum: Float in [0, 1). Where the rate is lowest. Defaults to 0.95.
        initial_step: Integer >= 0, or None. Where in the cycle the next `fit` begins, if not where
            described above. Defaults to None.

    Attributes:
        history: Dict of lists, "step", "learning_rate" and, if it is driven, "momentum".

    Example:
        >>> from keras_dlnotes.optimizers import SGD
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        >>> model.compile(SGD(momentum=0.9), "mse")
        >>> cycle = OneCycle(0.1, anneal_strategy="linear", div_factor=4)
        >>> x = np.ones((40, 3))
        >>> history = model.fit(x, x[:, :1], batch_size=8, epochs=4, verbose=0, callbacks=[cycle])
        >>> np.round(cycle.history["learning_rate"][:8], 3).tolist()
        [0.025, 0.04, 0.055, 0.07, 0.085, 0.1, 0.093, 0.086]
        >>> np.round(cycle.history["momentum"][:6], 3).tolist()
        [0.95, 0.93, 0.91, 0.89, 0.87, 0.85]

    Reference: [Smith & Topin, 2017](https://arxiv.org/abs/1708.07120)
    """

    def __init__(
        self,
        max_learning_rate,
        total_steps=None,
        pct_start=0.3,
        anneal_strategy="cos",
        div_factor=25.0,
        final_div_factor=1e4,
        three_phase=False,
        cycle_momentum=None,
        base_momentum=0.85,
        max_momentum=0.95,
        *,
        initial_step=None,
    ):
        super().__init__()
        self.max_learning_rate = _checks.number("max_learning_rate", max_learning_rate, "(0, inf)")
        self.total_steps, self.pct_start, self.anneal_strategy, self.three_phase = (
            _curves.checked_shape(total_steps, pct_start, anneal_strategy, three_phase)
        )
        self.div_factor = _checks.number("div_factor", div_factor, "(0, inf)")
        self.final_div_factor = _checks.number("final_div_factor", final_div_factor, "(0, inf)")
        self.cycle_momentum = _checks.one_of("cycle_momentum", cycle_momentum, (None, True, False))
        self.base_momentum = _checks.number("base_momentum", base_momentum, "[0, 1)")
        self.max_momentum = _checks.number("max_momentum", max_momentum, "[0, 1)")
        if initial_step is not None:
            initial_step = _checks.integer("initial_step", initial_step, 0)
        self.initial_step = initial_step
        self.history = {"step": [], "learning_rate": []}
        self._next = 0  # The step after the last one trained.

    def on_train_begin(self, logs=None):
        optimizer = driven_optimizer.with_settable_rate(self.model, WHO)
        self._steps = self.params.get("steps")
        self._total = self.total_steps
        if self._total is None:
            if self._steps is None:
                raise ValueError(
                    f"{WHO} cannot know where the cycle ends, since the data do not tell how many "
                    "batches they have. Pass `total_steps` to it or `steps_per_epoch` to `fit`."
                )
            self._total = self._steps * self.params["epochs"]
        self._momentum = self._find_momentum(optimizer)
        self._first_epoch = None

    def _find_momentum(self, optimizer):
        """The name of the number to drive, or None."""
        if self.cycle_momentum is False:
            return None
        name, settable = driven_optimizer.momentum_name(optimizer)
        if self.cycle_momentum is None and name is None:
            return None
        inner = innermost(optimizer)
        try:
            if name is None:  # Momentum of zero; whether it is more than a zero shows when set.
                name, settable = "momentum", hasattr(getattr(type(inner), "momentum", 0), "__set__")
            if not settable:
                raise TypeError(f"{type(inner).__name__} keeps no `{name}` that can be set.")
            setattr(inner, name, self._value("momentum", 0))
        except TypeError as error:
            message = (
                f"{WHO} cannot drive the momentum of this optimizer: {error} Use one of "
                "`keras_dlnotes.optimizers` with a float as momentum, or pass "
                "`cycle_momentum=False`"
            )
            if self.cycle_momentum:
                raise ValueError(f"{message}.") from error
            warnings.warn(f"{message}. Only the learning rate follows the cycle.", stacklevel=2)
            return None
        return name

    def on_epoch_begin(self, epoch, logs=None):
        if self._first_epoch is None:
            self._first_epoch, self._start = epoch, self._where_to_begin(epoch)
            if self._start == 0:
                self.history = {"step": [], "learning_rate": []}
            if self._momentum:
                self.history.setdefault("momentum", [])
            self._next = self._start
        if self._steps is not None:
            self._next = self._start + (epoch - self._first_epoch) * self._steps
        self._epoch_start = self._next

    def _where_to_begin(self, epoch):
        if self.initial_step is not None:
            return self.initial_step
        if epoch > 0 and self._steps is not None:
            return epoch * self._steps
        if epoch > 0:
            inner = innermost(self.model.optimizer)
            return int(keras.ops.convert_to_numpy(inner._iterations))
        unfinished = self.total_steps is not None and self._next < self.total_steps
        return self._next if unfinished else 0

    def on_train_batch_begin(self, batch, logs=None):
        step = self._epoch_start + batch
        optimizer = self.model.optimizer
        self._set = {"step": step, "learning_rate": self._value("learning_rate", step)}
        driven_optimizer.set_rate(optimizer, self._set["learning_rate"])
        if self._momentum:
            self._set["momentum"] = self._value("momentum", step)
            inner = innermost(optimizer)
            setattr(inner, self._momentum, self._set["momentum"])

    def on_train_batch_end(self, batch, logs=None):
        # Only now, since the last batch to begin may find that the data have ended.
        for name, value in self._set.items():
            self.history[name].append(value)
        self._next = self._epoch_start + batch + 1

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None and self.history["step"]:
            for name in ("learning_rate", "momentum")[: 2 if self._momentum else 1]:
                logs[name] = self.history[name][-1]

    def _value(self, name, step):
        start = self.max_learning_rate / self.div_factor
        values = {
            "learning_rate": (start, self.max_learning_rate, start / self.final_div_factor),
            "momentum": (self.max_momentum, self.base_momentum, self.max_momentum),
        }[name]
        shape = self._total, self.pct_start, self.anneal_strategy, self.three_phase
        return float(_curves.one_cycle(np, step, values, *shape))
