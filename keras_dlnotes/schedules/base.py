"""What all schedules share: one call for a step, one for many, and a picture."""

import numbers

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _checks


def length(name, value, interval="(0, inf)"):
    """A number of steps, whole or not, in the type it came in."""
    number = _checks.number(name, value, interval)
    return int(value) if isinstance(value, numbers.Integral) else number


def counting_dtype():
    """The float type to compute in: half precision cannot count past 2048, a schedule counts."""
    return "float64" if keras.config.floatx() == "float64" else "float32"


def divided(step, size):
    """The whole number of times that ``size`` goes into ``step``, and the rest.

    Compilers turn a division by a constant into a product with its rounded reciprocal, and 21 / 7
    into a bit less, or more, than 3. The rest shows which side it fell on.
    """
    count = ops.floor(step / size)
    rest = step - count * size
    count = ops.where(rest < 0, count - 1.0, ops.where(rest >= size, count + 1.0, count))
    return count, step - count * size


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that is computed elementwise.

    A subclass writes ``rate(step)``, with ``step`` a float tensor of any shape, and branches with
    ``ops.where`` alone, so that one formula serves the compiled training step and a whole curve.
    """

    def __init__(self, name):
        super().__init__()
        self.name = name

    def __call__(self, step):
        with keras.name_scope(self.name):
            return self.rate(ops.cast(step, counting_dtype()))

    def rate(self, step):
        raise NotImplementedError

    def curve(self, steps):
        """The schedule as a NumPy array: at steps 0, 1, ... for an integer, or at those given."""
        if isinstance(steps, numbers.Integral):
            steps = np.arange(_checks.integer("steps", steps, 0))
        return ops.convert_to_numpy(self(np.asarray(steps, counting_dtype())))

    def plot(self, steps, ax=None):
        """Draws ``curve(steps)`` and returns the Matplotlib axes."""
        from keras_dlnotes import plots

        return plots.schedule(self, steps, ax=ax)

    def get_config(self):
        return {"name": self.name}
