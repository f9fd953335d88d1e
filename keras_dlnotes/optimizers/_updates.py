"""One variable's update: an optimizer's formula on the whole of it or on some rows.

Each function takes the optimizer, for its formula and its options, and ``at``: the scalars ``h``,
the ``variable`` with its ``slots``, the ``dtype`` to calculate in, ``finite`` (None, or whether the
step counts at all) and ``decay`` (None, or learning rate times weight decay).
"""

import math
from types import SimpleNamespace

import keras
from keras import ops

from keras_dlnotes import _xla
from keras_dlnotes.optimizers import _clipping, _rows

#: From how many numbers on a fused update is worth its compilation, a fraction of a second.
FUSED_SIZE = 2**18
#: From how many numbers on a table is so much larger than a batch that it is first updated as if no
#: row had a gradient, and then in the rows of the batch: the gradient of the table is never built.
TABLE_SIZE = 2**22
#: So many times as many rows it has then. Where batches are of any size, they are taken for small.
FEW = 4


def wide(dtype):
    """The dtype to calculate in: at least float32."""
    dtype = keras.backend.standardize_dtype(dtype)
    return "float32" if dtype in ("float16", "bfloat16") else dtype


def where(chosen, new, old):
    return new if chosen is None else ops.where(chosen, new, ops.cast(old, new.dtype))


def is_descent(optimizer, variable):
    """Whether no more is to do than to subtract the gradient times the rate, outside of XLA."""
    half = wide(variable.dtype) != keras.backend.standardize_dtype(variable.dtype)
    plain = optimizer.additive and not (half or optimizer.skip_nonfinite or optimizer.row_clipnorm)
    return plain and not optimizer.decays(variable) and _xla.can_fuse()


def descend(at, gradient):
    """The one pass over memory that TensorFlow has for it."""
    import tensorflow as tf

    handle = _rows.backend_variable(at.variable).handle
    tf.raw_ops.ResourceApplyGradientDescent(var=handle, alpha=at.h.rate, delta=gradient)


def whole(optimizer, at, gradient, table):
    """A dense gradient."""
    gradient = ops.cast(gradient, at.dtype)
    if is_descent(optimizer, at.variable):
        descend(at, gradient)
        return
    fuse = fuses(optimizer, at.variable.shape)
    half = at.dtype != keras.backend.standardize_dtype(at.variable.dtype)
    # A bare step is subtracted in place; everything else needs to see the weights.
    bare = not (fuse or half) and at.decay is None and at.finite is None
    weight = None if bare else _rows.read(at.variable)
    old = {name: _rows.read(slot) for name, slot in at.slots.items()}
    compute = optimizer.fused_update if fuse else optimizer.plain_update
    result, new = compute(gradient, weight, old, scalars(at), table)
    for name, value in new.items():
        optimizer.assign(at.slots[name], value)
    if bare:
        optimizer.assign_sub(at.variable, result)
    else:
        optimizer.assign(at.variable, result)


def pure(optimizer, gradient, weight, old, scalars, table):
    """The update of a whole variable as a function of tensors: new weights and new slots.

    Without weights it is the step and the new slots; without a gradient, what zeros would give.
    """
    if gradient is None:
        gradient = ops.zeros(weight.shape, wide(weight.dtype))
    h = SimpleNamespace(**scalars)
    finite, decay = scalars.get("finite"), scalars.get("decay")
    step, new = optimizer.formula(h, gradient, SimpleNamespace(**old))
    if table and optimizer.row_clipnorm:
        step = _clipping.rows_by_norm(step, optimizer.row_clipnorm)
    present = None
    if table and (optimizer.rows == "lazy" or optimizer.decay_is_lazy()):
        # A table without ids: its gradient was accumulated, or the backend knows no others.
        axes = tuple(range(1, len(gradient.shape)))
        present = ops.any(ops.not_equal(gradient, 0), axis=axes, keepdims=True)
    moves = present if optimizer.rows == "lazy" else None
    step = where(moves, step, 0.0)
    new = {
        name: where(finite, where(moves, value, old[name]), old[name])
        for name, value in new.items()
    }
    if weight is None:
        return step, new
    start = decayed = ops.cast(weight, gradient.dtype)
    if decay is not None:
        # Rounded before the step, as if it were stored in between, which is what Keras does.
        decays = present if optimizer.decay_is_lazy() else None
        if keras.backend.backend() == "torch":  # One product there, which rounds otherwise.
            decayed = where(decays, start * (1 - decay), start)
        else:
            decayed = start - where(decays, start * decay, 0.0)
    return ops.cast(where(finite, decayed - step, start), weight.dtype), new


def fuses(optimizer, shape):
    """Whether XLA should make one pass over memory of a variable's update.

    Within a function that XLA compiles anyway there is nothing to do; under ``tf.distribute`` it is
    left alone.
    """
    if not _xla.can_fuse() or optimizer.fused is False:
        return False
    return optimizer.fused or math.prod(shape) >= FUSED_SIZE


def moves_table(optimizer, rows):
    """Whether rows are worth keeping as rows although the whole table moves, see ``table``."""
    large = math.prod(rows.shape) >= TABLE_SIZE
    few = not isinstance(rows.most, int) or FEW * rows.most <= rows.shape[0]
    return large and few and fuses(optimizer, rows.shape)


def table(optimizer, at, rows):
    """A gradient of rows where the others move on as well, as if by a gradient of zero."""
    ids, values = _rows.padded(rows)
    near = ops.minimum(ids, rows.shape[0] - 1)
    # Read before the table is overwritten in place, which a read inside of it would prevent.
    weight = _rows.gather(at.variable, near)
    old = {name: _rows.gather(slot, near) for name, slot in at.slots.items()}
    variable = _rows.backend_variable(at.variable)
    slots = {name: _rows.backend_variable(slot) for name, slot in at.slots.items()}
    values = ops.cast(values, at.dtype)
    # One after the other: a single function would need old slots both for the weights and for the
    # new slots that take their place, and copy them.
    for part in ("weights", "slots") if slots else ("weights",):
        optimizer.fused_table(part, variable, slots, ids, values, weight, old, scalars(at))


def table_in_place(optimizer, part, variable, slots, ids, gradient, weight, old, scalars):
    """What XLA does of ``table``: one pass over memory, then the rows of the batch."""
    import tensorflow as tf

    tables = {name: tf.convert_to_tensor(slot) for name, slot in slots.items()}
    result, new = pure(optimizer, None, tf.convert_to_tensor(variable), tables, scalars, True)
    row_result, row_new = pure(optimizer, gradient, weight, old, scalars, True)
    pairs = [(variable, result, row_result)]
    if part == "slots":
        pairs = [(slot, new[name], row_new[name]) for name, slot in slots.items()]
    for target, whole, rows in pairs:  # XLA leaves out ids past the table's end.
        target.assign(tf.tensor_scatter_nd_update(whole, ids[:, None], rows))


def scalars(at):
    """All numbers of an update as tensors, those that are left out left out."""
    scalars = {**vars(at.h), "decay": at.decay, "finite": at.finite}
    return {name: _rows.read(value) for name, value in scalars.items() if value is not None}


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
    _subtract(optimizer, at, rows, where(at.finite, step, 0.0))


def _subtract(optimizer, at, rows, step):
    if at.dtype == keras.backend.standardize_dtype(at.variable.dtype):
        _rows.subtract(optimizer, at.variable, rows, step)
    else:  # Half-precision weights: round once, after subtracting.
        weight = ops.cast(_rows.gather(at.variable, rows.ids), at.dtype)
        _rows.write(optimizer, at.variable, rows, ops.cast(weight - step, at.variable.dtype))


def _formula_on_rows(optimizer, at, rows):
    old = {name: _rows.gather(slot, rows.ids) for name, slot in at.slots.items()}
    gradient = ops.cast(rows.values, at.dtype)
    step, new = optimizer.formula(at.h, gradient, SimpleNamespace(**old))
    if optimizer.row_clipnorm:
        step = _clipping.rows_by_norm(step, optimizer.row_clipnorm)
    return old, step, new
