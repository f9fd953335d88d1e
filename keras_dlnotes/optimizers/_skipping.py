"""Steps that are left out because a gradient holds a NaN or an infinity."""

from keras import ops

from keras_dlnotes.optimizers import _rows


class Skipping:
    """What ``skip_nonfinite`` is to an optimizer.

    Each step notes in ``self._now.finite`` whether it counts, None where nobody asks. The updates
    read it, and what else moves with a step stands still by it here.
    """

    def _build_skipping(self):
        if self.skip_nonfinite:
            self.skipped_steps = self.add_variable(
                (), dtype="int32", aggregation="only_first_replica", name="skipped_steps"
            )

    def _note_finite(self, grads):
        if not self.skip_nonfinite:
            return
        checks = [
            ops.all(ops.isfinite(g.values if isinstance(g, _rows.Rows) else g))
            for g in grads
            if g is not None
        ]
        self._now.finite = ops.all(ops.stack(checks))
        self.skipped_steps.assign_add(1 - ops.cast(self._now.finite, "int32"))

    def _count_step(self):
        finite = self._now.finite
        if finite is None or self.gradient_accumulation_steps:
            self._iterations.assign_add(1)
        else:
            self._iterations.assign_add(ops.cast(finite, self._iterations.dtype))

    def _update_model_variables_moving_average(self, trainable_variables):
        finite = None if self.gradient_accumulation_steps else self._now.finite
        if finite is None:
            return super()._update_model_variables_moving_average(trainable_variables)
        averages = [slot for slot in self._model_variables_moving_average if slot is not None]
        before = [ops.copy(_rows.read(slot)) for slot in averages]
        super()._update_model_variables_moving_average(trainable_variables)
        for slot, old in zip(averages, before, strict=True):
            slot.assign(ops.where(finite, _rows.read(slot), old))
