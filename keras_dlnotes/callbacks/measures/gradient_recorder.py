"""The device side of ``GradientMonitor``: what is measured in a train step."""

import contextlib

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _xla
from keras_dlnotes._wrapped_optimizers import innermost
from keras_dlnotes.callbacks.measures import gradient_statistics as statistics
from keras_dlnotes.callbacks.measures.gradient_buffer import GradientBuffer
from keras_dlnotes.callbacks.measures.gradient_layout import Layout
from keras_dlnotes.callbacks.taps import gradient_taps
from keras_dlnotes.callbacks.taps.gradient_listener import Listener
from keras_dlnotes.callbacks.taps.optimizer_taps import MULTI

CLIPS = ("clipnorm", "global_clipnorm", "clipvalue")

#: From this many watched numbers on, ``details="auto"`` looks at few steps only.
SMALL, RARELY = 2**14, 200


class GradientRecorder(Listener):
    """Measures what passes the taps of one model."""

    def __init__(self, model, include, exclude, details, histograms, on_detach):
        super().__init__(model, include, exclude, details, histograms)
        self.include, self.exclude = include, exclude
        self.details, self.histograms = details, histograms
        self.on_detach = on_detach
        self.backend = keras.backend.backend()
        optimizer = innermost(model.optimizer)
        #: Several optimizers share the model: a step is over only when all have had their turn.
        self.group = isinstance(optimizer, MULTI)
        self.layout = self.buffer = None
        #: Whether an epoch begins, whose first step is always measured in full, histograms too.
        self.fresh = True
        #: What this call of the train function measures beside norms: None where it is not we who
        #: call it (a training loop of the user's own), and a condition inside has to decide.
        self.chosen = None

    def open(self):
        """Makes the buffer. On TensorFlow a model may be built only by its first train step."""
        if self.layout is not None:
            return
        self.layout = Layout(self.model, self.include, self.exclude)
        if self.details == "auto":
            self.details = 1 if self.layout.sizes.sum() <= SMALL else self.rarely
        self.buffer = GradientBuffer(self.model, len(self.layout.variables), self.histograms)

    def again(self):
        self.fresh = True
        if self.buffer is not None:
            self.buffer.enter()

    @property
    def rarely(self):
        """How often a large model is measured in full.

        Where histograms are counted, details come with them: each combination that a fit meets is
        traced on its own, and tracing a deep net takes as long as a hundred of its steps.
        """
        return self.histograms or RARELY

    @property
    def variables(self):
        return {} if self.buffer is None else self.buffer.variables

    def detached(self):
        if self.buffer is not None:
            self.buffer.leave()
        self.on_detach()

    # ------------------------------------------------------------------------- in a train step

    def before(self, optimizer, variables, gradients):
        """Before the clip: remembers the gradients, and the weights where they will be needed."""
        self.open()
        places = {optimizer._var_key(v): i for i, v in enumerate(self.layout.variables)}
        chosen = [
            (i, places[optimizer._var_key(v)])
            for i, v in enumerate(variables)
            if optimizer._var_key(v) in places and gradients[i] is not None
        ]
        note = {"chosen": [i for i, _ in chosen], "columns": [c for _, c in chosen]}
        note["optimizer"] = optimizer
        note["raw"] = [gradients[i] for i in note["chosen"]]
        note["clipped"] = False
        note["detail"] = self._wanted(self.details, 0)
        note["wanted"] = note["detail"]
        if self.histograms:
            note["histogram"] = self._wanted(self.histograms, 1)
            if self.chosen is None:
                note["wanted"] = ops.logical_or(note["detail"], note["histogram"])
            else:
                note["wanted"] = note["detail"] or note["histogram"]
        if chosen:
            note["weights"] = self._weights([variables[i] for i in note["chosen"]], note["wanted"])
        return note

    def clipped(self, gradients, clipped, note, outside=False):
        """Right after the clip; `outside` if another one than the optimizer's came before it."""
        # Optimizers may merge the rows of a lookup here: that alone is no clip.
        pairs = zip(gradients, clipped, strict=True)
        dense = [(a, b) for a, b in pairs if a is not None and not statistics.is_rows(a)]
        given = any(getattr(note["optimizer"], name, None) for name in CLIPS)
        note["clipped"] = outside or given or any(a is not b for a, b in dense)
        if note["clipped"] and self._replicas() > 1:
            # Keras clips each replica's share; the whole gradient before it has to be summed here.
            import tensorflow as tf

            context = tf.distribute.get_replica_context()
            note["raw"] = context.all_reduce(tf.distribute.ReduceOp.SUM, note["raw"])

    def after(self, optimizer, variables, gradients, note):
        """After the update: measures, and writes the row of this step."""
        chosen, columns = note["chosen"], note["columns"]
        if not chosen:
            return
        with self._no_gradient():
            xla, n = _xla.inside(), len(chosen)
            facts = [(float(self.layout.sizes[c]), self.layout.variables[c].shape) for c in columns]

            def measured(some):
                pairs = zip(some, facts, strict=True)
                return [statistics.Values(gradient, *fact, xla) for gradient, fact in pairs]

            values = raw = measured([gradients[i] for i in chosen])
            if note["clipped"]:
                raw = measured(note["raw"])
            norms, bad = statistics.norms([*raw, *values] if note["clipped"] else values)
            new = [variables[i] for i in chosen]

            def details():
                return statistics.details(values, note["weights"], [self._read(v) for v in new])

            nothing = np.full((statistics.ROW - 3, n), np.nan, "float32")
            more = when(note["detail"], details, lambda: ops.convert_to_tensor(nothing))
            if note["clipped"]:
                norms, after, bad = norms[:n], norms[n:], bad[:n]
            else:
                after = norms
            rows = ops.concatenate([ops.stack([norms, after, bad]), more])
            if self.histograms:
                self._add_histograms(note, values, new)
            if not self.group:
                self.buffer.write(self._spread(rows, columns))
                return
            if self.backend == "jax" and optimizer.gradient_accumulation_steps:
                k = optimizer.gradient_accumulation_steps
                active = ops.equal(ops.mod(optimizer._iterations + 1, k), 0)
                rows = ops.where(active, rows, float("nan"))
            present = np.isin(np.arange(len(self.layout.variables)), columns)
            self.buffer.write(ops.where(present, self._spread(rows, columns), self.buffer.row()))

    def applied(self):
        """One step of the whole optimizer is over."""
        if self.layout is None:
            return
        with self._no_gradient():
            if not self.group:
                self.buffer.tick()
                return
            # None, while all members only collect gradients.
            taken = ops.any(ops.logical_not(ops.isnan(self.buffer.row()[0])))
            self.buffer.tick(ops.cast(taken, "float32"))
            self.buffer.write(ops.convert_to_tensor(self.buffer.blank))

    def skipped(self):
        self.open()
        with self._no_gradient():
            self.buffer.tick_skipped()

    def skipped_stateless(self, variables, values):
        values = list(values)
        for i, variable in enumerate(variables):
            if variable is self.variables["clock"]:
                values[i] = values[i] + np.array([0, 1], "float32")
        return values

    # --------------------------------------------------------------------------------- helpers

    def choose(self, call):
        """Which of details and histograms the ``call``-th call of the train function measures."""
        if call is None:
            self.chosen = None
            return None
        if self.layout is None and self._variables_exist():
            self.open()  # in a trace this would count as one that makes variables
        length = self.model.steps_per_execution
        micro = max(o.gradient_accumulation_steps or 1 for o in gradient_taps.leaves(self.model))
        steps = range(call * length // micro, ((call + 1) * length - 1) // micro + 1)
        details = self.rarely if self.details == "auto" and self.layout is None else self.details
        # While micro-batches are collected, the first call of an epoch may not be a step.
        details, histograms = (
            bool(n) and (self.fresh or any(step % n == 0 for step in steps))
            for n in (details, self.histograms)
        )
        self.chosen = details or histograms, histograms
        self.fresh = self.fresh and (call + 1) * length % micro != 0
        return self.chosen

    def _variables_exist(self):
        optimizer = innermost(self.model.optimizer)
        return optimizer.built and bool(self.model.trainable_variables)

    def _wanted(self, every, which):
        return self.buffer.is_due(every) if self.chosen is None else self.chosen[which]

    def _no_gradient(self):
        if self.backend != "torch":
            return contextlib.nullcontext()
        import torch

        return torch.no_grad()

    def _replicas(self):
        if self.backend != "tensorflow":
            return 1
        return self.model.distribute_strategy.num_replicas_in_sync

    def _read(self, variable):
        value = getattr(variable, "value", variable)
        return value.read_value() if self.backend == "tensorflow" else value

    def _weights(self, variables, wanted):
        """The weights as they are now, flat; on TensorFlow only where they are wanted.

        Holding a variable's old value makes its update copy it, which costs more than all the
        norms. XLA knows no tensor of two possible sizes and plans its buffers itself.
        """
        flat = [lambda v=v: ops.reshape(self._read(v), (-1,)) for v in variables]
        if wanted is False:
            return None
        if wanted is True:
            copy = ops.copy if self.backend == "torch" else lambda x: x
            return [copy(read()) for read in flat]
        if self.backend == "jax" or _xla.inside():
            return [read() for read in flat]
        if self.backend == "torch":
            return ops.cond(wanted, lambda: [read().detach().clone() for read in flat], list)
        import tensorflow as tf

        none = [tf.zeros((0,), v.dtype) for v in variables]
        return tf.cond(wanted, lambda: [read() for read in flat], lambda: none)

    def _add_histograms(self, note, values, variables):
        def added():
            now = [ops.reshape(self._read(v), (-1,)) for v in variables]
            moved = [
                ops.cast(b, "float32") - ops.cast(a, "float32")
                for a, b in zip(note["weights"], now, strict=True)
            ]
            kinds = ([v.numbers for v in values], now, moved)
            counts = [ops.stack([statistics.histogram(x) for x in kind]) for kind in kinds]
            # The rows of a table that were not looked up have a gradient of zero.
            missing = ops.stack([ops.convert_to_tensor(v.missing, "float32") for v in values])
            first = ops.pad(missing[:, None], [[0, 0], [0, statistics.BINS - 1]])
            counts[0] = counts[0] + first
            return self._spread(ops.stack(counts), note["columns"], 0.0)

        if note["histogram"] is False:
            return
        none = self.buffer.empty["histograms"]
        self.buffer.add(when(note["histogram"], added, lambda: ops.convert_to_tensor(none)))

    def _spread(self, rows, columns, other=float("nan")):
        """From the variables at hand (second axis) to all watched ones."""
        watched = len(self.layout.variables)
        if columns == list(range(watched)):
            return rows
        where = np.full(watched, len(columns), "int32")
        where[columns] = np.arange(len(columns))
        widths = [[0, 0], [0, 1], [0, 0]][: len(rows.shape)]
        return ops.take(ops.pad(rows, widths, constant_values=other), where, axis=1)


def when(wanted, measure, otherwise):
    """A choice made now if it is known, and else in the compiled step."""
    if wanted is True:
        return measure()
    return otherwise() if wanted is False else ops.cond(wanted, measure, otherwise)
