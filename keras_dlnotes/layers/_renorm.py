"""Batch renormalization's correction: the batch's statistics brought to the usual ones."""

import keras
from keras import ops

from keras_dlnotes import _checks

INFINITE = float("inf")


def clipping(value):
    """A checked copy of ``renorm_clipping``."""
    if value is not None and not isinstance(value, dict):
        _checks.fail("renorm_clipping", "be a dict or None", value)
    value = dict(value or {})
    odd = sorted(set(value) - {"rmax", "rmin", "dmax"})
    if odd:
        requirement = "have no keys but 'rmax', 'rmin' and 'dmax'"
        _checks.fail("renorm_clipping", f"{requirement} (Received invalid keys: {odd})", value)
    for key, bound in value.items():
        if bound is not None:
            value[key] = _checks.number(f"renorm_clipping[{key!r}]", bound, "[-inf, inf]")
    if _bound(value, "rmax", INFINITE) < _bound(value, "rmin", 0.0):
        _checks.fail("renorm_clipping", "be ordered (rmax should be at least rmin)", value)
    if _bound(value, "dmax", INFINITE) < 0:
        _checks.fail("renorm_clipping", "be a range (dmax should be non-negative)", value)
    return value


def _bound(bounds, key, default):
    return default if bounds.get(key) is None else bounds[key]


def correction(mean, stddev, usual_mean, usual_stddev, bounds):
    """``(r, d)`` with ``x_hat * r + d = (x - usual_mean) / usual_stddev`` within the bounds.

    Both are constants to the gradient.
    """
    r, d = stddev / usual_stddev, (mean - usual_mean) / usual_stddev
    r = ops.clip(r, _bound(bounds, "rmin", 0.0), _bound(bounds, "rmax", INFINITE))
    most = _bound(bounds, "dmax", INFINITE)
    return ops.stop_gradient(r), ops.stop_gradient(ops.clip(d, -most, most))


def copy(initializer):
    """The same initializer again: a random one draws anew only as a copy of itself."""
    if isinstance(initializer, keras.initializers.Initializer):
        return initializer.__class__.from_config(initializer.get_config())
    return initializer
