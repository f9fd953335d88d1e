"""Reverse-mode differentiation of a model, laid open call by call."""

import keras
import numpy as np
from keras import ops, tree

from keras_dlnotes import _checks
from keras_dlnotes.diagnostics._autodiff import is_float, numpy, pullback
from keras_dlnotes.diagnostics._data import checked_examples
from keras_dlnotes.diagnostics._graph import count_paths, unfold
from keras_dlnotes.diagnostics._objective import joined_loss
from keras_dlnotes.diagnostics._slope import recorded_activation
from keras_dlnotes.diagnostics._trace import BackpropTrace, Edge, TracedCall


def backprop_trace(model, x, y, *, loss=None, sample_weight=None, training=False):
    """Computes a model's gradients by hand, so to say, and shows every number on the way.

    Forward, each call of a layer is evaluated once and remembered. Backward, from the loss to the
    inputs, the gradient of a call's output is the sum of what its consumers hand back, so it is
    computed once; the call then turns it into the gradients of its inputs and weights:

        dL/d output = sum over the consumers of dL/d input (the consumer's)
        gain        = |dL/d input| / |dL/d output|
        paths       = how often a walk along every single path to the loss would come by

    The weights' gradients are those of training, to rounding. Keras and TensorFlow give only these
    last ones; what happens between the layers, where gradients vanish, they keep to themselves.

    Skip connections, shared layers (one entry a call), several inputs and outputs and nested
    models (unfolded, named ``outer/inner``) are followed. A subclassed model's ``call`` cannot be.

    Args:
        model: A functional or sequential model, built.
        x: Inputs, as for ``fit``.
        y: Targets.
        loss: Loss, list or dict of losses. Defaults to None: the one the model was compiled with.
        sample_weight: Weights of the loss. Defaults to None.
        training: Whether layers run as in training (dropout, batch statistics). Nothing of the
            model changes in either case. Defaults to False.

    Returns:
        A `BackpropTrace`: arrays, ``print(trace)`` for a table, ``trace.plot()`` for a picture.

    Example:
        >>> inputs = keras.Input((2,))
        >>> hidden = keras.layers.Dense(2, "sigmoid", kernel_initializer="ones", name="h")(inputs)
        >>> summed = keras.layers.Add(name="skip")([hidden, inputs])
        >>> model = keras.Model(inputs, keras.layers.Dense(1, name="out")(summed))
        >>> trace = backprop_trace(model, np.ones((1, 2)), np.ones((1, 1)), loss="mse")
        >>> [(call.name, call.paths) for call in trace.calls]
        [('h', 1), ('skip', 1), ('out', 1)]
        >>> trace.input_paths  # One path through the layer, one around it.
        {'keras_tensor': 2}

    Reference: [Rumelhart, Hinton & Williams, 1986](https://doi.org/10.1038/323533a0)
    """
    if not isinstance(model, keras.Model):
        _checks.fail("model", "be a functional or sequential Keras model", model)
    checked_examples("x", x)
    calls, inputs, outputs = unfold(model, training)
    if loss is None and not model.compiled:
        raise ValueError("Argument `loss` must be given for a model that is not compiled.")
    x_tensors = _fed(model, x)
    state = {id(v): v.value for v in model.variables}
    by_id = {id(v): v for v in model.variables}
    known = {id(value): tensor for value, tensor in zip(inputs, x_tensors, strict=True)}
    done = [_Forward(call, known, state, by_id) for call in calls]

    # The loss is one more function, of the outputs and (regularizers) of the weights.
    predictions = [known[id(value)] for value in outputs]
    floats = [value for value, p in zip(outputs, predictions, strict=True) if is_float(p)]
    logits = {id(value): known[_logits(value)] for value in floats if _logits(value) in known}
    weights = model.trainable_variables
    final = _loss_function(
        model, x, y, outputs, known, list(logits), loss, sample_weight, training, weights
    )
    start = [known[id(value)] for value in floats] + list(logits.values())
    (total,), _, back = pullback(final, start + [ops.convert_to_tensor(v.value) for v in weights])
    added = [extra for step in done for extra in step.losses]
    one = ops.ones_like(total)
    found = back([one])
    total = sum((ops.cast(extra, total.dtype) for extra in added), start=total)

    gradients, edges = {}, []
    received = dict.fromkeys((v.path for v in weights), 0.0)
    for value, gradient, logit in _with_logits(floats, logits, found):
        if logit is not None:
            gradients[_logits(value)] = logit
        _hand_back(gradients, edges, value, gradient, len(calls), also=logit)
    for variable, gradient in zip(weights, found[len(start) :], strict=True):
        if gradient is not None:
            received[variable.path] = received[variable.path] + numpy(gradient)

    traced = []
    for number in reversed(range(len(calls))):
        traced.insert(0, done[number].backward(number, gradients, edges, received))

    visits, paths = count_paths(calls, outputs, lambda value: is_float(known[id(value)]))
    for call, visited in zip(traced, visits, strict=True):
        call.paths = visited
    zeros = {v.path: np.zeros(v.shape, "float32") for v in weights}
    return BackpropTrace(
        name=model.name,
        loss=float(numpy(total)),
        calls=traced,
        edges=edges[::-1],
        weight_gradients={
            p: zeros[p] if np.ndim(g) == 0 and zeros[p].ndim else g for p, g in received.items()
        },
        input_gradients={
            value.name: numpy(gradients[id(value)]) for value in inputs if id(value) in gradients
        },
        input_paths={value.name: paths.get(id(value), 0) for value in inputs},
    )


class _Forward:
    """One call, evaluated, with what its chain rule needs."""

    def __init__(self, call, known, state, by_id):
        self.call = call
        operation = call.operation
        is_layer = isinstance(operation, keras.layers.Layer)
        own = operation.variables if is_layer else []
        self.variables = operation.trainable_variables if is_layer else []
        kept = [v for v in own if id(v) not in {id(t) for t in self.variables}]
        unique = {id(value): value for value in call.inputs if is_float(known[id(value)])}
        self.inputs = list(unique.values())
        slots = {slot: known[id(value)] for slot, value in call.slots.items()}
        masks = {slot: keras.src.backend.get_keras_mask(t) for slot, t in slots.items()}
        others = [(v, state[id(v)]) for v in kept if id(v) in state]

        def function(*tensors):
            given = dict(zip(unique, tensors, strict=False))
            weights = tensors[len(unique) :]
            filled = {slot: given.get(id(v), known[id(v)]) for slot, v in call.slots.items()}
            for slot, mask in masks.items():
                if mask is not None:
                    keras.src.backend.set_keras_mask(filled[slot], mask)
            args, kwargs = call.node.arguments.fill_in(filled)
            context = getattr(operation, "_call_context_args", ())
            if "training" in context and call.training is not None:
                kwargs["training"] = call.training
            mapping = [*others, *zip(self.variables, weights, strict=True)]
            with keras.StatelessScope(mapping, collect_losses=True) as scope:
                with recorded_activation(operation) as seen:
                    results = tree.flatten(operation(*args, **kwargs))
                after = [scope.get_current_value(v) for v, _ in others]
                penalties = [ops.sum(one) for one in scope.losses]
            extra = {
                "all": results,
                "masks": [keras.src.backend.get_keras_mask(r) for r in results],
                "after": after,
                "before_activation": seen,
                # TensorFlow: losses take the logits behind probabilities where they find them.
                "logits": [hasattr(r, "_keras_logits") for r in results],
            }
            logits = [r._keras_logits for r in results if hasattr(r, "_keras_logits")]
            return [*(r for r in results if is_float(r)), *logits, *penalties], extra

        start = [known[v] for v in unique] + [
            ops.convert_to_tensor(v.value) for v in self.variables
        ]
        outputs, extra, self.back = pullback(function, start)
        count = sum(map(is_float, extra["all"]))
        self.losses = outputs[count + sum(extra["logits"]) :]
        self.logits = []
        with_logits = [v for v, has in zip(call.outputs, extra["logits"], strict=True) if has]
        for value, logit in zip(with_logits, outputs[count:], strict=False):
            self.logits.append((_logits(value), logit))
            known[_logits(value)] = logit
        for (variable, _), value in zip(others, extra["after"], strict=True):
            state[id(variable)] = value
        self.float_outputs = []
        plain = iter(outputs)
        for value, result, mask in zip(call.outputs, extra["all"], extra["masks"], strict=True):
            if is_float(result):
                result = next(plain)
                self.float_outputs.append(value)
            if mask is not None:
                keras.src.backend.set_keras_mask(result, mask)
            known[id(value)] = result
        self.results = [known[id(value)] for value in self.float_outputs]
        self.before_activation = extra["before_activation"]

    def backward(self, number, gradients, edges, received):
        """Turns the outputs' gradients into those of inputs and weights, and hands them back."""
        call = self.call
        at_output = [
            gradients.get(id(value), ops.zeros_like(result))
            for value, result in zip(self.float_outputs, self.results, strict=True)
        ]
        at_logits = [gradients.get(key, ops.zeros_like(logit)) for key, logit in self.logits]
        found = self.back([*at_output, *at_logits, *[ops.ones_like(one) for one in self.losses]])
        at_input = found[: len(self.inputs)]
        for value, gradient in zip(self.inputs, at_input, strict=True):
            times = sum(value is other for other in call.inputs)
            _hand_back(gradients, edges, value, gradient, number, times)
        weights = {}
        for variable, gradient in zip(self.variables, found[len(self.inputs) :], strict=True):
            if gradient is not None:
                weights[variable.path] = numpy(gradient)
                received[variable.path] = received[variable.path] + weights[variable.path]
        activation_gain = self._activation_gain(at_output)
        if _norm(at_logits) > 0:
            at_output, activation_gain = at_logits, None
        output_norm, input_norm = _norm(at_output), _norm([g for g in at_input if g is not None])
        return TracedCall(
            name=call.name,
            kind=type(call.operation).__name__,
            inputs=[value.name for value in call.inputs],
            output_gradients=[numpy(g) for g in at_output],
            weight_gradients=weights,
            output_norm=output_norm,
            input_norm=input_norm,
            gain=input_norm / output_norm if output_norm > 0 and at_input else float("nan"),
            activation_gain=activation_gain,
        )

    def _activation_gain(self, at_output):
        if len(self.before_activation) != 1 or len(at_output) != 1 or _norm(at_output) == 0:
            return None
        activation, z = self.before_activation[0]
        if tuple(z.shape) != tuple(at_output[0].shape):
            return None
        _, _, back = pullback(lambda t: ([activation(t)], None), [ops.convert_to_tensor(z)])
        (gradient,) = back(at_output)
        return None if gradient is None else _norm([gradient]) / _norm(at_output)


def _logits(value):
    """The key under which the logits behind an output stand."""
    return "logits", id(value)


def _with_logits(floats, logits, found):
    """``(output value, its gradient, its logits' gradient or None)``."""
    found_logits = dict(zip(logits, found[len(floats) :], strict=False))
    for value, gradient in zip(floats, found, strict=False):
        yield value, gradient, found_logits.get(id(value))


def _hand_back(gradients, edges, value, gradient, consumer, times=1, also=None):
    parts = [g for g in (gradient, also) if g is not None]
    if not parts:
        return
    source = -1 if value.producer is None else value.producer
    edges.append(Edge(source, consumer, value.name, _norm(parts), times))
    if gradient is not None:
        before = gradients.get(id(value))
        gradients[id(value)] = gradient if before is None else before + gradient


def _norm(tensors):
    return float(
        np.sqrt(sum(float(np.sum(np.square(numpy(t).astype("float64")))) for t in tensors))
    )


def _fed(model, x):
    """The inputs as flat tensors of the dtypes and ranks the model asks for."""
    graph = model._functional if isinstance(model, keras.Sequential) else model
    return graph._standardize_inputs(x)


def _loss_function(
    model, x, y, outputs, known, with_logits, loss, sample_weight, training, weights
):
    graph = model._functional if isinstance(model, keras.Sequential) else model
    y = tree.map_structure(lambda leaf: None if leaf is None else ops.convert_to_tensor(leaf), y)
    joined = None if loss is None else joined_loss(model, loss)
    predictions = [known[id(value)] for value in outputs]
    masks = [keras.src.backend.get_keras_mask(p) for p in predictions]
    count = sum(map(is_float, predictions))

    def function(*tensors):
        given = iter(tensors[:count])
        logits = dict(zip(with_logits, tensors[count:], strict=False))
        # New tensors, for attributes of the old ones (logits, masks) must not get in by stealth.
        flat = [next(given) * 1 if is_float(p) else p for p in predictions]
        for result, value, mask in zip(flat, outputs, masks, strict=True):
            if mask is not None:
                keras.src.backend.set_keras_mask(result, mask)
            if id(value) in logits:
                result._keras_logits = logits[id(value)]
        y_pred = tree.pack_sequence_as(graph._outputs_struct, flat)
        if isinstance(y_pred, (list, tuple)) and len(y_pred) == 1:
            y_pred = y_pred[0]
        mapping = list(zip(weights, tensors[count + len(with_logits) :], strict=True))
        # Without calls inside the scope, `model.losses` holds the weights' regularizers alone.
        with keras.StatelessScope(mapping, collect_losses=True):
            if joined is None:
                total = model._compute_loss(x, y, y_pred, sample_weight, training)
            else:
                penalties = sum((ops.sum(one) for one in model.losses), start=0.0)
                total = joined(y, y_pred, sample_weight) + penalties
        return [total], None

    return function
