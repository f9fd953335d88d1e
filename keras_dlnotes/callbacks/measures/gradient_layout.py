"""Which variables are watched, under which names, and which layer each belongs to."""

import functools
import re

import keras
import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes.callbacks.diagnosis.drawn_graph import drawn_graph
from keras_dlnotes.callbacks.diagnosis.followers import ahead, followers, in_graph
from keras_dlnotes.callbacks.diagnosis.layer_state import LayerState


class Layout:
    """The columns of every table: the watched variables, then their layers, then the whole.

    ``include`` and ``exclude`` are searched in the variable's path and in its layer's name.
    """

    def __init__(self, model, include=None, exclude=None):
        self._model = model
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
        self._names_by_layer = {id(layer): name for layer, name in pairs}
        self.sizes = np.array([np.prod(v.shape) for v in chosen], "float32")

    @functools.cached_property
    def _graph(self):
        """For each layer the names of those it feeds, the activation on the way, those ahead."""
        with drawn_graph(self._model):
            known = in_graph(self.layers)
            fed = [followers(layer) if known else (None, "") for layer in self.layers]
            after = ahead(self._model, self.layers)
        return [
            (self._called(map(id, feeds), tuple) if known else None, on_the_way, self._called(ids))
            for (feeds, on_the_way), ids in zip(fed, after, strict=True)
        ]

    def _called(self, ids, kind=frozenset):
        """Layers' names in place of their ids; None where nobody knows."""
        return None if ids is None else kind(self._names_by_layer.get(each, "") for each in ids)

    @property
    def names(self):
        return [*self.variable_names, *self.layer_names, "global"]

    def states(self, record):
        """What the rules of the diagnosis want to know of each layer, from one epoch's record."""
        return [self._state(i, layer, record) for i, layer in enumerate(self.layers)]

    def _state(self, i, layer, record):
        own = np.flatnonzero(self.layer_ids == i)
        ranks = [len(self.variables[j].shape) for j in own]
        biases = [j for j, rank in zip(own, ranks, strict=True) if rank == 1]
        bias = biases[-1] if len(biases) == 1 and max(ranks) > 1 else None
        column = len(self.variables) + i

        def value(part, row, kind, j=column):
            table = record[part][row]
            return float(table[kind, j]) if table[0, j] > 0 else np.nan

        zeros = value("details", 3, 1)
        if bias is not None:
            # A unit's bias is idle only if the unit is; its weights also if an input is zero.
            zeros = value("details", 3, 1, bias)
        elif zeros < 1:
            zeros = np.nan
        feeds, on_the_way, after = self._graph[i]
        activation = getattr(getattr(layer, "activation", None), "__name__", "") or ""
        activation = on_the_way if activation in ("", "linear") else activation
        return LayerState(
            name=self.layer_names[i],
            gradient_norm=value("norms", 0, 1),
            largest_norm=value("norms", 0, 3),
            update_ratio=value("details", 5, 1),
            weight_norm=value("details", 4, 4),
            zeros=zeros,
            nonfinite=float(record["bad"][column]),
            first_nonfinite=int(record["first_bad"][column]),
            kernel=max(ranks) > 1,
            sparse=isinstance(layer, keras.layers.Embedding),
            activation=activation,
            feeds=feeds,
            ahead=after,
            bias_norm=np.nan if bias is None else value("norms", 0, 1, bias),
            units=1 if bias is None else int(self.variables[bias].shape[0]),
        )


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
