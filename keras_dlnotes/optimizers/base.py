"""The mechanics every optimizer of this package shares; an optimizer adds its formula."""

from types import SimpleNamespace

import keras
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes.optimizers import _clipping, _rows, _stacks, _updates
from keras_dlnotes.optimizers._config import Configured
from keras_dlnotes.optimizers._hyperparameters import Hyperparameter, hyperparameters
from keras_dlnotes.optimizers._rows import Rows
from keras_dlnotes.optimizers._skipping import Skipping
from keras_dlnotes.optimizers._updates import wide


class Optimizer(Skipping, Configured):
    """Base of the optimizers: merged rows, schedulable numbers, clipping, weight decay.

    An optimizer is three small methods on plain tensors, and the same three serve a whole variable
    and the rows of an embedding that a batch has looked up:

    - ``slots()``: a dict from the name of a slot to its initial value;
    - ``prepare(h)``, optional: adds to ``h`` what is computed once a step and not for each
      variable. ``h`` holds ``learning_rate``, ``step`` (1, 2, ...), every ``Hyperparameter`` by
      its name, and its complement as ``one_minus_<name>``;
    - ``formula(h, gradient, slots)``: returns the step, which is subtracted from the weights, and
      a dict of new slot values. It goes number by number: rows, a variable, or a stack of small
      variables, it sees no difference.

    Args:
        rows: `"exact"` or `"lazy"`. What happens to the rows of an embedding that are not in the
            batch. `"exact"` gives the numbers of a dense gradient: their slots decay and their
            weights move on. `"lazy"` leaves them alone, so that a step costs O(batch) instead of
            O(table). Where a row without gradient stands still anyway (SGD without momentum,
            Adagrad) both are the same and always cost O(batch). Duplicate ids are added up first in
            both. JAX and PyTorch hand over dense gradients for embeddings: there `"lazy"` gives the
            same numbers, a row whose gradient is zero counting as absent, but not the speed; the
            same goes for TensorFlow with `gradient_accumulation_steps`. Defaults to `"exact"`.
        row_clipnorm: Float or None. The merged step of one embedding row, learning rate included,
            is clipped to this norm. It keeps the summed, stale gradients of large batches stable,
            as Word2Vec has them. A table is a variable with a gradient of rows, or named
            `"embeddings"`. Defaults to None.
        lazy_weight_decay: Bool or None. Whether the decay of an embedding leaves rows outside the
            batch alone. None follows `rows`. Defaults to None.
        skip_nonfinite: Bool. A step with a NaN or infinity in any gradient is left out: weights,
            slots and `iterations` stay, and `skipped_steps` counts it. By default nothing is
            hidden. Defaults to False.
        fused: Bool or None. TensorFlow only: whether XLA compiles the dense update of a variable
            into one pass over memory, also in a training step that XLA does not compile. None does
            so for variables of 262 144 numbers or more, on one device. Defaults to None.
    """

    #: Whether a row without gradient stands still, slots and weights, so that lazy is exact.
    row_local = False
    #: Whether the step is the gradient times ``h.rate``: then rows need no merging.
    additive = False

    weight_decay = Hyperparameter("[0, inf)", optional=True)

    def __init__(
        self,
        learning_rate,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        use_ema=False,
        ema_momentum=0.99,
        ema_overwrite_frequency=None,
        loss_scale_factor=None,
        gradient_accumulation_steps=None,
        name=None,
        *,
        rows="exact",
        row_clipnorm=None,
        lazy_weight_decay=None,
        skip_nonfinite=False,
        fused=None,
        **kwargs,
    ):
        if not callable(learning_rate):
            learning_rate = _checks.number("learning_rate", learning_rate, "(0, inf)")
        super().__init__(
            learning_rate,
            weight_decay=weight_decay,
            clipnorm=_limit("clipnorm", clipnorm),
            clipvalue=_limit("clipvalue", clipvalue),
            global_clipnorm=_limit("global_clipnorm", global_clipnorm),
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=_limit("loss_scale_factor", loss_scale_factor),
            gradient_accumulation_steps=gradient_accumulation_steps,
            name=name,
            **kwargs,
        )
        self.rows = _checks.one_of("rows", rows, ("exact", "lazy"))
        self.row_clipnorm = _limit("row_clipnorm", row_clipnorm)
        self.lazy_weight_decay = _checks.one_of(
            "lazy_weight_decay", lazy_weight_decay, (None, True, False)
        )
        self.skip_nonfinite = _checks.boolean("skip_nonfinite", skip_nonfinite)
        self.fused = _checks.one_of("fused", fused, (None, True, False))
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            # Kept out of the tracking of saved state, for which it is nothing.
            self.__dict__["fused_update"] = tf.function(self.plain_update, jit_compile=True)
            self.__dict__["fused_table"] = tf.function(self.table_in_place, jit_compile=True)
        self._now = SimpleNamespace(scalars={}, tables=set(), finite=None)

    # ------------------------------------------------------------------ what an optimizer defines

    def slots(self):
        return {}

    def prepare(self, h):
        pass

    def advance(self, h, finite):
        pass

    def formula(self, h, gradient, slots):
        raise NotImplementedError

    def plain_update(self, gradient, weight, slots, scalars, table):
        """The update of a whole variable as a function of tensors."""
        return _updates.pure(self, gradient, weight, slots, scalars, table)

    def table_in_place(self, *args):
        return _updates.table_in_place(self, *args)

    # ----------------------------------------------------------------------------------- variables

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        initial = self.slots()
        lists = self.add_optimizer_variables(
            variables,
            list(initial),
            [keras.initializers.Constant(value) for value in initial.values()],
        )
        self._slots = dict(zip(initial, lists, strict=True))
        for hyperparameter in hyperparameters(type(self)).values():
            hyperparameter.build(self)
        self._build_skipping()

    def add_variable_from_reference(self, reference_variable, name=None, initializer="zeros"):
        # Running averages need more digits than half precision has: 1 - 0.999 is below its
        # resolution. So the slots of half-precision weights are float32.
        if name in ("average", "gradient_accumulator"):
            return super().add_variable_from_reference(reference_variable, name, initializer)
        dtype = wide(reference_variable.dtype)
        if dtype == keras.backend.standardize_dtype(reference_variable.dtype):
            return super().add_variable_from_reference(reference_variable, name, initializer)
        path = getattr(reference_variable, "path", reference_variable.name).replace("/", "_")
        return self.add_variable(
            reference_variable.shape,
            initializer,
            dtype,
            layout=getattr(reference_variable, "_layout", None),
            name=f"{path}_{name}",
        )

    # ------------------------------------------------------------------------------ one whole step

    def apply(self, grads, trainable_variables=None):
        grads = list(grads)
        if not grads:
            return
        if trainable_variables is None:
            if not self.built or len(grads) != len(self._trainable_variables):
                return super().apply(grads)  # Its errors say what is wrong.
            variables = self._trainable_variables
        else:
            variables = list(trainable_variables)
            if not self.built:
                with keras.name_scope(self.name, caller=self):
                    self.build(variables)
            self._check_variables_are_known(variables)

        self._now.finite = None
        with keras.name_scope(self.name, caller=self):
            grads, variables = self._filter_empty_gradients(grads, variables)
            grads, variables = self._overwrite_variables_directly_with_gradients(grads, variables)
            if len(grads) > 0:
                sparse = [_rows.is_sparse(gradient) for gradient in grads]
                self._now.tables = {
                    self._get_variable_index(variable)
                    for variable, is_rows in zip(variables, sparse, strict=True)
                    if is_rows
                }
                grads = [
                    _rows.with_shape(gradient, variable.shape) if is_rows else gradient
                    for gradient, variable, is_rows in zip(grads, variables, sparse, strict=True)
                ]
                if self.loss_scale_factor is not None:
                    # Not the operator: it knows no gradients of rows.
                    grads = [ops.divide(gradient, self.loss_scale_factor) for gradient in grads]
                self._backend_apply_gradients(grads, variables)
                for variable in variables:
                    if variable.constraint is not None:
                        variable.assign(variable.constraint(variable))
        self._count_step()

    def _clip_gradients(self, grads):
        # Every backend calls this once the gradients are complete and right before the update.
        # Keras clips each replica's part and sums then; the sum is what one device clips.
        grads = _rows.summed(grads)
        grads = [None if gradient is None else self._merged(gradient) for gradient in grads]
        self._note_finite(grads)
        if self.clipnorm:
            return _clipping.by_norm(grads, self.clipnorm)
        if self.global_clipnorm:
            return _clipping.by_global_norm(grads, self.global_clipnorm)
        if self.clipvalue:
            return _clipping.by_value(grads, self.clipvalue)
        return grads

    def _merged(self, gradient):
        """Rows with each id once, or the dense gradient where all rows move anyway."""
        if not _rows.is_sparse(gradient):
            gradient = _rows.read(gradient)
            return ops.cast(gradient, wide(gradient.dtype))
        if not isinstance(gradient, Rows):
            gradient = _rows.unmerged(gradient)
        dtype = wide(gradient.values.dtype)
        rows = gradient.replace(ops.cast(gradient.values, dtype))
        if self.rows == "exact" and not self.row_local:
            keep = _updates.moves_table(self, rows)
            return _rows.merge(rows) if keep else _rows.dense(rows)
        clips = self.clipnorm or self.clipvalue or self.global_clipnorm or self.row_clipnorm
        if self.additive and not clips and not self.decay_is_lazy():
            return rows
        return _rows.merge(rows)

    def _all_reduce_sum_gradients(self, grads_and_vars):
        return grads_and_vars  # Done before clipping, above.

    def _apply_weight_decay(self, variables):
        pass  # A part of the update of each variable, below, which saves a pass over it.

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        if type(self).advance is not Optimizer.advance:
            self.advance(self._scalars("float32", learning_rate, prepare=False), self._now.finite)
        dtypes = {wide(variable.dtype) for variable in trainable_variables}
        self._now.scalars = {dtype: self._scalars(dtype, learning_rate) for dtype in sorted(dtypes)}
        try:
            pairs = list(zip(grads, trainable_variables, strict=True))
            if type(self).update_step is Optimizer.update_step:  # Others want to see each variable.
                stacks, pairs = _stacks.sort(self, pairs)
                for stack in stacks:
                    _stacks.update(self, [(each[0], self._at(each[1])) for each in stack])
            grads, variables = [each[0] for each in pairs], [each[1] for each in pairs]
            super()._backend_update_step(grads, variables, learning_rate)
        finally:
            self._now.scalars = {}

    def _scalars(self, dtype, learning_rate, prepare=True):
        """Everything the formula needs besides tensors of the variable's shape."""
        h = SimpleNamespace(
            learning_rate=ops.cast(learning_rate, dtype),
            step=ops.cast(self.iterations + 1, dtype),
        )
        for name, hyperparameter in hyperparameters(type(self)).items():
            value = hyperparameter.pair(self, dtype)
            if value is not None:
                setattr(h, name, value[0])
                setattr(h, f"one_minus_{name}", value[1])
        if Optimizer.weight_decay.given(self):
            h.decay = h.learning_rate * h.weight_decay
        if prepare:
            self.prepare(h)
        return h

    # ------------------------------------------------------------------------------- one variable

    def update_step(self, gradient, variable, learning_rate):
        at = self._at(variable, learning_rate)
        if _rows.is_sparse(gradient) and not isinstance(gradient, Rows):
            gradient = self._merged(gradient)  # Called on its own.
        if not isinstance(gradient, Rows):
            _updates.whole(self, at, gradient, self.is_table(variable))
        elif self.rows == "exact" and not self.row_local:
            _updates.table(self, at, gradient)
        else:
            _updates.rows(self, at, gradient)

    def _at(self, variable, learning_rate=None):
        """What an update of this variable needs to know; see ``_updates``."""
        dtype = wide(variable.dtype)
        index = self._get_variable_index(variable)
        h = self._now.scalars.get(dtype) or self._scalars(dtype, learning_rate)
        return SimpleNamespace(
            h=h,
            variable=variable,
            slots={name: variables[index] for name, variables in self._slots.items()},
            dtype=dtype,
            finite=self._now.finite if self._now.scalars else None,
            decay=h.decay if self.decays(variable) else None,
        )

    def decays(self, variable):
        """Whether weight decay shrinks this variable."""
        return Optimizer.weight_decay.given(self) and self._use_weight_decay(variable)

    def is_table(self, variable):
        """Whether the rows of this variable are looked up."""
        index = self._get_variable_index(variable)
        variable = self._trainable_variables[index]
        return index in self._now.tables or variable.name.split(":")[0] == "embeddings"

    def decay_is_lazy(self):
        """Whether weight decay leaves the rows outside the batch alone."""
        if not Optimizer.weight_decay.given(self):
            return False
        return self.rows == "lazy" if self.lazy_weight_decay is None else self.lazy_weight_decay


def _limit(name, value):
    return value if value is None else _checks.number(name, value, "(0, inf)")
