"""Layers that scale features by what they learned from data, and back."""

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.layers.moments import Moments


class Scaling(keras.layers.Layer):
    """What the scalings share: statistics for each feature, kept as weights, found by `adapt`."""

    #: Names of the statistics and their values before `adapt`.
    statistics = {}

    def __init__(self, axis=-1, nan="refuse", **kwargs):
        super().__init__(**kwargs)
        if axis is None:
            axis = ()
        axes = (axis,) if isinstance(axis, int) and not isinstance(axis, bool) else tuple(axis)
        self.axis = tuple(_checks.integer("axis", each) for each in axes)
        self.nan = _checks.one_of("nan", nan, ("refuse", "skip"))
        self.supports_masking = True

    def build(self, input_shape):
        rank = len(input_shape)
        for axis in self.axis:
            if not -rank <= axis < rank:
                _checks.fail("axis", f"be an axis of the input {tuple(input_shape)}", axis)
        kept = sorted({axis % rank for axis in self.axis})
        if 0 in kept:
            _checks.fail("axis", "leave out the batch, axis 0", self.axis)
        shape = tuple(input_shape[axis] for axis in kept)
        if None in shape:
            raise ValueError(f"The size of axis {self.axis} must be known. Received: {input_shape}")
        self._broadcast = tuple(input_shape[a] if a in kept else 1 for a in range(rank))
        self._reduced = tuple(a for a in range(rank) if a not in kept)
        for name, value in self.statistics.items():
            weight = self.add_weight(
                shape, keras.initializers.Constant(value), trainable=False, name=name
            )
            setattr(self, name, weight)
        self.built = True

    def adapt(self, data, batch_size=8192, steps=None):
        """Learns the statistics, anew each time, in float64 and one pass.

        Args:
            data: An array, a `tf.data.Dataset` of batches, a `keras.utils.PyDataset` or any
                iterable of batches; of pairs (x, y) the first is taken. The data may be larger than
                memory.
            batch_size: Integer. Rows of an array to look at together. Defaults to 8192.
            steps: Integer. Only so many batches. Defaults to None, all.
        """
        moments = None
        for number, batch in enumerate(batches(data, batch_size)):
            if steps is not None and number >= steps:
                break
            batch = ops.convert_to_numpy(batch).astype("float64")
            if not self.built:
                self.build((None, *batch.shape[1:]))
            if moments is None:
                moments = Moments(tuple(self._variables_shape()))
            rows = np.moveaxis(batch, self._reduced, range(len(self._reduced)))
            moments.add(rows.reshape(-1, *self._variables_shape()))
        if moments is None:
            raise ValueError("There is no data to adapt to.")
        moments.check(skip_nan=self.nan == "skip")
        for name, value in self.learned(moments).items():
            getattr(self, name).assign(value)

    def _variables_shape(self):
        return getattr(self, next(iter(self.statistics))).shape

    def learned(self, moments):
        raise NotImplementedError

    def _value(self, name):
        """A statistic as the inputs need it: their dtype, and one axis for each of theirs."""
        return ops.reshape(ops.cast(getattr(self, name), self.compute_dtype), self._broadcast)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "axis": list(self.axis), "nan": self.nan}


@serializable
class Standardization(Scaling):
    """Brings every feature to mean 0 and variance 1: `(x - mean) / sqrt(variance)`.

    As `keras.layers.Normalization`, which lets NaN through and cannot stream from a generator. A
    constant feature becomes 0. The statistics are weights, so they are saved with the model.

    Args:
        axis: Integer or integers. Axes that have statistics of their own. Defaults to -1, the
            features; None scales all alike.
        nan: "refuse" raises an error that names the columns, "skip" leaves NaN out of the
            statistics. Defaults to "refuse".

    Example:
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

    def learned(self, moments):
        return {"mean": moments.mean, "variance": moments.variance}

    def _deviation(self):
        variance = self._value("variance")
        return ops.where(variance > 0, ops.sqrt(variance), ops.ones_like(variance))

    def call(self, inputs):
        return (ops.cast(inputs, self.compute_dtype) - self._value("mean")) / self._deviation()

    def inverse(self, outputs):
        """The features that `outputs` were made from."""
        return ops.cast(outputs, self.compute_dtype) * self._deviation() + self._value("mean")


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

    def call(self, inputs):
        share = (ops.cast(inputs, self.compute_dtype) - self._value("minimum")) / self._width()
        outputs = self.low + (self.high - self.low) * share
        return ops.clip(outputs, self.low, self.high) if self.clip else outputs

    def inverse(self, outputs):
        """The features `outputs` were made from; clipped ones come back as the range's ends."""
        share = (ops.cast(outputs, self.compute_dtype) - self.low) / (self.high - self.low)
        return self._value("minimum") + share * self._width()

    def get_config(self):
        return {**super().get_config(), "low": self.low, "high": self.high, "clip": self.clip}


def batches(data, batch_size):
    """Arrays of rows, whatever the data are."""
    if isinstance(data, keras.utils.PyDataset):
        for index in range(data.num_batches):
            yield first(data[index])
    elif hasattr(data, "shape") or isinstance(data, list):
        data = np.asarray(data) if isinstance(data, list) else data
        for start in range(0, len(data), batch_size):
            yield data[start : start + batch_size]
    elif hasattr(data, "__iter__"):
        for batch in data:
            yield first(batch)
    else:
        raise ValueError(
            f"Data must be an array, a dataset or an iterable of batches. Received: {type(data)}"
        )


def first(batch):
    return batch[0] if isinstance(batch, (tuple, list)) else batch
