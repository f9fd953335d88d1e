"""The rate multiplied by a constant every so many steps."""

from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.schedules.base import Schedule, divided, length


@serializable
class ExponentialDecay(Schedule):
    """A rate that shrinks by the factor ``decay_rate`` every ``decay_steps`` steps.

    The plain choice where nothing is known but that the rate should fall. Equal to
    ``keras.optimizers.schedules.ExponentialDecay``; ``curve`` and ``plot`` are ours.

        rate = initial_learning_rate * decay_rate ^ (step / decay_steps)

    Args:
        initial_learning_rate: Float >= 0.
        decay_steps: Number > 0.
        decay_rate: Float >= 0.
        staircase: Boolean. Round the exponent down, so that the rate falls in steps.
            Defaults to False.
        name: String.

    Example:
        >>> ExponentialDecay(0.1, decay_steps=2, decay_rate=0.25).curve(4)
        array([0.1   , 0.05  , 0.025 , 0.0125], dtype=float32)
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        decay_rate,
        staircase=False,
        name="ExponentialDecay",
    ):
        super().__init__(name)
        self.initial_learning_rate = _checks.number(
            "initial_learning_rate", initial_learning_rate, "[0, inf)"
        )
        self.decay_steps = length("decay_steps", decay_steps)
        self.decay_rate = _checks.number("decay_rate", decay_rate, "[0, inf)")
        self.staircase = _checks.boolean("staircase", staircase)

    def rate(self, step):
        exponent = divided(step, self.decay_steps)[0] if self.staircase else step / self.decay_steps
        return self.initial_learning_rate * ops.power(self.decay_rate, exponent)

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            **super().get_config(),
        }
