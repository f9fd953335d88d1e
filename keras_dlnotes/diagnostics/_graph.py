"""A Keras model's graph as a flat list of calls, nested models unfolded."""

from dataclasses import dataclass, field

import keras
from keras import tree


class Value:
    """A tensor on its way through the graph; ``producer`` is a call's number, None for inputs."""

    def __init__(self, name, producer=None):
        self.name, self.producer = name, producer


@dataclass
class Call:
    """One call of a layer or operation.

    A layer called twice has two of these. ``slots`` maps the ids of the symbolic tensors in the
    node's arguments to values, ``inputs`` lists them with repetitions.
    """

    name: str
    operation: object
    node: object
    training: object
    slots: dict
    inputs: list
    outputs: list = field(default_factory=list)


def unfold(model, training):
    """``(calls in order, input values, output values)`` of a functional or sequential model."""
    graph = graph_of(model)
    if graph is None:
        raise ValueError(
            "Argument `model` must be a functional or sequential model that is built: the calls "
            "of its layers are a graph that can be walked. The `call` of a subclassed model is "
            f"Python code, which cannot. Received: model={model!r}"
        )
    values = {id(t): Value(t.name) for t in graph.inputs}
    inputs = [values[id(t)] for t in graph.inputs]
    calls = []
    _walk(graph, "", training, values, calls)
    times = {}
    for call in calls:
        times.setdefault(call.name, []).append(call)
    for name, same in times.items():
        if len(same) > 1:
            for number, call in enumerate(same, 1):
                call.name = f"{name} (call {number})"
    return calls, inputs, [values[id(t)] for t in graph.outputs]


def graph_of(model):
    """The ``keras.Function`` of calls behind a model, or None where there is none.

    A subclass that overrides ``call`` does something else than its graph says.
    """
    kind = type(model)
    if isinstance(model, keras.Sequential):
        return model._functional if kind.call is keras.Sequential.call and model.built else None
    if isinstance(model, keras.Function) and isinstance(model, keras.Model):
        functional = next(c for c in kind.__mro__ if c.__name__ == "Functional")
        return model if kind.call is functional.call else None
    return None


def _walk(graph, prefix, training, values, calls):
    # Depth counts from the outputs, so falling depth is an order in which all can be computed.
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            if node.is_input or any(id(t) not in values for t in node.input_tensors):
                continue
            operation = node.operation
            name = prefix + operation.name
            inner = graph_of(operation)
            arguments = tree.flatten((node.arguments.args, node.arguments.kwargs.get("inputs")))
            tensors = [a for a in arguments if isinstance(a, keras.KerasTensor)]
            # As `Functional.call` does: what it is called with goes before what was recorded.
            mode = training if training is not None else node.arguments.kwargs.get("training")
            plain = inner is not None and len(tensors) == len(inner.inputs)
            if plain and operation.activity_regularizer is None:
                local = {id(t): values[id(a)] for t, a in zip(inner.inputs, tensors, strict=True)}
                _walk(inner, name + "/", mode, local, calls)
                for outer, own in zip(node.outputs, inner.outputs, strict=True):
                    values[id(outer)] = local[id(own)]
                continue
            slots = {id(t): values[id(t)] for t in node.input_tensors}
            call = Call(
                name, operation, node, training, slots, [values[id(t)] for t in node.input_tensors]
            )
            for k, t in enumerate(node.outputs):
                suffix = f"[{k}]" if len(node.outputs) > 1 else ""
                call.outputs.append(Value(name + suffix, len(calls)))
                values[id(t)] = call.outputs[-1]
            calls.append(call)


def count_paths(calls, outputs, carries):
    """How many paths lead from each value (by id) and each call to the loss.

    That is how often a walk along every single path would come by: the number the chain rule
    needs without remembering. ``carries`` says of a value whether it can carry a gradient.
    Python's integers do not overflow, and these can be large.
    """
    paths = {}
    for value in outputs:
        paths[id(value)] = paths.get(id(value), 0) + 1
    visits = [0] * len(calls)
    for number in reversed(range(len(calls))):
        call = calls[number]
        visits[number] = sum(paths.get(id(v), 0) for v in call.outputs if carries(v))
        for value in call.inputs:
            paths[id(value)] = paths.get(id(value), 0) + visits[number]
    return visits, paths
