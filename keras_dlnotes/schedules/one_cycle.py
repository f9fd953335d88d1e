"""One cycle of the learning rate: low, high, very low."""

from keras import ops

from keras_dlnotes import _checks, _curves
from keras_dlnotes._saving import serializable
from keras_dlnotes.schedules.base import Schedule
from keras_dlnotes.schedules.one_cycle_momentum import OneCycleMomentum


@serializable
class OneCycle(Schedule):
    """One cycle over the whole training: from low up to the maximum, then down to very low.

    The high middle regularises and moves far, the long end settles; training often takes a
    fraction of the epochs a decaying rate needs. Keras has none; arguments and numbers are those
    of ``torch.optim.lr_scheduler.OneCycleLR``, save that steps after the last keep the last rate.
    As a schedule it lives inside the optimizer, goes on where ``optimizer.iterations`` stands and
    must be told ``total_steps`` (batches, also under gradient accumulation); the callback
    ``keras_dlnotes.callbacks.OneCycle`` finds the number by itself and drives momentum as well.

        start = max_learning_rate / div_factor,    end = start / final_div_factor
        rate  goes from start to max_learning_rate at step pct_start * total_steps - 1,
              then to end at step total_steps - 1

    Args:
        max_learning_rate: Float > 0.
        total_steps: Integer >= 1.
        pct_start: Float in [0, 1]. The share of the steps in which the rate rises. Defaults to 0.3.
        anneal_strategy: "cos" or "linear". Defaults to "cos".
        div_factor: Float > 0. Defaults to 25.0.
        final_div_factor: Float > 0. Defaults to 1e4.
        three_phase: Boolean. Fall back to ``start`` as fast as the rate rose, and go to ``end`` in
            a third phase. Defaults to False.
        name: String.

    Example:
        >>> cycle = OneCycle(1.0, total_steps=10, anneal_strategy="linear", div_factor=5)
        >>> cycle.curve(10).round(3)
        array([0.2 , 0.6 , 1. , 0.857, 0.714, 0.571, 0.429, 0.286, 0.143, 0. ],
              dtype=float32)
        >>> cycle.momentum().curve([0, 2, 9]).round(3)
        array([0.95, 0.85, 0.95], dtype=float32)

    Reference: [Smith & Topin, 2017](https://arxiv.org/abs/1708.07120)
    """

    def __init__(
        self,
        max_learning_rate,
        total_steps,
        pct_start=0.3,
        anneal_strategy="cos",
        div_factor=25.0,
        final_div_factor=1e4,
        three_phase=False,
        name="OneCycle",
    ):
        super().__init__(name)
        self.max_learning_rate = _checks.number("max_learning_rate", max_learning_rate, "(0, inf)")
        total_steps = _checks.integer("total_steps", total_steps, 1)
        self.total_steps, self.pct_start, self.anneal_strategy, self.three_phase = (
            _curves.checked_shape(total_steps, pct_start, anneal_strategy, three_phase)
        )
        self.div_factor = _checks.number("div_factor", div_factor, "(0, inf)")
        self.final_div_factor = _checks.number("final_div_factor", final_div_factor, "(0, inf)")

    def rate(self, step):
        start = self.max_learning_rate / self.div_factor
        return _curves.one_cycle(
            ops,
            step,
            (start, self.max_learning_rate, start / self.final_div_factor),
            self.total_steps,
            self.pct_start,
            self.anneal_strategy,
            self.three_phase,
        )

    def momentum(self, base_momentum=0.85, max_momentum=0.95):
        """The momentum's inverse cycle of the same shape: high where the rate is low."""
        return OneCycleMomentum(
            self.total_steps,
            base_momentum,
            max_momentum,
            self.pct_start,
            self.anneal_strategy,
            self.three_phase,
        )

    def get_config(self):
        return {
            "max_learning_rate": self.max_learning_rate,
            "total_steps": self.total_steps,
            "pct_start": self.pct_start,
            "anneal_strategy": self.anneal_strategy,
            "div_factor": self.div_factor,
            "final_div_factor": self.final_div_factor,
            "three_phase": self.three_phase,
            **super().get_config(),
        }
