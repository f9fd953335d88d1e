"""Analytic gradients against central differences, in float64."""

import contextlib
import textwrap
from dataclasses import dataclass, field

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes.diagnostics import _autodiff
from keras_dlnotes.diagnostics._differences import Differences
from keras_dlnotes.diagnostics._float64 import (
    float64_copy,
    float64_loss,
    float64_world,
    lent_in_float64,
    take_over,
    tensors64,
    values64,
)
from keras_dlnotes.diagnostics._objective import data_loss
from keras_dlnotes.diagnostics._text import shortened, table


@dataclass
class VariableCheck:
    """What was found for one variable or input.

    ``error`` is the largest relative error, ``where`` its index, ``analytic`` and ``numeric`` the
    two derivatives there. ``analytic_values``, ``numeric_values`` and ``errors`` hold all that were
    compared, at ``indices`` (one row an entry). ``kinks`` counts entries that lie on a kink; they
    have no error (NaN). ``verdict`` is "right" or "wrong"; or "kinks" where all entries lie on
    one, "unused" where the loss does not depend on it, "too small" where rounding hides it.
    """

    name: str
    kind: str
    shape: tuple
    error: float = 0.0
    where: tuple = ()
    analytic: float = 0.0
    numeric: float = 0.0
    kinks: int = 0
    verdict: str = "right"
    indices: np.ndarray = field(default=None, repr=False)
    analytic_values: np.ndarray = field(default=None, repr=False)
    numeric_values: np.ndarray = field(default=None, repr=False)
    errors: np.ndarray = field(default=None, repr=False)


@dataclass
class GradientCheck:
    """Result of ``gradient_check``: true where every gradient is right.

    ``variables`` holds one ``VariableCheck`` each, weights first, then inputs; ``notes`` says what
    could not be checked and why.
    """

    name: str
    objective: str
    value: float
    step: float
    noise: float
    tolerance: float
    variables: list
    notes: list

    @property
    def ok(self):
        return not self.wrong

    @property
    def wrong(self):
        """The variables and inputs whose gradient is not right."""
        return [v for v in self.variables if v.verdict == "wrong"]

    @property
    def error(self):
        """The largest relative error of all."""
        return max((v.error for v in self.variables), default=0.0)

    def __bool__(self):
        return self.ok

    def __getitem__(self, name):
        """The check of the variable or input of this name."""
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise KeyError(f"{name!r} is none of {[v.name for v in self.variables]}")

    def report(self):
        """A table of at most 100 columns, and the notes."""
        rows = [
            (
                shortened(v.name, 34),
                v.verdict,
                f"{len(v.indices)}/{int(np.prod(v.shape))}",
                f"{v.error:.1e}",
                ",".join(map(str, v.where)),
                f"{v.analytic:.4g}",
                f"{v.numeric:.4g}",
            )
            for v in self.variables
        ]
        header = ("variable", "verdict", "checked", "error", "at", "analytic", "difference")
        if self.wrong:
            names = ", ".join(shortened(v.name, 34) for v in self.wrong[:3])
            verdict = f"WRONG in {len(self.wrong)} of {len(self.variables)}: {names}"
        else:
            verdict = f"all right to {self.tolerance:g}"
        lines = [f"Gradient check of {self.name}: {verdict}", f"Objective: {self.objective}"]
        lines += [table(header, rows, left=2)] if rows else []
        lines += [textwrap.fill(f"Note: {note}", 100) for note in self.notes]
        return "\n".join(lines)

    __str__ = report

    def plot(self, ax=None):
        """Draws the error of every entry; see ``plots.gradient_check``."""
        from keras_dlnotes import plots

        return plots.gradient_check(self, ax=ax)


def gradient_check(
    model_or_layer,
    x,
    y=None,
    *,
    loss=None,
    sample_weight=None,
    training=True,
    arguments=None,
    samples=32,
    tolerance=1e-6,
    step=None,
    seed=0,
):
    """Compares the gradients that training would use with central differences.

    For your own layer, loss or activation, above all one with a hand-written gradient. Keras has
    nothing like it; `tf.test.compute_gradient` wants a function of tensors that is in float64
    already and knows neither weights nor state.

    The check runs on a copy in float64, made from the config, with the same weights, random seeds
    and frozen layers, on TensorFlow, JAX and torch; nothing of the original changes. Every
    evaluation starts from the same state, so dropout draws the same units each time and moving
    averages stay. For each entry ``w`` of each trainable variable and floating-point input:

        numeric = (f(w + h) - f(w - h)) / 2h
        error   = |analytic - numeric| / max(|analytic|, |numeric|)

    where ``f`` is the loss with all regularizers. Derivatives below what rounding lets a
    difference resolve are measured against that instead. Where the slopes left and right of the
    point differ at any distance (ReLU at zero) and the analytic one lies between them, the entry
    counts as a kink and not as wrong.

    Args:
        model_or_layer: A layer or model; or a loss, or any function of one tensor (an activation,
            a regularizer), whose gradient with respect to ``x`` is checked.
        x: Input of the call, a structure of arrays where it takes several. For a loss: ``y_pred``.
        y: Targets. Defaults to None: the outputs are projected on fixed random numbers.
        loss: Loss of the model. Defaults to None: the one it was compiled with, else, with ``y``,
            the mean squared error.
        sample_weight: Weights of the loss. Defaults to None.
        training: Whether the call trains. Defaults to True.
        arguments: Dict of further arguments of the call. Defaults to None.
        samples: How many entries of each variable are compared: the one with the largest
            derivative and others at random. None for all. Defaults to 32.
        tolerance: Largest relative error that counts as right. Defaults to 1e-6.
        step: Distance h, relative to the entry where that is larger than 1. Defaults to None: the
            cube root of the noise measured in the loss, 6e-6 at least.
        seed: Seed of the choice of entries and of the projection. Defaults to 0.

    Returns:
        A `GradientCheck`, true where all is right; print it for a table.

    Example:
        >>> keras.utils.set_random_seed(1)
        >>> model = keras.Sequential([keras.layers.Dense(3, "tanh"), keras.layers.Dense(1)])
        >>> x = np.linspace(-1, 1, 8).reshape(4, 2)
        >>> check = gradient_check(model, x, np.ones((4, 1)), loss="mse")
        >>> check.ok, len(check.variables), check.error < 1e-6
        (True, 5, True)
    """
    samples = None if samples is None else _checks.integer("samples", samples, 1)
    tolerance = _checks.number("tolerance", tolerance, "(0, inf)")
    step = None if step is None else _checks.number("step", step, "(0, inf)")
    seed = _checks.integer("seed", seed, 0)
    if not callable(model_or_layer):
        _checks.fail("model_or_layer", "be a layer, a model, a loss or a function", model_or_layer)
    with float64_world(), contextlib.ExitStack() as stack:
        x, y, sample_weight, arguments = map(tensors64, (x, y, sample_weight, arguments or {}))
        notes = []
        if isinstance(model_or_layer, keras.layers.Layer):
            name = model_or_layer.name
            layer, fixed = _in_float64(model_or_layer, x, arguments, stack, notes)
            pieces = _of_layer(
                model_or_layer, layer, fixed, x, y, loss, sample_weight, training, arguments, seed
            )
            frozen = [one.name for one in model_or_layer._flatten_layers() if not one.trainable]
            if frozen:
                notes.append(f"Frozen and left out: {', '.join(frozen)}.")
        else:
            name = getattr(model_or_layer, "name", None) or getattr(
                model_or_layer, "__name__", type(model_or_layer).__name__
            )
            pieces = _of_function(model_or_layer, x, y, sample_weight, arguments)
        return _compare(name, *pieces, samples, tolerance, step, seed, notes)


def _in_float64(original, x, arguments, stack, notes):
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


def _of_layer(original, layer, fixed, x, y, loss, sample_weight, training, arguments, seed):
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


def _of_function(function, x, y, sample_weight, arguments):
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


def _compare(name, function, names, start, objective, samples, tolerance, step, seed, notes):
    fast = _autodiff.compiled(function)

    def value(arrays):
        found = fast(*[ops.convert_to_tensor(a, dtype="float64") for a in arrays])
        return float(ops.convert_to_numpy(found))

    outputs, _, back = _autodiff.pullback(lambda *t: ([function(*t)], None), start)
    if keras.backend.standardize_dtype(outputs[0].dtype) != "float64":
        notes.append(f"The objective comes out as {outputs[0].dtype}, not float64.")
    gradients = back([ops.ones_like(outputs[0])])
    arrays = [np.array(_autodiff.numpy(t)) for t in start]
    differences = Differences(value, arrays, step, seed)
    if not np.isfinite(differences.center):
        raise ValueError(f"The objective is {differences.center}; there is no gradient to check.")
    again = value(differences.arrays)
    if again != differences.center:
        notes.append(
            f"Two evaluations at the same point differ by {abs(again - differences.center):.1e}: "
            "something random has no seed of its own (`keras.random.SeedGenerator`)."
        )
    if differences.noise > 1e4 * np.finfo("float64").eps * differences.scale:
        notes.append(
            f"The objective is only exact to {differences.noise:.1e}: part of it is computed in "
            "less than float64 whatever the dtype policy says, so small errors cannot be seen."
        )
    generator = np.random.default_rng(seed)
    checks = []
    for k, ((path, kind), gradient) in enumerate(zip(names, gradients, strict=True)):
        array = differences.arrays[k]
        analytic = (
            np.zeros(array.shape) if gradient is None else np.array(_autodiff.numpy(gradient))
        )
        if kind == "input" and not np.any(analytic) and np.all(array == np.round(array)):
            notes.append(f"{path} has whole numbers and no gradient: taken for ids, left out.")
            continue
        chosen = _entries(analytic, samples, generator)
        checks.append(_one(differences, k, path, kind, analytic, chosen, tolerance))
        if gradient is None and checks[-1].verdict == "right":
            checks[-1].verdict = "unused"
    return GradientCheck(
        name,
        objective,
        differences.center,
        differences.step,
        differences.noise,
        tolerance,
        checks,
        notes,
    )


def _one(differences, k, path, kind, analytic, chosen, tolerance):
    check = VariableCheck(path, kind, analytic.shape)
    numeric, errors = np.zeros(len(chosen)), np.full(len(chosen), np.nan)
    seen = 0
    for row, index in enumerate(chosen):
        index = tuple(int(i) for i in index)
        numeric[row], error, kink = differences.compare(k, index, analytic[index], tolerance)
        check.kinks += kink
        errors[row] = np.nan if kink else error
        if not kink and (error > check.error or not seen):
            check.error, check.where = float(error), index
            check.analytic, check.numeric = float(analytic[index]), float(numeric[row])
            seen += 1
    check.indices, check.numeric_values, check.errors = chosen, numeric, errors
    check.analytic_values = np.array([analytic[tuple(index)] for index in chosen])
    size = np.maximum(np.abs(check.analytic_values), np.abs(numeric))
    if not check.error <= tolerance:
        check.verdict = "wrong"
    elif len(chosen) and check.kinks == len(chosen):
        check.verdict = "kinks"
    elif np.any(size) and np.all(size < 10 * differences.noise / differences.step):
        check.verdict = "too small"
    return check


def _entries(analytic, samples, generator):
    """Indices to compare, one row each: the largest derivative's, then others at random."""
    size = analytic.size
    if samples is None or size <= samples:
        flat = np.arange(size)
    else:
        largest = int(np.argmax(np.abs(analytic)))
        others = generator.choice(size - 1, samples - 1, replace=False)
        flat = np.sort(np.append(others + (others >= largest), largest))
    return (
        np.stack(np.unravel_index(flat, analytic.shape), -1)
        if analytic.ndim
        else flat[:, None][:, :0]
    )


def _is_float(x):
    return ops.is_tensor(x) and _autodiff.is_float(x)


def _input_name(layer, k, count):
    inputs = getattr(layer, "inputs", None) if isinstance(layer, keras.Model) else None
    if inputs and len(inputs) == count:
        return f"input {inputs[k].name}"
    return "input" if count == 1 else f"input {k}"
