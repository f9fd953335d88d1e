"""Analytic gradients against central differences, in float64."""

import contextlib

import keras
import numpy as np
from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes.diagnostics import _autodiff
from keras_dlnotes.diagnostics._check_result import GradientCheck, VariableCheck
from keras_dlnotes.diagnostics._check_target import in_float64, of_function, of_layer
from keras_dlnotes.diagnostics._data import checked_examples
from keras_dlnotes.diagnostics._differences import Differences
from keras_dlnotes.diagnostics._float64 import float64_world, tensors64


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
    checked_examples("x", x)
    with float64_world(), contextlib.ExitStack() as stack:
        x, y, sample_weight, arguments = map(tensors64, (x, y, sample_weight, arguments or {}))
        notes = []
        if isinstance(model_or_layer, keras.layers.Layer):
            name = model_or_layer.name
            layer, fixed = in_float64(model_or_layer, x, arguments, stack, notes)
            pieces = of_layer(
                model_or_layer, layer, fixed, x, y, loss, sample_weight, training, arguments, seed
            )
            frozen = [one.name for one in model_or_layer._flatten_layers() if not one.trainable]
            if frozen:
                notes.append(f"Frozen and left out: {', '.join(frozen)}.")
        else:
            name = getattr(model_or_layer, "name", None) or getattr(
                model_or_layer, "__name__", type(model_or_layer).__name__
            )
            pieces = of_function(model_or_layer, x, y, sample_weight, arguments)
        return _compare(name, *pieces, samples, tolerance, step, seed, notes)


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
