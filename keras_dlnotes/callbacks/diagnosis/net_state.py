"""An epoch's numbers and the model's graph, as what the diagnosis wants to know of each layer."""

import functools

import keras
import numpy as np

from keras_dlnotes.callbacks.diagnosis.drawn_graph import drawn_graph
from keras_dlnotes.callbacks.diagnosis.followers import ahead, followers, in_graph
from keras_dlnotes.callbacks.diagnosis.layer_state import LayerState


class NetState:
    """The layers of one ``Layout``. How they stand to each other is found out once."""

    def __init__(self, layout):
        self.layout = layout

    def layers(self, record):
        """What the rules of the diagnosis want to know of each layer, from one epoch's record."""
        return [self._state(i, layer, record) for i, layer in enumerate(self.layout.layers)]

    def _state(self, i, layer, record):
        layout = self.layout
        own = np.flatnonzero(layout.layer_ids == i)
        ranks = [len(layout.variables[j].shape) for j in own]
        biases = [j for j, rank in zip(own, ranks, strict=True) if rank == 1]
        bias = biases[-1] if len(biases) == 1 and max(ranks) > 1 else None
        column = len(layout.variables) + i

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
            name=layout.layer_names[i],
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
            units=1 if bias is None else int(layout.variables[bias].shape[0]),
        )

    @functools.cached_property
    def _graph(self):
        """For each layer the names of those it feeds, the activation on the way, those ahead."""
        with drawn_graph(self.layout.model):
            known = in_graph(self.layout.layers)
            fed = [followers(layer) if known else (None, "") for layer in self.layout.layers]
            after = ahead(self.layout.model, self.layout.layers)
        return [
            (self._called(map(id, feeds), tuple) if known else None, on_the_way, self._called(ids))
            for (feeds, on_the_way), ids in zip(fed, after, strict=True)
        ]

    def _called(self, ids, kind=frozenset):
        """Layers' names in place of their ids; None where nobody knows."""
        names = self.layout.names_by_layer
        return None if ids is None else kind(names.get(each, "") for each in ids)
