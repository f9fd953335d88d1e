"""The layers of a model on a picture, be it three or three hundred."""

import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes._names import shortened
from keras_dlnotes.plots._canvas import pyplot, styles

#: How many names stand side by side below an axis without touching, and how long they may be.
TICKS, WIDTH = 24, 24
#: How many lines a legend names, and how many examples it gives where there are more.
ENTRIES, EXAMPLES = 12, 7


def history_of(monitor, attribute="history"):
    """What a monitor has seen, or an error if that is nothing, or if it is none of this kind."""
    if not hasattr(monitor, attribute) or not isinstance(monitor.history, dict):
        kind = "a GradientMonitor" if attribute == "layer_norms" else "an ActivationMonitor"
        _checks.fail("monitor", f"be {kind} after a fit", monitor)
    if not len(monitor.history.get("epoch", ())):
        raise ValueError(f"{type(monitor).__name__} has seen no epoch yet: draw it after a fit.")
    return monitor.history


def layer_lines(ax, x, values):
    """A line for each layer, dark at the input and light at the output.

    Args:
        ax: Axes to draw on.
        x: Where the values stand.
        values: A dict from a layer's name to its values.
    """
    shades = pyplot().get_cmap("viridis")(np.linspace(0, 0.9, len(values)))
    lines = []
    for (name, row), shade, style in zip(values.items(), shades, styles(), strict=False):
        style["color"] = shade
        lines += ax.plot(x, np.asarray(row), label=name, linewidth=1, markersize=3, **style)
    if not lines:
        return
    named = lines if len(lines) <= ENTRIES else [lines[k] for k in spread(len(lines), EXAMPLES)]
    title = None if named is lines else f"{EXAMPLES} of {len(lines)} layers"
    texts = [shortened(line.get_label(), WIDTH) for line in named]
    ax.legend(named, texts, title=title, title_fontsize=7, fontsize=7)


def layer_ticks(ax, names):
    """Layers side by side at 0, 1, ... of the x axis."""
    places = spread(len(names), TICKS)
    texts = [shortened(names[k], WIDTH) for k in places]
    ax.set_xticks(places, texts, rotation=60, ha="right", fontsize=7)


def spread(count, room):
    """All of `count` indices if there is room for them, else `room`, the first and the last too."""
    return np.unique(np.linspace(0, count - 1, min(count, room)).round().astype(int))
