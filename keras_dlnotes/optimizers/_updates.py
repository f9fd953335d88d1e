"""One variable's update: an optimizer's formula on the whole, on some rows, or on both.

Each function takes the optimizer, for its formula and its options, and ``at``: the scalars ``h``,
the ``variable`` with its ``slots``, the ``dtype`` to calculate in, ``finite`` (None, or whether the
step counts at all) and ``decay`` (None, or learning rate times weight decay).
"""

from types import SimpleNamespace

import keras
from keras import ops

from keras_dlnotes.optimizers import _clipping, _rows


def wide(dtype):
    """The dtype to calculate in: at least float32."""
    dtype = keras.backend.standardize_dtype(dtype)
    return "float32" if dtype in ("float16", "bfloat16") else dtype


def where(chosen, new, old):
    return new if chosen is None else ops.where(chosen, new, ops.cast(old, new.dtype))


def whole(optimizer, at, gradient, table):
    """A dense gradient."""
    gradient = ops.cast(gradient, at.dtype)
    old = {name: ops.convert_to_tensor(slot) for name, slot in at.slots.items()}
    step, new = optimizer.formula(at.h, gradient, SimpleNamespace(**old))
    if table and optimizer.row_clipnorm:
        step = _clipping.rows_by_norm(step, optimizer.row_clipnorm)
    present = None
    if table and (optimizer.rows == "lazy" or optimizer.decay_is_lazy()):
        # A table without ids: its gradient was accumulated, or the backend knows no others.
        axes = tuple(range(1, len(gradient.shape)))
        present = ops.any(ops.not_equal(gradient, 0), axis=axes, keepdims=True)
    moves = present if optimizer.rows == "lazy" else None
    for name, value in new.items():
        value = where(at.finite, where(moves, value, old[name]), old[name])
        optimizer.assign(at.slots[name], value)
    decays = present if optimizer.decay_is_lazy() else None
    _whole_step(optimizer, at, where(moves, step, 0.0), decays)


def _whole_step(optimizer, at, step, decays=None):
    if at.decay is None and at.dtype == keras.backend.standardize_dtype(at.variable.dtype):
        optimizer.assign_sub(at.variable, where(at.finite, step, 0.0))
        return
    weight = decayed = ops.cast(ops.convert_to_tensor(at.variable), at.dtype)
    if at.decay is not None:
        # Rounded before the step, as if it were stored in between, which is what Keras does.
        decayed = weight - where(decays, weight * at.decay, 0.0)
    new = where(at.finite, decayed - step, weight)
    optimizer.assign(at.variable, ops.cast(new, at.variable.dtype))


def rows(optimizer, at, rows):
    """A gradient of rows, the others standing still: O(batch)."""
    half = at.dtype != keras.backend.standardize_dtype(at.variable.dtype)
    rows = _rows.merge(rows) if half else rows
    old, step, new = _formula_on_rows(optimizer, at, rows)
    if at.decay is not None and optimizer.decay_is_lazy():
        step = step + ops.cast(_rows.gather(at.variable, rows.ids), at.dtype) * at.decay
    elif at.decay is not None:
        weight = ops.cast(ops.convert_to_tensor(at.variable), at.dtype)
        decayed = where(at.finite, weight - weight * at.decay, weight)
        optimizer.assign(at.variable, ops.cast(decayed, at.variable.dtype))
    for name, value in new.items():
        _rows.write(optimizer, at.slots[name], rows, where(at.finite, value, old[name]))
    step = where(at.finite, step, 0.0)
    if half:
        weight = ops.cast(_rows.gather(at.variable, rows.ids), at.dtype)
        _rows.write(optimizer, at.variable, rows, ops.cast(weight - step, at.variable.dtype))
    else:
        _rows.subtract(optimizer, at.variable, rows, step)


def rows_and_rest(optimizer, at, rows):
    """A gradient of rows with the dense result: the formula once on the rows of the batch, and once
    on the table with the number zero for a gradient. Nothing of the table's size is filled with
    zeros, added up or squared, which makes it cheaper than the dense gradient it stands for.
    """
    _, row_step, row_new = _formula_on_rows(optimizer, at, rows)
    old = {name: ops.convert_to_tensor(slot) for name, slot in at.slots.items()}
    nothing = ops.zeros((), at.dtype)
    step, new = optimizer.formula(at.h, nothing, SimpleNamespace(**old))
    shared = next((name for name, value in new.items() if value is step), None)
    if optimizer.row_clipnorm and optimizer.idle_moves:
        step = _clipping.rows_by_norm(step, optimizer.row_clipnorm)
        shared = None
    replaced = {name: _rows.replace(value, rows.ids, row_new[name]) for name, value in new.items()}
    for name, value in replaced.items():
        optimizer.assign(at.slots[name], where(at.finite, value, old[name]))
    if optimizer.decay_is_lazy():
        weight = ops.cast(_rows.gather(at.variable, rows.ids), at.dtype)
        row_step, shared = row_step + weight * at.decay, None
        at = SimpleNamespace(**{**vars(at), "decay": None})
    if optimizer.idle_moves or at.decay is not None:
        if not optimizer.idle_moves:
            step = ops.zeros(at.variable.shape, at.dtype)
        step = replaced[shared] if shared else _rows.replace(step, rows.ids, row_step)
        _whole_step(optimizer, at, step)
    else:
        _rows.subtract(optimizer, at.variable, rows, where(at.finite, row_step, 0.0))


def _formula_on_rows(optimizer, at, rows):
    old = {name: _rows.gather(slot, rows.ids) for name, slot in at.slots.items()}
    gradient = ops.cast(rows.values, at.dtype)
    step, new = optimizer.formula(at.h, gradient, SimpleNamespace(**old))
    if optimizer.row_clipnorm:
        step = _clipping.rows_by_norm(step, optimizer.row_clipnorm)
    return old, step, new
