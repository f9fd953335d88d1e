"""Up and down between two rates, again and again."""

from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.schedules.base import Schedule, divided, length


@serializable
class Cyclical(Schedule):
    """A rate that climbs and falls along straight lines between two bounds.

    It needs no tuned decay: the bounds can be read off a learning-rate range test. Keras has none;
    the arguments are those of TensorFlow Addons' cyclical rates, whose three classes are the
    modes here.

        cycle = floor(step / (step_size + step_size_down))          s = steps since it began
        height = s / step_size                                      going up
        height = 1 - (s - step_size) / step_size_down               going down
        rate = initial_learning_rate + (maximal_learning_rate - initial_learning_rate)
               * height * scale
        scale = 1 | 2 ^ -cycle | gamma ^ step       triangular | triangular2 | exp_range

    Args:
        initial_learning_rate: Float >= 0. The lower bound.
        maximal_learning_rate: Float >= 0. The upper bound.
        step_size: Number > 0. Steps from the lower bound to the upper.
        mode: "triangular", "triangular2" (each cycle half as high) or "exp_range" (the height
            decays with every step). Defaults to "triangular".
        gamma: Float in (0, 1]. The decay of "exp_range". Defaults to 1.0.
        step_size_down: Number > 0, or None for ``step_size``. Steps back down. Defaults to None.
        name: String.

    Example:
        >>> Cyclical(0.1, 0.3, step_size=2, mode="triangular2").curve(8)
        array([0.1 , 0.2 , 0.3 , 0.2 , 0.1 , 0.15, 0.2 , 0.15], dtype=float32)

    Reference: [Smith, 2015](https://arxiv.org/abs/1506.01186)
    """

    def __init__(
        self,
        initial_learning_rate,
        maximal_learning_rate,
        step_size,
        mode="triangular",
        gamma=1.0,
        step_size_down=None,
        name="Cyclical",
    ):
        super().__init__(name)
        self.initial_learning_rate = _checks.number(
            "initial_learning_rate", initial_learning_rate, "[0, inf)"
        )
        self.maximal_learning_rate = _checks.number(
            "maximal_learning_rate", maximal_learning_rate, "[0, inf)"
        )
        self.step_size = length("step_size", step_size)
        self.mode = _checks.one_of("mode", mode, ("triangular", "triangular2", "exp_range"))
        self.gamma = _checks.number("gamma", gamma, "(0, 1]")
        if step_size_down is not None:
            step_size_down = length("step_size_down", step_size_down)
        self.step_size_down = step_size_down

    def rate(self, step):
        up, down = self.step_size, self.step_size_down or self.step_size
        cycle, since = divided(step, up + down)
        height = ops.clip(ops.minimum(since / up, 1.0 - (since - up) / down), 0.0, 1.0)
        if self.mode == "triangular2":
            height = height * ops.power(0.5, cycle)
        elif self.mode == "exp_range":
            height = height * ops.power(self.gamma, step)
        low, high = self.initial_learning_rate, self.maximal_learning_rate
        return low + (high - low) * height

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "maximal_learning_rate": self.maximal_learning_rate,
            "step_size": self.step_size,
            "mode": self.mode,
            "gamma": self.gamma,
            "step_size_down": self.step_size_down,
            **super().get_config(),
        }
