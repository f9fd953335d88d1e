"""Up along a line, down along half a cosine."""

import math

from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.schedules.base import Schedule, length


@serializable
class CosineDecay(Schedule):
    """A rate that falls along half a cosine, after a linear warm-up if one is wanted.

    It stays high for long, falls fast and lands softly; the warm-up keeps the first steps of an
    adaptive optimizer small while its averages are still poor. Equal to
    ``keras.optimizers.schedules.CosineDecay``; ``curve`` and ``plot`` are ours.

        rate = initial_learning_rate
               + (warmup_target - initial_learning_rate) * step / warmup_steps   while warming up
        s = min(step - warmup_steps, decay_steps)
        rate = warmup_target * ((1 - alpha) * (1 + cos(pi * s / decay_steps)) / 2 + alpha)   after

    Without ``warmup_target`` there is no warm-up, and the decay begins at
    ``initial_learning_rate``.

    Args:
        initial_learning_rate: Float >= 0.
        decay_steps: Number > 0, the warm-up not counted.
        alpha: Float >= 0. The end, as a fraction of the top. Defaults to 0.0.
        name: String.
        warmup_target: Float >= 0 or None. Defaults to None.
        warmup_steps: Number >= 0. Defaults to 0.

    Example:
        >>> CosineDecay(0.0, decay_steps=4, warmup_target=0.2, warmup_steps=2).curve(7).round(4)
        array([0. , 0.1 , 0.2 , 0.1707, 0.1 , 0.0292, 0. ], dtype=float32)

    Reference: [Loshchilov & Hutter, 2016](https://arxiv.org/abs/1608.03983);
    the warm-up: [Goyal et al., 2017](https://arxiv.org/abs/1706.02677)
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        alpha=0.0,
        name="CosineDecay",
        warmup_target=None,
        warmup_steps=0,
    ):
        super().__init__(name)
        self.initial_learning_rate = _checks.number(
            "initial_learning_rate", initial_learning_rate, "[0, inf)"
        )
        self.decay_steps = length("decay_steps", decay_steps)
        self.alpha = _checks.number("alpha", alpha, "[0, inf)")
        if warmup_target is not None:
            warmup_target = _checks.number("warmup_target", warmup_target, "[0, inf)")
        self.warmup_target = warmup_target
        self.warmup_steps = length("warmup_steps", warmup_steps, "[0, inf)")

    def rate(self, step):
        return with_warmup(self, step, self.decay)

    def decay(self, step):
        done = ops.minimum(step, self.decay_steps) / self.decay_steps
        return (1.0 - self.alpha) * half_cosine(done) + self.alpha

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            **super().get_config(),
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


def half_cosine(done):
    """From 1 to 0 while ``done`` goes from 0 to 1."""
    return 0.5 * (1.0 + ops.cos(math.pi * done))


def with_warmup(schedule, step, decay):
    """A line up to ``warmup_target``, then that many times ``decay(steps since)``."""
    start, top = schedule.initial_learning_rate, schedule.warmup_target
    if top is None:
        return start * decay(step)
    warmup = schedule.warmup_steps
    # Where there is no warm-up the line is never taken, and must only not divide by zero.
    line = start + (top - start) * step / max(warmup, 1)
    return ops.where(step < warmup, line, top * decay(ops.maximum(step - warmup, 0.0)))
