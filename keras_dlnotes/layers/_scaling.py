"""Layers that scale features by what they learned from data, and back."""

import itertools

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._believed import Sized
from keras_dlnotes.layers._batches import array, batches
from keras_dlnotes.layers.moments import Moments


class Scaling(Sized, keras.layers.Layer):
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
        sizes = dict(zip(kept, shape, strict=True))
        self.input_spec = keras.layers.InputSpec(ndim=rank, axes=sizes)
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
