"""Learning rates: the finder's sweep and schedules."""

import numpy as np

from keras_dlnotes.plots._canvas import COLOURS, axes


def learning_rate_finder(curve, *, ax=None):
    """Draws loss against learning rate, the smoothed line, and the suggested rates on it.

    Args:
        curve: What ``callbacks.LearningRateFinder.find`` returned.
        ax: Axes to draw on. Defaults to None: a new figure.
    """
    ax = axes(ax)
    rates, smoothed = curve.learning_rates, curve.smoothed
    ax.plot(rates, curve.losses, color="0.75", linewidth=1, label="each batch")
    ax.plot(rates, smoothed, color="black", label="smoothed")
    marks = zip(curve.suggestions.items(), COLOURS, "osD", strict=False)
    for (name, rate), colour, marker in marks:
        if rate is not None:
            height = np.interp(rate, rates, smoothed)
            label = f"{name.replace('_', ' ')}: {rate:.1e}"
            ax.plot([rate], [height], marker, color=colour, markersize=7, label=label)
    ax.set_xscale("log")
    if len(smoothed):
        # One huge loss at the end must not flatten the valley that the picture is about.
        low, start = smoothed.min(), smoothed[: max(len(smoothed) // 10, 1)].max()
        ax.set_ylim(low - 0.1 * (start - low or 1), start + 0.5 * (start - low or 1))
    ax.set_xlabel("learning rate")
    ax.set_ylabel("loss")
    ax.set_title("Learning-rate finder")
    ax.legend()
    return ax


def schedule(schedule, steps, *, ax=None):
    """Draws a schedule over its steps.

    Args:
        schedule: One of ``schedules``.
        steps: Integer, for steps 0, 1, ..., or the steps themselves.
        ax: Axes to draw on. Defaults to None: a new figure.
    """
    ax = axes(ax)
    x = np.arange(steps) if np.ndim(steps) == 0 else np.asarray(steps)
    ax.plot(x, schedule.curve(x), label=schedule.name)
    ax.set_xlabel("step")
    ax.set_ylabel("value")
    ax.set_title("Schedule by step")
    ax.legend()
    return ax
