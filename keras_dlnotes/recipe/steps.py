"""The words of the checklist: what is chosen at each of the ten steps, and what was seen."""

import numbers
import os
import warnings

import numpy as np

from keras_dlnotes.models.activation import plain_name
from keras_dlnotes.models.mlp import initializer_for
from keras_dlnotes.recipe.checklist import Checklist


def chosen_steps(task, choices, scaling, rate, clip, searched, log_dir, patience):
    """The checklist before training: what was chosen and why."""
    steps = Checklist()
    names = {"standardize": "mean 0 and variance 1", "min_max": "the range 0 to 1", None: "none"}
    steps.add(
        "Scale the features",
        names[scaling],
        "features of one size make one learning rate fit all; fitted on the training part only, "
        "and saved inside the model",
    )
    activation = plain_name(choices["activation"])
    initializer = type(initializer_for(choices["activation"])).__name__
    steps.add(
        "Initial weights",
        initializer,
        f"keeps the signal's variance through {activation}",
    )
    steps.add(
        "Activation",
        activation,
        "the slope for positive inputs is 1, so gradients pass"
        if activation.lower() == "relu"
        else "chosen by the caller or the search",
    )
    normalized = "batch normalization" if choices["batch_normalization"] else "no normalization"
    steps.add(
        "Normalize and drop out",
        f"{normalized}, dropout {choices['dropout']:g}",
        "normalization keeps each layer's inputs steady, dropout keeps units from relying on each "
        "other",
    )
    steps.add(
        "Optimizer",
        f"Adam, learning rate {rate_name(rate)}",
        "a rate for each weight from its own past gradients",
    )
    steps.add(
        "Hyper-parameters",
        f"hidden layers {', '.join(map(str, choices['hidden'])) or 'none'}",
        searched or "no search asked for; `tune=20` would run one",
    )
    steps.add("Loss", task.loss, f"{task.name} task: {task.reason}")
    clipping = f"global norm clipped to {clip:g}" if clip else "no clipping"
    steps.add(
        "Watch the gradients",
        f"GradientMonitor, {clipping}",
        "one bad batch cannot throw the weights away",
    )
    where = os.fspath(log_dir) if log_dir is not None else "not asked for; `log_dir=` writes it"
    steps.add("TensorBoard", where, "curves, weights and gradients side by side")
    steps.add(
        "Early stopping",
        f"patience {patience}, best weights restored",
        "the validation loss, not the training loss, says when to stop",
    )
    return steps


def rate_name(rate):
    return f"{rate:g}" if isinstance(rate, numbers.Real) else type(rate).__name__


def add_findings(steps, history, monitor, fit, epochs):
    """Adds what training showed."""
    steps.saw("; ".join(str(problem) for problem in monitor.problems) or "gradients healthy", 8)
    best = fit.epoch
    ran = len(history.epoch)
    ended = f"stopped after epoch {ran}" if ran < epochs else f"ran all {ran} epochs"
    steps.saw(f"{ended}, weights of epoch {best}", 10)
    steps.saw(str(fit), 10)
    metric = next(
        (name for name in history.history if name.startswith("val_") and name != "val_loss"), None
    )
    if metric:
        steps.saw(f"{metric} {history.history[metric][best - 1]:.4g}", 7)
    if not np.isfinite(history.history["loss"][-1]):
        warnings.warn(f"Training failed: {fit}", stacklevel=3)
