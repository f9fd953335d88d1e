"""Which layers take what a layer puts out, and which come after it, in a model's graph."""

import keras

#: Layers that are an activation which saturates.
LAYERS = {
    "Sigmoid": "sigmoid",
    "HardSigmoid": "hard_sigmoid",
    "Tanh": "tanh",
    "HardTanh": "hard_tanh",
    "Softsign": "softsign",
}


def followers(layer):
    """``(layers with weights that this one feeds, name of the activation on the way or "")``.

    The way leads through layers without weights, and into nested models. A layer that is in no
    graph, see ``drawn_graph``, or whose output is the model's own, feeds none.
    """
    found, activations, seen, waiting = [], [], set(), [layer]
    while waiting:
        for node in getattr(waiting.pop(), "_outbound_nodes", ()):
            operation = node.operation
            if id(operation) in seen:
                continue
            seen.add(id(operation))
            is_model = isinstance(operation, keras.Model)
            inner = getattr(operation, "inputs", None) if is_model else None
            if inner:
                waiting += [tensor._keras_history.operation for tensor in inner]
            elif getattr(operation, "weights", ()):
                found.append(operation)
            else:
                waiting.append(operation)
                activations.append(activation_of(operation))
    return found, "".join(activations) if len(found) == 1 else ""


def activation_of(operation):
    """The name of what `Activation("tanh")` or a layer such as `Tanh` computes, else ""."""
    if isinstance(operation, keras.layers.Activation):
        return getattr(operation.activation, "__name__", "")
    return LAYERS.get(type(operation).__name__, "")


def in_graph(layers):
    """Whether these layers, or some of them, are part of a graph that can be walked."""
    return any(getattr(layer, "_outbound_nodes", ()) for layer in layers)


def ahead(model, layers):
    """For each of ``layers`` the ids of those that come after it on some way to an output.

    None for a layer that is in no graph, nor in another layer that is.
    """
    everything = model._flatten_layers()
    inside = {id(one): {id(part) for part in one._flatten_layers()} for one in everything}
    return [
        _reached([one for one in everything if id(layer) in inside[id(one)]], inside) - {id(layer)}
        if any(_has_nodes(one) for one in everything if id(layer) in inside[id(one)])
        else None
        for layer in layers
    ]


def _reached(starts, inside):
    """Ids of all layers behind these, a nested model's or a wrapper's own among them."""
    found, seen, waiting = set(), set(), list(starts)
    while waiting:
        for node in getattr(waiting.pop(), "_outbound_nodes", ()):
            if id(node.operation) not in seen:
                seen.add(id(node.operation))
                found |= inside.get(id(node.operation), set())
                waiting.append(node.operation)
    return found


def _has_nodes(layer):
    return bool(layer._inbound_nodes or layer._outbound_nodes)
