"""Layers that scale features by what they learned from data, and back."""

import itertools

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
        # Raw data may be larger than float16 can hold: they are scaled before they are cast.
        super().__init__(autocast=False, **kwargs)
        self.given = {}
        if axis is None:
            axis = ()
        axes = tuple(axis) if hasattr(axis, "__iter__") else (axis,)
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
                shape, self._start(name, value, shape), trainable=False, autocast=False, name=name
            )
            setattr(self, name, weight)
        self.built = True

    def _start(self, name, value, shape):
        """The initializer of a statistic: its value before `adapt`, or the one that was given."""
        value = np.asarray(self.given.get(name, value), "float64")
        try:
            return keras.initializers.Constant(np.broadcast_to(value, shape))
        except ValueError:
            _checks.fail(name, f"broadcast to the shape {shape} of its axes", value.tolist())

    def adapt(self, data, batch_size=8192, steps=None):
        """Learns the statistics, anew each time, in float64 and one pass.

        Args:
            data: An array, a `tf.data.Dataset` of batches, a `keras.utils.PyDataset` or any
                iterable of batches; of pairs (x, y) the first is taken. The data may be larger than
                memory.
            batch_size: Integer. Rows of an array to look at together. Defaults to 8192.
            steps: Integer. Only so many batches. Defaults to None, all.
        """
        if self.given:
            raise ValueError(
                "Argument `data` must not be given to a layer that was given its statistics. "
                f"Received: {', '.join(self.given)}"
            )
        batch_size = _checks.integer("batch_size", batch_size, 1)
        steps = None if steps is None else _checks.integer("steps", steps, 1)
        moments = None
        for batch in itertools.islice(batches(data, batch_size), steps):
            batch = np.asarray(array(batch), "float64")
            if not self.built:
                self.build((None, *batch.shape[1:]))
            self._check_shape(batch.shape)
            if moments is None:
                moments = Moments(tuple(self._variables_shape()))
            rows = np.moveaxis(batch, self._reduced, range(len(self._reduced)))
            moments.add(rows.reshape(-1, *self._variables_shape()))
        if moments is None:
            raise ValueError(
                "Argument `data` must hold at least one batch. Received: no data, an empty iterable"
            )
        moments.check(skip_nan=self.nan == "skip")
        for name, value in self.learned(moments).items():
            getattr(self, name).assign(value)

    def _check_shape(self, shape):
        expected = tuple(None if a in self._reduced else n for a, n in enumerate(self._broadcast))
        fits = len(shape) == len(expected)
        if not fits or any(a not in (None, b) for a, b in zip(expected, shape, strict=True)):
            raise ValueError(
                f"Argument `data` must have batches of shape {expected}. "
                f"Received: an incompatible shape, {tuple(shape)}"
            )

    def _variables_shape(self):
        return getattr(self, next(iter(self.statistics))).shape

    def learned(self, moments):
        raise NotImplementedError

    def _value(self, name):
        """A statistic as the inputs need it: in float32 at least, one axis for each of theirs."""
        return ops.reshape(ops.cast(getattr(self, name), self._wide), self._broadcast)

    @property
    def _wide(self):
        return "float64" if self.compute_dtype == "float64" else "float32"

    def _scale(self, inputs):
        raise NotImplementedError

    def _unscale(self, outputs):
        raise NotImplementedError

    def call(self, inputs):
        return ops.cast(self._scale(ops.cast(inputs, self._wide)), self.compute_dtype)

    def inverse(self, outputs):
        """The features that `outputs` were made from; clipped ones return as the range's ends."""
        return ops.cast(self._unscale(ops.cast(outputs, self._wide)), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "axis": list(self.axis), "nan": self.nan}


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

    def _scale(self, inputs):
        share = (inputs - self._value("minimum")) / self._width()
        outputs = self.low + (self.high - self.low) * share
        return ops.clip(outputs, self.low, self.high) if self.clip else outputs

    def _unscale(self, outputs):
        share = (outputs - self.low) / (self.high - self.low)
        return self._value("minimum") + share * self._width()

    def get_config(self):
        return {**super().get_config(), "low": self.low, "high": self.high, "clip": self.clip}


def batches(data, batch_size):
    """Arrays of rows, whatever the data are."""
    if isinstance(data, keras.utils.PyDataset):
        for index in range(data.num_batches):
            yield first(data[index])
    elif hasattr(data, "shape") or (isinstance(data, list) and not of_batches(data)):
        data = data if hasattr(data, "shape") else np.asarray(data)
        for start in range(0, len(data), batch_size):
            yield data[start : start + batch_size]
    elif hasattr(data, "element_spec"):
        spec = first(data.element_spec)
        # Single examples: taken together, as Keras' own layers take them.
        for batch in data.batch(128) if len(spec.shape) == 1 else data:
            yield first(batch)
    elif hasattr(data, "__iter__") and not isinstance(data, (str, bytes, dict)):
        for batch in data:
            yield first(batch)
    else:
        raise ValueError(
            "Argument `data` must be an array, a dataset or an iterable of batches. "
            f"Received: {type(data)}"
        )


def of_batches(data):
    """Whether a list holds batches, arrays of rank 2 or more, rather than the rows themselves."""
    return not data or len(getattr(first(data[0]), "shape", ())) > 1


def array(batch):
    return ops.convert_to_numpy(batch) if ops.is_tensor(batch) else np.asarray(batch)


def first(batch):
    return batch[0] if isinstance(batch, (tuple, list)) and len(batch) else batch
