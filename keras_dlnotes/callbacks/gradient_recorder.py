"""The device side of ``GradientMonitor``: what is added to a train step, and its small tables.

A table holds, for each statistic and each column (variable, layer, or the whole), how often it was
measured and the mean, least, largest and last value since the host emptied it. Its size does not
depend on the size of the variables. With ``every`` there is one such table for each window of
optimizer steps that can close during one call of the train function.
"""

import contextlib

import keras
import numpy as np
from keras import ops

from keras_dlnotes.callbacks import gradient_statistics as statistics
from keras_dlnotes.callbacks import gradient_taps
from keras_dlnotes.callbacks.gradient_layout import Layout

NORMS = ("gradient_norm", "clipped_norm")
STATISTICS = (*NORMS, *statistics.DETAILS)
HISTOGRAMS = ("gradient", "weight", "update")
CLIPS = ("clipnorm", "global_clipnorm", "clipvalue")
#: What a table's third axis holds, and an empty table's values.
COUNT, MEAN, MIN, MAX, LAST = range(5)
EMPTY = np.array([0.0, 0.0, np.inf, -np.inf, np.nan], "float32")

#: From this many watched numbers on, ``details="auto"`` looks at every fiftieth step only.
SMALL = 2**14


class GradientRecorder:
    """Listens to the taps of one model during one fit."""

    def __init__(self, model, include, exclude, every, details, histograms, on_detach):
        self.model = model
        self.include, self.exclude = include, exclude
        self.every, self.details, self.histograms = every, details, histograms
        self.on_detach = on_detach
        self.backend = keras.backend.backend()
        self.slots = 1
        if every and model.steps_per_execution > 1:
            self.slots = -(-model.steps_per_execution // every) + 1
        optimizer = gradient_taps.whole_optimizer(model)
        #: Several optimizers share the model: a step is over only when all have had their turn.
        self.group = isinstance(optimizer, keras.optimizers.MultiOptimizer)
        self.layout = None
        self.variables = {}
        #: What this call of the train function measures beside norms: None where it is not we who
        #: call it (a training loop of the user's own), and a condition inside has to decide.
        self.chosen = None

    # ---------------------------------------------------------------------------------- state

    def open(self):
        """Makes the tables. On TensorFlow a model may be built only by its first train step."""
        if self.layout is not None:
            return
        self.layout = Layout(self.model, self.include, self.exclude)
        size = float(self.layout.sizes.sum())
        if self.details == "auto":
            self.details = 1 if size <= SMALL else 50
        columns, watched = len(self.layout.names), len(self.layout.variables)
        table = np.broadcast_to(EMPTY[:, None], (self.slots, 1, 5, columns))
        self.empty = {
            "norms": np.repeat(table, len(NORMS), 1),
            "details": np.repeat(table, len(statistics.DETAILS), 1),
            "bad": np.zeros((self.slots, columns), "float32"),
        }
        if self.histograms:
            self.empty["histograms"] = np.zeros(
                (self.slots, len(HISTOGRAMS), watched, statistics.BINS), "float32"
            )
        lasting = {
            # Optimizer steps taken, steps skipped under a loss scale.
            "clock": np.zeros(2, "float32"),
            # The first step with a number that is not finite; 0 for none.
            "first_bad": np.zeros(columns, "float32"),
        }
        if self.group:
            lasting["latest"] = np.full((10, watched), np.nan, "float32")
        with self._where_variables_live():
            for name, value in {**self.empty, **lasting}.items():
                self.variables[name] = self._variable(name, value)
        if self.backend == "jax":
            # A stateless train step hands on only what the optimizer calls its variables.
            gradient_taps.board(self.model, self.variables.values())

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

    def read(self, name):
        """The value on the host."""
        variable = self.variables[name]
        value = variable.read_value() if self.backend == "tensorflow" else variable.value
        return np.array(ops.convert_to_numpy(value))

    def clear(self):
        for name, value in self.empty.items():
            self.variables[name].assign(value)

    def _get(self, name):
        return ops.convert_to_tensor(self.variables[name])

    def detached(self):
        if self.backend == "jax":
            gradient_taps.leave(self.model, self.variables.values())
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

    def clipped(self, gradients, clipped, note):
        """Right after the clip."""
        # Optimizers may merge the rows of a lookup here: that alone is no clip.
        pairs = zip(gradients, clipped, strict=True)
        dense = [(a, b) for a, b in pairs if a is not None and not statistics.is_rows(a)]
        given = any(getattr(note["optimizer"], name, None) for name in CLIPS)
        note["clipped"] = given or any(a is not b for a, b in dense)
        if note["clipped"] and self._replicas() > 1:
            # Keras clips each replica's share; the whole gradient before it has to be summed here.
            import tensorflow as tf

            context = tf.distribute.get_replica_context()
            note["raw"] = context.all_reduce(tf.distribute.ReduceOp.SUM, note["raw"])

    def after(self, optimizer, variables, gradients, note):
        """After the update: measures, and adds to the tables."""
        chosen, columns = note["chosen"], note["columns"]
        if not chosen:
            return
        with self._no_gradient():
            xla = statistics.in_xla()
            facts = [(float(self.layout.sizes[c]), self.layout.variables[c].shape) for c in columns]

            def measured(some):
                pairs = zip(some, facts, strict=True)
                return [statistics.Values(gradient, *fact, xla) for gradient, fact in pairs]

            values = raw = measured([gradients[i] for i in chosen])
            if note["clipped"]:
                raw = measured(note["raw"])
            both = [*raw, *values] if note["clipped"] else values
            norms, bad = statistics.norms(both)
            n = len(chosen)
            rows = ops.stack([norms[:n], norms[-n:], bad[:n]])
            new = [variables[i] for i in chosen]

            def details():
                now = [self._read(v) for v in new]
                return statistics.details(values, note["weights"], now)

            if self.histograms:
                self._add_histograms(note, values, new)
            if not self.group:
                self._add_norms(self._spread(rows, columns))
                self._add_details(lambda: self._spread(details(), columns), note["detail"])
                return
            nothing = np.full((7, n), np.nan, "float32")
            more = when(note["detail"], details, lambda: ops.convert_to_tensor(nothing))
            rows = ops.concatenate([rows, more])
            if self.backend == "jax" and optimizer.gradient_accumulation_steps:
                k = optimizer.gradient_accumulation_steps
                active = ops.equal(ops.mod(optimizer._iterations + 1, k), 0)
                rows = ops.where(active, rows, float("nan"))
            present = np.isin(np.arange(len(self.layout.variables)), columns)
            latest = ops.where(present, self._spread(rows, columns), self._get("latest"))
            self.variables["latest"].assign(latest)

    def applied(self):
        """One step of the whole optimizer is over."""
        if self.layout is None:
            return
        with self._no_gradient():
            clock, taken = self._get("clock"), 1.0
            if self.group:
                latest = self._get("latest")
                # None, while all members only collect gradients.
                taken = ops.cast(ops.any(ops.logical_not(ops.isnan(latest[0]))), "float32")
                self._add_norms(latest[:3])
                self._add_details(lambda: latest[3:], self._wanted(self.details, 0))
                self.variables["latest"].assign(ops.full_like(latest, float("nan")))
            self.variables["clock"].assign(clock + taken * np.array([1, 0], "float32"))

    def skipped(self):
        self.open()
        with self._no_gradient():
            self.variables["clock"].assign(self._get("clock") + np.array([0, 1], "float32"))

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
        length = self.model.steps_per_execution
        micro = max(o.gradient_accumulation_steps or 1 for o in gradient_taps.leaves(self.model))
        steps = range(call * length // micro, ((call + 1) * length - 1) // micro + 1)
        details = 50 if self.details == "auto" and self.layout is None else self.details
        self.chosen = tuple(
            bool(n) and any(step % n == 0 for step in steps) for n in (details, self.histograms)
        )
        return self.chosen

    def _wanted(self, every, which):
        if self.chosen is not None:
            return self.chosen[which]
        return ops.equal(ops.mod(self._get("clock")[0], float(every)), 0.0)

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
        if self.backend == "jax" or statistics.in_xla():
            return [read() for read in flat]
        if self.backend == "torch":
            return ops.cond(wanted, lambda: [read().detach().clone() for read in flat], list)
        import tensorflow as tf

        none = [tf.zeros((0,), v.dtype) for v in variables]
        return tf.cond(wanted, lambda: [read() for read in flat], lambda: none)

    def _spread(self, rows, columns):
        """From the variables at hand to all watched ones; NaN for the others."""
        if columns == list(range(len(self.layout.variables))):
            return rows
        where = np.full(len(self.layout.variables), len(columns), "int32")
        where[columns] = np.arange(len(columns))
        rows = ops.pad(rows, [[0, 0], [0, 1]], constant_values=float("nan"))
        return ops.take(rows, where, axis=1)

    def _groups(self, x, reduce):
        """A vector over variables -> over layers, with the whole as the last."""
        ids, n = self.layout.layer_ids, len(self.layout.layers)
        each = ops.segment_sum if reduce == "sum" else ops.segment_max
        layers = each(x, ops.convert_to_tensor(ids), num_segments=n)
        whole = ops.sum(x) if reduce == "sum" else ops.max(x)
        return ops.concatenate([layers, ops.reshape(whole, (1,))])

    def _each_group(self, x):
        """From a vector over layers and the whole: the value at each variable, and the whole's."""
        n = len(self.layout.layers)
        return ops.take(x, self.layout.layer_ids), x[n]

    def _group_norm(self, x):
        """Root of the sum of squares, each group scaled by its largest so that none vanishes."""
        absent = ops.isnan(x)
        x = ops.where(absent, 0.0, x)
        most = self._groups(x, "max")
        most = ops.where(ops.logical_and(most > 0, ops.isfinite(most)), most, 1.0)
        layer, whole = self._each_group(most)
        n = len(self.layout.layers)
        squares = ops.square(x / layer)
        sums = ops.segment_sum(squares, ops.convert_to_tensor(self.layout.layer_ids), n)
        total = ops.sum(ops.square(x / whole))
        norms = ops.sqrt(ops.concatenate([sums, ops.reshape(total, (1,))])) * most
        if not self.group:
            return norms
        present = self._groups(1.0 - ops.cast(absent, "float32"), "max")
        return ops.where(present > 0, norms, float("nan"))

    def _slot(self, name):
        """The table of the current window, and a function that stores it."""
        variable, table = self.variables[name], self._get(name)
        if self.slots == 1:
            return table[0], lambda new: variable.assign(new[None])
        step = ops.cast(self._get("clock")[0], "int32")
        slot = ops.mod(ops.floor_divide(step, self.every), self.slots)
        fresh = ops.equal(ops.mod(step, self.every), 0)
        empty = self.empty[name][0]
        start = [slot] + [0] * empty.ndim
        current = ops.slice(table, start, (1, *empty.shape))[0]
        # A comparison and not a product: an empty table holds infinities.
        current = ops.where(fresh, empty, current)
        return current, lambda new: variable.assign(ops.slice_update(table, start, new[None]))

    def _add_norms(self, rows):
        norms = [ops.concatenate([row, self._group_norm(row)]) for row in (rows[0], rows[1])]
        bad = ops.where(ops.isnan(rows[2]), 0.0, rows[2])
        bad = ops.concatenate([bad, self._groups(bad, "sum")])
        table, store = self._slot("norms")
        store(fold(table, ops.stack(norms)))
        total, store = self._slot("bad")
        store(total + bad)
        first, step = self._get("first_bad"), self._get("clock")[0] + 1.0
        new = ops.logical_and(ops.equal(first, 0.0), bad > 0)
        self.variables["first_bad"].assign(ops.where(new, step, first))

    def _add_details(self, rows, wanted):
        if wanted is False:
            return
        table, store = self._slot("details")

        def added():
            return fold(table, self._detail_columns(rows()))

        store(when(wanted, added, lambda: table))

    def _detail_columns(self, rows):
        mean, std, most, zeros, weight, update, old = (rows[i] for i in range(7))
        sizes = ops.where(ops.isnan(mean), 0.0, self.layout.sizes)
        total = ops.maximum(self._groups(sizes, "sum"), 1.0)

        def average(x):
            return self._groups(ops.where(sizes > 0, x * sizes, 0.0), "sum") / total

        means, largest = average(mean), self._groups(ops.where(sizes > 0, most, 0.0), "max")
        scale = ops.where(largest > 0, largest, 1.0)
        m_layer, m_whole = self._each_group(means)
        s_layer, s_whole = self._each_group(scale)
        n = len(self.layout.layers)

        def spread(m, s):
            return ops.square(std / s) + ops.square((mean - m) / s)

        stds = ops.concatenate(
            [average(spread(m_layer, s_layer))[:n], average(spread(m_whole, s_whole))[n:]]
        )
        old = ops.concatenate([old, self._group_norm(old)])
        update = ops.concatenate([update, self._group_norm(update)])
        ratio = ops.where(old > 0, update / ops.where(old > 0, old, 1.0), float("nan"))
        return ops.stack(
            [
                ops.concatenate([mean, means]),
                ops.concatenate([std, ops.sqrt(stds) * scale]),
                ops.concatenate([most, largest]),
                ops.concatenate([zeros, average(zeros)]),
                ops.concatenate([weight, self._group_norm(weight)]),
                ratio,
            ]
        )

    def _add_histograms(self, note, values, variables):
        if note["histogram"] is False:
            return
        table, store = self._slot("histograms")

        def added():
            now = [ops.reshape(self._read(v), (-1,)) for v in variables]
            old = note["weights"]
            moved = [ops.cast(b, "float32") - ops.cast(a, "float32") for a, b in zip(old, now)]  # noqa: B905
            kinds = ([v.numbers for v in values], now, moved)
            counts = [ops.stack([statistics.histogram(x) for x in kind]) for kind in kinds]
            # The rows of a table that were not looked up have a gradient of zero.
            missing = ops.stack([ops.convert_to_tensor(v.missing, "float32") for v in values])
            first = ops.pad(missing[:, None], [[0, 0], [0, statistics.BINS - 1]])
            counts[0] = counts[0] + first
            return table + self._all_variables(ops.stack(counts), note["columns"])

        store(when(note["histogram"], added, lambda: table))

    def _all_variables(self, counts, columns):
        if columns == list(range(len(self.layout.variables))):
            return counts
        where = np.full(len(self.layout.variables), len(columns), "int32")
        where[columns] = np.arange(len(columns))
        return ops.take(ops.pad(counts, [[0, 0], [0, 1], [0, 0]]), where, axis=1)


def when(wanted, measure, otherwise):
    """A choice made now if it is known, and else in the compiled step."""
    if wanted is True:
        return measure()
    return otherwise() if wanted is False else ops.cond(wanted, measure, otherwise)


def fold(table, x):
    """A table with one more measurement of each; what is not finite is left out."""
    count, mean, low, high, last = (table[:, i] for i in range(5))
    measured = ops.isfinite(x)
    count = count + ops.cast(measured, "float32")
    known = ops.where(measured, x, mean)
    return ops.stack(
        [
            count,
            mean + (known - mean) / ops.maximum(count, 1.0),
            ops.where(measured, ops.minimum(low, x), low),
            ops.where(measured, ops.maximum(high, x), high),
            ops.where(measured, x, last),
        ],
        axis=1,
    )
