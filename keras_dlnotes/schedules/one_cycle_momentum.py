"""The momentum that goes with a one-cycle learning rate: high, low, high."""

from keras import ops

from keras_dlnotes import _checks, _curves
from keras_dlnotes._saving import serializable
from keras_dlnotes.schedules.base import Schedule


@serializable
class OneCycleMomentum(Schedule):
    """The inverse of the one-cycle rate: momentum falls while the rate rises, and comes back.

    For an optimizer whose ``momentum`` or ``beta_1`` takes a schedule, which those of this package
    do and those of Keras do not. ``OneCycle.momentum()`` makes the one that fits a rate.

        momentum  goes from max_momentum to base_momentum at step pct_start * total_steps - 1,
                  then back to max_momentum at step total_steps - 1

    Args:
        total_steps: Integer >= 1.
        base_momentum: Float in [0, 1). Where the rate is highest. Defaults to 0.85.
        max_momentum: Float in [0, 1). Where the rate is lowest. Defaults to 0.95.
        pct_start: Float in [0, 1]. Defaults to 0.3.
        anneal_strategy: "cos" or "linear". Defaults to "cos".
        three_phase: Boolean. Be back at ``max_momentum`` as soon as the rate is back at its start.
            Defaults to False.
        name: String.

    Example:
        >>> OneCycleMomentum(10, anneal_strategy="linear").curve([0, 1, 2, 9]).round(3)
        array([0.95, 0.9 , 0.85, 0.95], dtype=float32)

    Reference: [Smith, 2018](https://arxiv.org/abs/1803.09820)
    """

    def __init__(
        self,
        total_steps,
        base_momentum=0.85,
        max_momentum=0.95,
        pct_start=0.3,
        anneal_strategy="cos",
        three_phase=False,
        name="OneCycleMomentum",
    ):
        super().__init__(name)
        total_steps = _checks.integer("total_steps", total_steps, 1)
        self.base_momentum = _checks.number("base_momentum", base_momentum, "[0, 1)")
        self.max_momentum = _checks.number("max_momentum", max_momentum, "[0, 1)")
        self.total_steps, self.pct_start, self.anneal_strategy, self.three_phase = (
            _curves.checked_shape(total_steps, pct_start, anneal_strategy, three_phase)
        )

    def rate(self, step):
        return _curves.one_cycle(
            ops,
            step,
            (self.max_momentum, self.base_momentum, self.max_momentum),
            self.total_steps,
            self.pct_start,
            self.anneal_strategy,
            self.three_phase,
        )

    def get_config(self):
        return {
            "total_steps": self.total_steps,
            "base_momentum": self.base_momentum,
            "max_momentum": self.max_momentum,
            "pct_start": self.pct_start,
            "anneal_strategy": self.anneal_strategy,
            "three_phase": self.three_phase,
            **super().get_config(),
        }
