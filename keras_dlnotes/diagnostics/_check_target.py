"""What a gradient check differentiates: a layer, model, loss or function, as one of tensors.

``of_layer`` and ``of_function`` return ``(function, names, start, objective in words)``: the
function of the listed weights and inputs whose value is the objective, and where it starts.
"""

import keras
import numpy as np
from keras import ops

from keras_dlnotes.diagnostics import _autodiff
from keras_dlnotes.diagnostics._float64 import (
    float64_copy,
    float64_loss,
    lent_in_float64,
    take_over,
    values64,
)
from keras_dlnotes.diagnostics._objective import data_loss


def in_float64(original, x, arguments, stack, notes):
    """``(layer in float64, values it needs in every call)``: a copy, else the original, lent."""
    try:
        layer = float64_copy(original)
        if not layer.built:
            layer(x, **arguments)
    except Exception as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
        if not original.built:
            raise ValueError(
                f"No float64 copy of {original.name!r} ({type(original).__name__}) can be made "
                "from its config. Give the class a complete `get_config()`, or build it first "
                f"(call it once): then it is checked itself. The copy failed with {reason}"
            ) from error
        notes.append(f"No copy could be made from the config, so the original ran ({reason}).")
        fixed = values64(original)
        stack.enter_context(lent_in_float64(original))
        return original, fixed
    if original.built:
        take_over(original, layer)
    return layer, []


def of_layer(original, layer, fixed, x, y, loss, sample_weight, training, arguments, seed):
    with keras.StatelessScope(fixed):
        example = layer(x, **arguments, training=training)
    objective, said = data_loss(layer, original, loss, y, example, seed)
    variables = layer.trainable_variables
    leaves = keras.tree.flatten(x)
    floats = [k for k, leaf in enumerate(leaves) if _is_float(leaf)]

    def function(*tensors):
        weights, inputs = tensors[: len(variables)], list(leaves)
        for k, tensor in zip(floats, tensors[len(variables) :], strict=True):
            inputs[k] = tensor
        inputs = keras.tree.pack_sequence_as(x, inputs)
        mapping = [*fixed, *zip(variables, weights, strict=True)]
        with keras.StatelessScope(mapping, collect_losses=True), _autodiff.same_draws():
            y_pred = layer(inputs, **arguments, training=training)
            return objective(inputs, y_pred, sample_weight, training)

    # An original that is not built yet has no variables whose names could be told instead.
    pairs = zip(original.variables, layer.variables, strict=False)
    paths = {id(new): old.path for old, new in pairs}
    names = [(paths.get(id(v), v.path), "weight") for v in variables]
    names += [(_input_name(layer, k, len(leaves)), "input") for k in floats]
    known = {id(v): value for v, value in fixed}
    start = [known.get(id(v), v.value) for v in variables]
    start = [ops.convert_to_tensor(value) for value in start] + [leaves[k] for k in floats]
    return function, names, start, f"{said}, training={training}"


def of_function(function, x, y, sample_weight, arguments):
    """A loss of ``(y, x)``, or any function of ``x``; its output is summed."""
    is_loss = isinstance(function, keras.losses.Loss)
    if is_loss:
        function = float64_loss(function)
        arguments = {**arguments, "sample_weight": sample_weight}
    leaves = keras.tree.flatten(x)
    floats = [k for k, leaf in enumerate(leaves) if _is_float(leaf)]
    cotangents = []

    def value(*tensors):
        inputs = list(leaves)
        for k, tensor in zip(floats, tensors, strict=True):
            inputs[k] = tensor
        inputs = keras.tree.pack_sequence_as(x, inputs)
        out = function(inputs, **arguments) if y is None else function(y, inputs, **arguments)
        out = ops.cast(out, "float64")
        if not cotangents:  # A plain sum would hide what cancels in it (softmax sums to one).
            cotangents.append(np.random.default_rng(0).uniform(0.5, 1.5, tuple(out.shape)))
        return ops.sum(out * ops.convert_to_tensor(cotangents[0], dtype="float64"))

    names = [("x" if len(leaves) == 1 else f"x[{k}]", "argument") for k in floats]
    value(*[leaves[k] for k in floats])
    said = "the value" if np.ndim(cotangents[0]) == 0 else "a fixed random projection of the values"
    return value, names, [leaves[k] for k in floats], said


def _is_float(x):
    return ops.is_tensor(x) and _autodiff.is_float(x)


def _input_name(layer, k, count):
    inputs = getattr(layer, "inputs", None) if isinstance(layer, keras.Model) else None
    if inputs and len(inputs) == count:
        return f"input {inputs[k].name}"
    return "input" if count == 1 else f"input {k}"
