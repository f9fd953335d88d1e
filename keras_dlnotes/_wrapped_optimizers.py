"""Optimizers around optimizers: loss scales, and whatever else has an ``inner_optimizer``."""

import keras


def chain(optimizer):
    """The optimizer, the one inside it, and so on to the one that updates the weights."""
    found = [optimizer]
    while isinstance(inner := getattr(found[-1], "inner_optimizer", None), keras.Optimizer):
        found.append(inner)
    return found


def innermost(optimizer):
    """The one that updates the weights."""
    return chain(optimizer)[-1]
