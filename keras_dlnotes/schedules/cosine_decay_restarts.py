"""Half cosines one after another, each longer than the last."""

import math

from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.schedules.base import Schedule, divided, length
from keras_dlnotes.schedules.cosine_decay import half_cosine, with_warmup


@serializable
class CosineDecayRestarts(Schedule):
    """A cosine decay that jumps back up each time it has come down.

    The restarts throw the weights out of a narrow valley, and the models at the ends of the
    periods make an ensemble for the price of one. With its first five arguments equal to
    ``keras.optimizers.schedules.CosineDecayRestarts``, except that a restart always falls on its
    own step (Keras rounds a logarithm there, and some come a step late); the warm-up, ``curve``
    and ``plot`` are ours.

        T_i = first_decay_steps * t_mul ^ i            the length of period i
        s = steps since period i began
        rate = initial_learning_rate
               * ((1 - alpha) * m_mul ^ i * (1 + cos(pi * s / T_i)) / 2 + alpha)

    Args:
        initial_learning_rate: Float >= 0.
        first_decay_steps: Number > 0.
        t_mul: Float >= 1. How much longer each period is than the last. Defaults to 2.0.
        m_mul: Float >= 0. What each period's top is of the last one's. Defaults to 1.0.
        alpha: Float >= 0. The bottom, as a fraction of the first top. Defaults to 0.0.
        name: String.
        warmup_target: Float >= 0 or None. With a number, the rate first goes along a line from
            ``initial_learning_rate`` to it, and the restarts then begin at it. Defaults to None.
        warmup_steps: Number >= 0. Defaults to 0.

    Example:
        >>> CosineDecayRestarts(0.2, first_decay_steps=2).curve(7).round(4)
        array([0.2 , 0.1 , 0.2 , 0.1707, 0.1 , 0.0292, 0.2 ], dtype=float32)

    Reference: [Loshchilov & Hutter, 2016](https://arxiv.org/abs/1608.03983)
    """

    def __init__(
        self,
        initial_learning_rate,
        first_decay_steps,
        t_mul=2.0,
        m_mul=1.0,
        alpha=0.0,
        name="SGDRDecay",
        *,
        warmup_target=None,
        warmup_steps=0,
    ):
        super().__init__(name)
        self.initial_learning_rate = _checks.number(
            "initial_learning_rate", initial_learning_rate, "[0, inf)"
        )
        self.first_decay_steps = length("first_decay_steps", first_decay_steps)
        self.t_mul = _checks.number("t_mul", t_mul, "[1, inf)")
        self.m_mul = _checks.number("m_mul", m_mul, "[0, inf)")
        self.alpha = _checks.number("alpha", alpha, "[0, inf)")
        if warmup_target is not None:
            warmup_target = _checks.number("warmup_target", warmup_target, "[0, inf)")
        self.warmup_target = warmup_target
        self.warmup_steps = length("warmup_steps", warmup_steps, "[0, inf)")

    def rate(self, step):
        return with_warmup(self, step, self.decay)

    def decay(self, step):
        if self.t_mul == 1.0:
            period, rest = divided(step, self.first_decay_steps)
            done = rest / self.first_decay_steps
        else:
            grown = 1.0 + step * ((self.t_mul - 1.0) / self.first_decay_steps)
            period = ops.floor(ops.log(grown) / math.log(self.t_mul))
            # At a restart the logarithm is a whole number, and rounding may put it on either side;
            # so it only proposes a period, and the step decides, give or take its own rounding.
            edge = step * (1.0 + 5e-7)
            period = ops.where(self.begin(period + 1.0) <= edge, period + 1.0, period)
            period = ops.where(self.begin(period) > edge, period - 1.0, period)
            span = self.first_decay_steps * ops.power(self.t_mul, period)
            done = (step - self.begin(period)) / span
        top = ops.power(self.m_mul, period)
        return (1.0 - self.alpha) * top * half_cosine(done) + self.alpha

    def begin(self, period):
        """The step at which a period begins: the lengths of those before it, summed."""
        growth = (ops.power(self.t_mul, period) - 1.0) / (self.t_mul - 1.0)
        return self.first_decay_steps * growth

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
            **super().get_config(),
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }
