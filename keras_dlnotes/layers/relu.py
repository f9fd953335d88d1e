"""ReLU as a layer."""

from keras_dlnotes import activations
from keras_dlnotes._checks import number
from keras_dlnotes._saving import serializable
from keras_dlnotes.layers.elementwise import Elementwise


@serializable
class ReLU(Elementwise):
    """The rectified linear unit: positive inputs pass, negative ones do not.

    As `keras.layers.ReLU`, with the gradient at 0 being 0 on every backend.

    `f(x) = max(x, 0)`; with all arguments `f(x) = negative_slope * (x - threshold)` up to
    `threshold`, above it `f(x) = min(x, max_value)`.

    Args:
        max_value: Float >= 0, the largest value given, or None for no bound. Defaults to None.
        negative_slope: Float >= 0. Slope up to the threshold. Defaults to 0.
        threshold: Float >= 0. Inputs up to here count as negative. Defaults to 0.
        **kwargs: Base layer arguments, such as `name` and `dtype`.

    Example:
        >>> import numpy as np
        >>> layer = ReLU(max_value=10, negative_slope=0.5)
        >>> layer(np.array([-10.0, -5.0, 0.0, 5.0, 20.0])).numpy()
        array([-5. , -2.5,  0. ,  5. , 10. ], dtype=float32)

    Reference: [Nair & Hinton, 2010](https://dl.acm.org/doi/10.5555/3104322.3104425)
    """

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else number("max_value", max_value, "[0, inf)")
        self.negative_slope = number("negative_slope", negative_slope, "[0, inf)")
        self.threshold = number("threshold", threshold, "[0, inf)")

    def call(self, inputs):
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)

    def get_config(self):
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }
