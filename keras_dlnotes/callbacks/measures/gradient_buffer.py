"""Where the device keeps what ``GradientMonitor`` measures until the host fetches it.

One row a step, of ten numbers for each watched variable, in a buffer of ``length`` rows that is
used in turn. Whatever is made of them (layers, means, extremes, windows) the host works out from
many rows at once: in the compiled step each small operation more costs as much as a norm. The size
does not depend on that of the variables.
"""

import contextlib

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _xla
from keras_dlnotes.callbacks.measures.gradient_statistics import BINS, HISTOGRAMS, ROW
from keras_dlnotes.callbacks.taps import gradient_taps

#: The host comes by at least so often.
LENGTH = 128


class GradientBuffer:
    """The variables of one monitor.

    ``rows`` holds NaN for what was not measured; ``clock`` the optimizer steps taken and those
    skipped since it was last cleared; ``histograms`` counts.
    """

    def __init__(self, model, watched, histograms):
        self.model = model
        self.backend = keras.backend.backend()
        self.length = max(LENGTH, model.steps_per_execution)
        self.blank = np.full((ROW, watched), np.nan, "float32")
        rows = np.repeat(self.blank[None], self.length, 0)
        self.empty = {"rows": rows, "clock": np.zeros(2, "float32")}
        if histograms:
            self.empty["histograms"] = np.zeros((len(HISTOGRAMS), watched, BINS), "float32")
        with self._where_variables_live():
            self.variables = {k: self._variable(k, value) for k, value in self.empty.items()}
        self._board()

    @contextlib.contextmanager
    def _where_variables_live(self):
        if self.backend != "tensorflow":
            yield
            return
        import tensorflow as tf

        with tf.init_scope(), self.model.distribute_strategy.scope():
            yield

    def _variable(self, name, value):
        if self.backend != "tensorflow":
            initial = keras.initializers.Zeros()
            variable = keras.Variable(
                initial, shape=value.shape, dtype="float32", trainable=False, name=name
            )
            variable.assign(value)
            return variable
        import tensorflow as tf

        # Each replica keeps its own; they are equal, since the gradients were summed before.
        return tf.Variable(
            value,
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            name=f"gradient_monitor_{name}",
        )

    # ------------------------------------------------------------------------------ on the host

    def read(self, name):
        variable = self.variables[name]
        value = variable.read_value() if self.backend == "tensorflow" else variable.value
        return np.array(ops.convert_to_numpy(value))

    def clear(self, *names):
        for name in names:
            self.variables[name].assign(self.empty[name])

    def enter(self):
        """For another fit."""
        self.clear(*self.variables)
        self._board()

    def _board(self):
        if self.backend == "jax":
            # A stateless train step hands on only what the optimizer calls its variables.
            gradient_taps.board(self.model, self.variables.values())

    def leave(self):
        if self.backend == "jax":
            gradient_taps.leave(self.model, self.variables.values())

    # ------------------------------------------------------------------------- in a train step

    def get(self, name):
        return ops.convert_to_tensor(self.variables[name])

    def row(self):
        """The row of the step that is under way."""
        return ops.slice(self.get("rows"), [self._place(), 0, 0], (1, *self.blank.shape))[0]

    def write(self, row):
        """Stores the row of the step that is under way."""
        rows, place = self.variables["rows"], self._place()
        if self.backend == "tensorflow":
            import tensorflow as tf

            if not _xla.inside() and not tf.distribute.has_strategy():  # in place, one operation
                rows.scatter_update(tf.IndexedSlices(row, place))
                return
        rows.assign(ops.slice_update(self.get("rows"), [place, 0, 0], row[None]))

    def add(self, counts):
        self.variables["histograms"].assign(self.get("histograms") + counts)

    def tick(self, taken=1.0):
        """The step is over: 0 if it was none after all."""
        self.variables["clock"].assign_add(ops.multiply(np.array([1, 0], "float32"), taken))

    def tick_skipped(self):
        self.variables["clock"].assign_add(np.array([0, 1], "float32"))

    def is_due(self, every):
        return ops.equal(ops.mod(self.get("clock")[0], float(every)), 0.0)

    def _place(self):
        return ops.mod(ops.cast(self.get("clock")[0], "int32"), self.length)
