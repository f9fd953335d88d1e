"""Learning rates: the finder's sweep and schedules."""

import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes._names import labelled
from keras_dlnotes.plots._canvas import COLOURS, axes, lines
from keras_dlnotes.plots._taken import numbers, result


def learning_rate_finder(curve, *, ax=None):
    """Draws loss against learning rate, the smoothed line, and the suggested rates on it.

    Args:
        curve: What ``callbacks.LearningRateFinder.find`` returned, or the finder after a sweep.
        ax: Axes to draw on. Defaults to None: a new figure.
    """
    curve = getattr(curve, "result", curve)
    result("curve", curve, "smoothed", "a LearningRateFinder found, or the finder after a sweep")
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
    """Draws a schedule, or several, over the steps.

    Args:
        schedule: One of ``schedules``, of Keras' or any function of a step; a list of them, or a
            dict from names to them.
        steps: Integer, for steps 0, 1, ..., or the steps themselves.
        ax: Axes to draw on. Defaults to None: a new figure.
    """
    drawn = {schedule.name: schedule} if hasattr(schedule, "curve") else labelled(schedule)
    x = np.arange(_checks.integer("steps", steps, 1)) if np.ndim(steps) == 0 else steps
    x = numbers("steps", x, "steps")
    for each in drawn.values():
        if not callable(each):
            _checks.fail("schedule", "be a schedule, or a function of a step", each)
    ax = axes(ax)
    for (name, each), style in zip(drawn.items(), lines(), strict=False):
        ax.plot(x, _values(each, x), label=name, **style)
    ax.set_xlabel("step")
    ax.set_ylabel("value")
    ax.set_title("Schedule by step")
    ax.legend()
    return ax


def _values(schedule, steps):
    if hasattr(schedule, "curve"):
        return schedule.curve(steps)
    return np.array([float(schedule(step)) for step in steps])
