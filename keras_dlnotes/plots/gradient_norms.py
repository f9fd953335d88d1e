"""Gradient norms of a model's layers, over the epochs and from input to output."""

import numpy as np

from keras_dlnotes.plots._canvas import axes, grid, pyplot
from keras_dlnotes.plots._layers import history_of, layer_lines, layer_ticks


def gradients(monitor, ax=None):
    """Draws each layer's gradient norm over the epochs, and the last epoch's profile.

    Args:
        monitor: A ``callbacks.GradientMonitor`` after a fit.
        ax: A pair of Axes, or one to be divided. Defaults to None: a new figure.
    """
    epochs = history_of(monitor, "layer_norms")["epoch"]
    if ax is None:
        _, ax = pyplot().subplots(1, 2, figsize=(11, 4), layout="constrained")
    over_epochs, profile = ax = grid(2, ax)
    norms = {
        name: np.where(values > 0, values, np.nan)  # Zero has no logarithm.
        for name, values in monitor.layer_norms().items()
    }
    layer_lines(over_epochs, epochs, norms)
    over_epochs.set_yscale("log")
    over_epochs.set_xlabel("epoch")
    over_epochs.set_ylabel("gradient norm (mean over the epoch)")
    over_epochs.set_title("Each layer over the epochs", fontsize=10)
    over_epochs.xaxis.get_major_locator().set_params(integer=True)
    gradient_profile(monitor, profile)
    return ax


def gradient_profile(monitor, ax=None):
    """Draws the last epoch's gradient norm of each layer, from the input to the output.

    A straight line falling towards the input is a gradient that vanishes layer by layer.

    Args:
        monitor: A ``callbacks.GradientMonitor`` after a fit.
        ax: Axes to draw on. Defaults to None: a new figure.
    """
    history = history_of(monitor, "layer_norms")
    names = list(monitor.layer_norms())
    ax = axes(ax)
    places = np.arange(len(names))
    rows = {
        key: np.array([history["gradient_norm" + key][name][-1] for name in names])
        for key in ("", "_min", "_max")
    }
    low, high = (np.where(rows[key] > 0, rows[key], np.nan) for key in ("_min", "_max"))
    ax.vlines(places, low, high, color="0.7", lw=6, label="least to largest of the epoch")
    mean = np.where(rows[""] > 0, rows[""], np.nan)
    ax.plot(places, mean, "o-", ms=4, color="black", label="mean")
    ax.set_yscale("log")
    layer_ticks(ax, names)
    ax.set_xlabel("layer")
    ax.set_ylabel("gradient norm")
    ax.set_title(f"Epoch {history['epoch'][-1] + 1}: from input to output", fontsize=10)
    ax.legend(fontsize=7)
    return ax
