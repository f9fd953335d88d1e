"""The rate going down to another along a power."""

from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.schedules.base import Schedule, divided, length


@serializable
class PolynomialDecay(Schedule):
    """A rate that goes from one value to another in ``decay_steps`` steps, along a power.

    ``power=1`` is a straight line, the usual end of a fine-tuning. Equal to
    ``keras.optimizers.schedules.PolynomialDecay``; ``curve`` and ``plot`` are ours.

        s = min(step, decay_steps)
        rate = (initial_learning_rate - end_learning_rate) * (1 - s / decay_steps) ^ power
               + end_learning_rate

    With ``cycle`` the rate does not stay at its end: each time it gets there, ``decay_steps``
    grows to its next multiple, and the rate jumps up and falls again, more slowly.

    Args:
        initial_learning_rate: Float >= 0.
        decay_steps: Number > 0.
        end_learning_rate: Float >= 0. Defaults to 0.0001.
        power: Float >= 0. Defaults to 1.0.
        cycle: Boolean. Defaults to False.
        name: String.

    Example:
        >>> PolynomialDecay(0.1, decay_steps=4, end_learning_rate=0.02).curve(6).round(3)
        array([0.1 , 0.08, 0.06, 0.04, 0.02, 0.02], dtype=float32)
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        end_learning_rate=0.0001,
        power=1.0,
        cycle=False,
        name="PolynomialDecay",
    ):
        super().__init__(name)
        self.initial_learning_rate = _checks.number(
            "initial_learning_rate", initial_learning_rate, "[0, inf)"
        )
        self.decay_steps = length("decay_steps", decay_steps)
        self.end_learning_rate = _checks.number("end_learning_rate", end_learning_rate, "[0, inf)")
        self.power = _checks.number("power", power, "[0, inf)")
        self.cycle = _checks.boolean("cycle", cycle)

    def rate(self, step):
        if self.cycle:
            ended, rest = divided(step, self.decay_steps)
            cycles = ops.where(rest > 0, ended + 1.0, ops.maximum(ended, 1.0))
            done = ops.minimum(step / (self.decay_steps * cycles), 1.0)
        else:
            done = ops.minimum(step, self.decay_steps) / self.decay_steps
        span = self.initial_learning_rate - self.end_learning_rate
        return span * ops.power(1.0 - done, self.power) + self.end_learning_rate

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            **super().get_config(),
        }
