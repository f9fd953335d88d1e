"""Checks for arguments, all with one form of message.

Each check returns the value as the plain Python type that belongs into a config, or raises
``ValueError``:

    Argument `rate` must be in [0, 1). Received: rate=1.5

Example:
    >>> number("rate", 0.5, "[0, 1)")
    0.5
    >>> number("rate", 1.5, "[0, 1)")
    Traceback (most recent call last):
    ValueError: Argument `rate` must be in [0, 1). Received: rate=1.5
"""

import numbers
import reprlib

#: What came may be a whole corpus or data set: its beginning says enough.
SHORT = reprlib.Repr()
SHORT.maxlist = SHORT.maxtuple = SHORT.maxdict = SHORT.maxset = 20
SHORT.maxstring = SHORT.maxother = SHORT.maxlong = 200


def fail(name, requirement, value):
    """Raises the one error: what must hold, and what came instead."""
    received = SHORT.repr(value)
    raise ValueError(f"Argument `{name}` must {requirement}. Received: {name}={received}")


def number(name, value, interval="(-inf, inf)"):
    """A finite real number in ``interval``, written as in mathematics: ``"[0, 1)"``."""
    low, high = (float(end) for end in interval[1:-1].split(","))
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        fail(name, f"be a number in {interval}", value)
    above = value >= low if interval[0] == "[" else value > low
    below = value <= high if interval[-1] == "]" else value < high
    if not (above and below):  # NaN compares false with everything, so it fails here as well.
        fail(name, f"be in {interval}", value)
    return float(value)


def integer(name, value, minimum=None):
    """An integer, of at least ``minimum`` if one is given."""
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or (minimum is not None and value < minimum):
        bound = "" if minimum is None else f" of at least {minimum}"
        fail(name, f"be an integer{bound}", value)
    return int(value)


#: Larger is no array's side, but a slip or a damaged file, and no machine could allocate it.
LARGEST = 2**31 - 1


def size(name, value, minimum=1):
    """How long a side of an array is: an integer from ``minimum`` to 2147483647."""
    if integer(name, value, minimum) > LARGEST:
        fail(name, f"be an integer from {minimum} to {LARGEST}", value)
    return int(value)


def sizes(name, values):
    """A tuple of sizes, from a tuple or a list."""
    if not isinstance(values, (tuple, list)):
        fail(name, "be a tuple or list of integers", values)
    return tuple(size(name, value) for value in values)


def boolean(name, value):
    """``True`` or ``False``, and nothing that merely looks like it."""
    if value is not True and value is not False:
        fail(name, "be True or False", value)
    return value


def several(name, value):
    """Several words or sentences: not one string, which would be taken apart into letters."""
    if isinstance(value, (str, bytes)):
        fail(name, "be a list, not one string", value)
    return value


def one_of(name, value, choices):
    """One of a few allowed values."""
    if not any(value is choice or value == choice for choice in choices):
        fail(name, "be one of " + ", ".join(repr(choice) for choice in choices), value)
    return value


def seed(name, value):
    """A seed: an integer, a ``keras.random.SeedGenerator``, or None for a fresh one."""
    import keras

    if value is None or isinstance(value, keras.random.SeedGenerator):
        return value
    return integer(name, value, 0)
