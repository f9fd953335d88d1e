"""A rate for each stretch of the training."""

from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.schedules.base import Schedule, length


@serializable
class PiecewiseConstantDecay(Schedule):
    """A list of rates, each kept until the next boundary has passed.

    For drops at places chosen by hand. Equal to
    ``keras.optimizers.schedules.PiecewiseConstantDecay``, save that the rates may be written as
    integers too; ``curve`` and ``plot`` are ours.

        rate = values[number of boundaries b with step > b]

    Args:
        boundaries: List of numbers, strictly increasing.
        values: List of floats >= 0, one more than ``boundaries``.
        name: String.

    Example:
        >>> PiecewiseConstantDecay([1, 3], [0.1, 0.02, 0.01]).curve(5)
        array([0.1 , 0.1 , 0.02, 0.02, 0.01], dtype=float32)
    """

    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        super().__init__(name)
        if len(boundaries) != len(values) - 1:
            _checks.fail(
                "values", f"have one entry more than the {len(boundaries)} boundaries", values
            )
        self.boundaries = [
            length(f"boundaries[{i}]", b, "(-inf, inf)") for i, b in enumerate(boundaries)
        ]
        if any(a >= b for a, b in zip(self.boundaries, self.boundaries[1:], strict=False)):
            _checks.fail("boundaries", "be strictly increasing", boundaries)
        self.values = [_checks.number(f"values[{i}]", v, "[0, inf)") for i, v in enumerate(values)]

    def rate(self, step):
        rate = ops.full_like(step, self.values[0])
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            rate = ops.where(step > boundary, value, rate)
        return rate

    def get_config(self):
        return {"boundaries": self.boundaries, "values": self.values, **super().get_config()}
