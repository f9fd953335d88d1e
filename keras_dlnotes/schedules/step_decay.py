"""The rate divided by ten (say) every so many steps."""

from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.schedules.base import Schedule, divided, length


@serializable
class StepDecay(Schedule):
    """A rate that stays put for ``decay_steps`` steps, then falls to ``decay_rate`` of itself.

    The classic of image classification. Keras says ``ExponentialDecay(..., staircase=True)``, and
    the numbers are the same; where the drops come at uneven distances, take
    ``PiecewiseConstantDecay``.

        rate = initial_learning_rate * decay_rate ^ floor(step / decay_steps)

    Args:
        initial_learning_rate: Float >= 0.
        decay_steps: Number > 0.
        decay_rate: Float >= 0. Defaults to 0.1.
        name: String.

    Example:
        >>> StepDecay(0.1, decay_steps=2, decay_rate=0.5).curve(5)
        array([0.1  , 0.1  , 0.05 , 0.05 , 0.025], dtype=float32)
    """

    def __init__(self, initial_learning_rate, decay_steps, decay_rate=0.1, name="StepDecay"):
        super().__init__(name)
        self.initial_learning_rate = _checks.number(
            "initial_learning_rate", initial_learning_rate, "[0, inf)"
        )
        self.decay_steps = length("decay_steps", decay_steps)
        self.decay_rate = _checks.number("decay_rate", decay_rate, "[0, inf)")

    def rate(self, step):
        drops, _ = divided(step, self.decay_steps)
        return self.initial_learning_rate * ops.power(self.decay_rate, drops)

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            **super().get_config(),
        }
