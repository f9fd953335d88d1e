"""Features in a range."""

from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.layers._scaling import Scaling


@serializable
class MinMaxScaling(Scaling):
    """Brings every feature into a range: `low + (high - low) * (x - min) / (max - min)`.

    A constant feature becomes `low`. The statistics are weights, so they are saved with the model.

    Args:
        low, high: Floats. The range. Default to 0 and 1.
        axis: Integer or integers. Axes that have a range of their own. Defaults to -1.
        nan: "refuse" or "skip", as in `Standardization`. Defaults to "refuse".
        clip: Boolean. Whether later values outside the range are moved to its ends. Defaults to
            False.

    Example:
        >>> import keras, numpy as np
        >>> layer = MinMaxScaling(-1, 1)
        >>> layer.adapt(np.array([[1.0], [3.0], [2.0]]))
        >>> keras.ops.convert_to_numpy(layer(np.array([[1.0], [2.0], [4.0]]))).ravel().tolist()
        [-1.0, 0.0, 2.0]
    """

    statistics = {"minimum": 0.0, "maximum": 1.0}

    def __init__(self, low=0.0, high=1.0, axis=-1, nan="refuse", *, clip=False, **kwargs):
        super().__init__(axis, nan, **kwargs)
        self.low, self.high = _checks.number("low", low), _checks.number("high", high)
        if not self.low < self.high:
            _checks.fail("high", f"be above low={self.low}", high)
        self.clip = _checks.boolean("clip", clip)

    def learned(self, moments):
        return {"minimum": moments.minimum, "maximum": moments.maximum}

    def _width(self):
        width = self._value("maximum") - self._value("minimum")
        return ops.where(width > 0, width, ops.ones_like(width))

    def _scale(self, inputs):
        share = (inputs - self._value("minimum")) / self._width()
        outputs = self.low + (self.high - self.low) * share
        return ops.clip(outputs, self.low, self.high) if self.clip else outputs

    def _unscale(self, outputs):
        share = (outputs - self.low) / (self.high - self.low)
        return self._value("minimum") + share * self._width()

    def get_config(self):
        return {**super().get_config(), "low": self.low, "high": self.high, "clip": self.clip}
