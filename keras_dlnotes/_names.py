"""Names: of things that come without, and those that are longer than the room for them."""

import collections.abc


def labelled(things):
    """A dict from label to thing; one thing, or a list of them, is labelled by what it is called.

    Example:
        >>> list(labelled(["sgd", len, "sgd", 0.5, int]))
        ['sgd', 'len', 'sgd 2', 'float', 'int']
    """
    if isinstance(things, collections.abc.Mapping):
        return dict(things)
    things = list(things) if isinstance(things, (list, tuple)) else [things]
    names = [_called(thing) for thing in things]
    numbers = [names[:i].count(name) + 1 for i, name in enumerate(names)]
    names = [n if k == 1 else f"{n} {k}" for n, k in zip(names, numbers, strict=True)]
    return dict(zip(names, things, strict=True))


def _called(thing):
    return thing if isinstance(thing, str) else getattr(thing, "__name__", type(thing).__name__)


def shortened(name, width):
    """The end of a path is what tells it apart, so the cut is made in front."""
    return name if len(name) <= width else "…" + name[len(name) - width + 1 :]
