"""Learning curves of one training, and of several optimizers."""

import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes._fitting import judge_fit
from keras_dlnotes.plots._canvas import axes, styles
from keras_dlnotes.plots._taken import known_metric, metrics


def training_curves(history, metric="loss", *, ax=None):
    """Draws a metric on the training and the validation part, and where over-fitting begins.

    Args:
        history: A Keras history, or its dictionary.
        metric: Name of the metric. Defaults to "loss".
        ax: Axes to draw on. Defaults to None, a new figure.

    Returns:
        The Axes.
    """
    values = metrics("history", history)
    epochs = np.arange(1, len(known_metric(values, metric)) + 1)
    ax = axes(ax)
    for name, label, style in zip(
        (metric, f"val_{metric}"), ("training", "validation"), styles(), strict=False
    ):
        if name in values:
            ax.plot(epochs, values[name], label=label, markersize=4, **style)
    if "val_loss" in values:
        fit = judge_fit(values["loss"], values["val_loss"])
        if fit.verdict == "over-fitting":
            ax.axvline(fit.epoch, color="0.4", linestyle=":", label="over-fitting from here")
    ax.set(xlabel="epoch", ylabel=metric, title=f"{metric.capitalize()} by epoch")
    ax.legend()
    return ax


def optimizer_comparison(histories, *, metric="loss", ax=None):
    """Draws one metric of several trainings over the epochs, a line for each.

    Args:
        histories: What ``optimizers.compare`` returned, or any dict from names to Keras histories.
        metric: Name of the metric. Defaults to "loss".
        ax: Axes to draw on. Defaults to None: a new figure.
    """
    if not isinstance(histories, dict) or not histories:
        _checks.fail("histories", "be a dict from names to Keras histories", histories)
    rows = {
        name: known_metric(metrics(f"histories[{name!r}]", history), metric)
        for name, history in histories.items()
    }
    ax = axes(ax)
    lowest = np.inf
    for (name, line), style in zip(rows.items(), styles(), strict=False):
        ax.plot(np.arange(1, len(line) + 1), line, label=name, markersize=4, **style)
        lowest = min(lowest, np.min(line, where=np.isfinite(line), initial=np.inf))
    if lowest > 0 and "loss" in metric:
        ax.set_yscale("log")
    ax.set_xlabel("epoch")
    ax.set_ylabel(metric)
    ax.set_title("Optimizers compared")
    ax.legend()
    return ax
