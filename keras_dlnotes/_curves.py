"""The one-cycle curve, shared by the schedule and the callback of that name.

Both draw the same line, the schedule with ``keras.ops`` inside a compiled step, the callback with
NumPy between two steps, and neither imports the other. So the line stands here, once, and takes
the array module to compute with.
"""

import math

from keras_dlnotes import _checks


def checked_shape(total_steps, pct_start, anneal_strategy, three_phase):
    """The arguments that give a cycle its shape, checked. ``total_steps`` may be None."""
    if total_steps is not None:
        total_steps = _checks.integer("total_steps", total_steps, 1)
    pct_start = _checks.number("pct_start", pct_start, "[0, 1]")
    anneal_strategy = _checks.one_of("anneal_strategy", anneal_strategy, ("cos", "linear"))
    three_phase = _checks.boolean("three_phase", three_phase)
    if three_phase and pct_start > 0.5:
        _checks.fail("pct_start", "be at most 0.5 for a cycle of three phases", pct_start)
    return total_steps, pct_start, anneal_strategy, three_phase


def one_cycle(xp, step, values, total_steps, pct_start, anneal_strategy, three_phase):
    """The curve through ``values`` = (start, peak, end) at ``step``, a number or an array.

    The peak comes at step ``pct_start * total_steps - 1``. With three phases the curve falls back
    to ``start`` as fast as it rose and only then goes to ``end``. Steps after the last one get
    ``end``. ``xp`` is ``numpy`` or ``keras.ops``.
    """
    start, peak, end = values
    rise, last = pct_start * total_steps - 1, total_steps - 1
    if three_phase:
        phases = [
            (0, rise, start, peak),
            (rise, 2 * rise, peak, start),
            (2 * rise, last, start, end),
        ]
    else:
        phases = [(0, rise, start, peak), (rise, last, peak, end)]
    result = None
    for begin, stop, a, b in reversed(phases):
        if stop > begin:
            rest = 1 - xp.clip((step - begin) / (stop - begin), 0.0, 1.0)
        else:
            rest = 0.0 * step  # A phase without length is over as soon as it begins.
        if anneal_strategy == "cos":
            # (1 + cos(pi * (1 - rest))) / 2 without the cancellation near the end.
            rest = xp.square(xp.sin(math.pi / 2 * rest))
        value = b + (a - b) * rest
        result = value if result is None else xp.where(step <= stop, value, result)
    return result
