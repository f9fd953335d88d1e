"""The rate divided by a number that grows with the step."""

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.schedules.base import Schedule, divided, length


@serializable
class InverseTimeDecay(Schedule):
    """A rate that falls like one over the number of steps.

    Slow enough that its sum diverges while the sum of its squares does not, which is what the
    convergence proofs of stochastic gradient descent ask for. Equal to
    ``keras.optimizers.schedules.InverseTimeDecay``; ``curve`` and ``plot`` are ours.

        rate = initial_learning_rate / (1 + decay_rate * step / decay_steps)

    Args:
        initial_learning_rate: Float >= 0.
        decay_steps: Number > 0.
        decay_rate: Float >= 0.
        staircase: Boolean. Round ``step / decay_steps`` down. Defaults to False.
        name: String.

    Example:
        >>> InverseTimeDecay(0.6, decay_steps=1, decay_rate=1.0).curve(4).round(3)
        array([0.6 , 0.3 , 0.2 , 0.15], dtype=float32)

    Reference: [Robbins & Monro, 1951](https://doi.org/10.1214/aoms/1177729586)
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        decay_rate,
        staircase=False,
        name="InverseTimeDecay",
    ):
        super().__init__(name)
        self.initial_learning_rate = _checks.number(
            "initial_learning_rate", initial_learning_rate, "[0, inf)"
        )
        self.decay_steps = length("decay_steps", decay_steps)
        self.decay_rate = _checks.number("decay_rate", decay_rate, "[0, inf)")
        self.staircase = _checks.boolean("staircase", staircase)

    def rate(self, step):
        time = divided(step, self.decay_steps)[0] if self.staircase else step / self.decay_steps
        return self.initial_learning_rate / (1.0 + self.decay_rate * time)

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            **super().get_config(),
        }
