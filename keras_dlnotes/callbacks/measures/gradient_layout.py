"""Which variables are watched, under which names, and which layer each belongs to."""

import re

import numpy as np

from keras_dlnotes import _checks


class Layout:
    """The columns of every table: the watched variables, then their layers, then the whole.

    ``include`` and ``exclude`` are searched in the variable's path and in its layer's name.
    """

    def __init__(self, model, include=None, exclude=None):
        self.model = model
        owners = layers_of(model)
        trainable = [v for v in model.trainable_variables if np.prod(v.shape) > 0]
        chosen = [v for v in trainable if wanted(v.path, owners[id(v)].name, include, exclude)]
        if not chosen:
            raise ValueError(
                "Arguments `include` and `exclude` must leave some trainable variable to watch. "
                f"Received: include={include!r}, exclude={exclude!r}; the model's are "
                + ", ".join(v.path for v in trainable)
            )
        self.variables = chosen
        self.variable_names = unique([v.path for v in chosen])
        layers = list({id(owners[id(v)]): owners[id(v)] for v in chosen}.values())
        places = {id(layer): i for i, layer in enumerate(layers)}
        #: For each variable, the number of its layer.
        self.layer_ids = np.array([places[id(owners[id(v)])] for v in chosen], "int32")
        self.layers = layers
        # A layer is called by its name, and by its path where two share a name.
        called = [layer.name for layer in layers]
        paths = [prefix(self.variable_names, self.layer_ids, i) for i in range(len(layers))]
        names = [
            path if called.count(name) > 1 and path else name
            for name, path in zip(called, paths, strict=True)
        ]
        self.layer_names = unique(names, {*self.variable_names, "global"})
        pairs = zip(layers, self.layer_names, strict=True)
        self.names_by_layer = {id(layer): name for layer, name in pairs}
        self.sizes = np.array([np.prod(v.shape) for v in chosen], "float32")

    @property
    def names(self):
        return [*self.variable_names, *self.layer_names, "global"]


def patterns(name, value):
    """One regular expression or several, as a tuple of those; compiled once to be sure."""
    if value is None:
        return None
    try:
        several = (value,) if isinstance(value, str) else tuple(value)
        for pattern in several:
            re.compile(pattern)
    except (re.error, TypeError):
        _checks.fail(name, "be a regular expression, or several", value)
    return several


def layers_of(model):
    """Variable's id -> the innermost layer that holds it."""
    owners = {}
    for layer in model._flatten_layers():  # outermost first, so the innermost has the last word
        for variable in layer.variables:
            owners[id(variable)] = layer
    return owners


def wanted(path, layer_name, include, exclude):
    def found(patterns):
        return any(re.search(p, path) or re.search(p, layer_name) for p in patterns or ())

    return (not include or found(include)) and not found(exclude)


def prefix(paths, layer_ids, layer):
    """What the paths of a layer's variables have in common, in front of their own names."""
    parents = {p.rpartition("/")[0] for p, i in zip(paths, layer_ids, strict=True) if i == layer}
    return parents.pop() if len(parents) == 1 else ""


def unique(names, taken=()):
    """The same names, later ones numbered where one occurs twice."""
    seen, result = set(taken), []
    for name in names:
        candidate, number = name, 1
        while candidate in seen:
            number += 1
            candidate = f"{name}:{number}"
        seen.add(candidate)
        result.append(candidate)
    return result
