"""Features of mean 0 and variance 1."""

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.layers._scaling import Scaling


@serializable
class Standardization(Scaling):
    """Brings every feature to mean 0 and variance 1: `(x - mean) / sqrt(variance)`.

    As `keras.layers.Normalization`, with its arguments and numbers. Beyond it: NaN is refused by
    column instead of spoiling the statistics, sums are float64, `inverse` leads back, a constant
    feature becomes 0 without exploding on new values, and large features are scaled before they are
    made float16. The statistics are weights, so they are saved with the model.

        y = (x - mean) / max(sqrt(variance), 1e-7)      and y = x - mean where variance is 0

    Args:
        axis: Integer or integers. Axes that have statistics of their own. Defaults to -1, the
            features; None scales all alike.
        mean, variance: Numbers or arrays that are known beforehand, instead of `adapt`; both or
            neither. Default to None.
        invert: Boolean. Whether the layer itself leads back, as in Keras. Defaults to False.
        nan: "refuse" raises an error that names the columns, "skip" leaves NaN out of the
            statistics. Defaults to "refuse".

    Example:
        >>> import keras, numpy as np
        >>> layer = Standardization()
        >>> layer.adapt(np.array([[1.0, 10.0], [3.0, 10.0]]))
        >>> y = layer(np.array([[1.0, 10.0], [3.0, 10.0]]))
        >>> keras.ops.convert_to_numpy(y)
        array([[-1.,  0.],
               [ 1.,  0.]], dtype=float32)
        >>> keras.ops.convert_to_numpy(layer.inverse(y))
        array([[ 1., 10.],
               [ 3., 10.]], dtype=float32)
    """

    statistics = {"mean": 0.0, "variance": 1.0}

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, *, nan="refuse", **kwargs):
        super().__init__(axis, nan, **kwargs)
        self.invert = _checks.boolean("invert", invert)
        self.input_mean, self.input_variance = mean, variance
        given = {"mean": mean, "variance": variance}
        for name, value in given.items():
            if value is None and (mean is not None or variance is not None):
                _checks.fail(name, "be given too: both `mean` and `variance` must be set", None)
            if value is not None and not np.all(np.isfinite(np.asarray(value, "float64"))):
                _checks.fail(name, "hold finite numbers", value)
        if mean is not None:
            if np.any(np.asarray(variance) < 0):
                _checks.fail("variance", "not be negative", variance)
            self.given = given

    def get_config(self):
        given = {name: np.asarray(value).tolist() for name, value in self.given.items()}
        config = {"mean": None, "variance": None, **given, "invert": self.invert}
        return {**super().get_config(), **config}

    def learned(self, moments):
        return {"mean": moments.mean, "variance": moments.variance}

    def _deviation(self):
        variance = self._value("variance")
        deviation = ops.maximum(ops.sqrt(variance), keras.config.epsilon())
        return ops.where(variance > 0, deviation, ops.ones_like(variance))

    def _scale(self, inputs, back=False):
        if self.invert is not back:
            return inputs * self._deviation() + self._value("mean")
        return (inputs - self._value("mean")) / self._deviation()

    def _unscale(self, outputs):
        return self._scale(outputs, back=True)
