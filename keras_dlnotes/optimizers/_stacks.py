"""Small variables of one shape, updated as one.

Outside of XLA each operation of an update costs more than the arithmetic of a small variable. So
equal ones are stacked along a new axis, and the formula is calculated once for all of them.
"""

import collections
import math

import keras
from keras import ops

from keras_dlnotes import _xla
from keras_dlnotes.optimizers import _rows, _updates

#: Up to how many numbers a variable is small, and how many a stack holds: above, copies cost more
#: than the operations they save.
SMALL, MOST = 2**9, 2**15


def sort(optimizer, pairs):
    """Pairs of gradient and variable, sorted: a list of stacks of pairs, and those left alone."""
    kinds, stacks, alone = collections.defaultdict(list), [], []
    for gradient, variable in pairs:
        kind = alone
        if _fits(optimizer, gradient, variable):
            place = _rows.backend_variable(variable).device
            key = tuple(variable.shape), variable.dtype, place, optimizer.decays(variable)
            kind = kinds[key]
        kind.append((gradient, variable))
    for (shape, *_), kind in kinds.items():
        most = MOST // max(1, math.prod(shape))
        for begin in range(0, len(kind), most):
            stack = kind[begin : begin + most]
            if len(stack) > 1:
                stacks.append(stack)
            else:
                alone += stack
    return stacks, alone


def _fits(optimizer, gradient, variable):
    dense = gradient is not None and not _rows.is_sparse(gradient)
    half = _updates.wide(variable.dtype) != keras.backend.standardize_dtype(variable.dtype)
    small = math.prod(variable.shape) <= SMALL and not optimizer.fused
    calculated = _xla.can_fuse() and not _updates.is_descent(optimizer, variable)
    return calculated and dense and small and not half and not optimizer.is_table(variable)


def update(optimizer, stack):
    """The update of a stack, pairs of gradient and ``at``: what ``_updates.whole`` is for one."""
    import tensorflow as tf

    gradients, several = zip(*stack, strict=True)
    at = several[0]
    # As there, a bare step is subtracted in place and need not see the weights.
    bare = at.decay is None and at.finite is None
    with tf.device(_rows.backend_variable(at.variable).device):
        weight = None if bare else _stacked(each.variable for each in several)
        old = {name: _stacked(each.slots[name] for each in several) for name in at.slots}
        gradient = ops.cast(_stacked(gradients), at.dtype)
        scalars = _updates.scalars(at)
        result, new = optimizer.plain_update(gradient, weight, old, scalars, table=False)
        for name, values in new.items():
            for each, value in zip(several, ops.unstack(values), strict=True):
                optimizer.assign(each.slots[name], value)
        assign = optimizer.assign_sub if bare else optimizer.assign
        for each, value in zip(several, ops.unstack(result), strict=True):
            assign(each.variable, value)


def _stacked(tensors):
    return ops.stack([_rows.read(each) for each in tensors])
