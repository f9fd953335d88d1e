"""Axes to draw on, and a style that colour-blind eyes and black-and-white printers can read."""

import itertools

import numpy as np

from keras_dlnotes import _checks

#: Okabe and Ito's colours, the dark ones first; each comes with a dash and a marker of its own.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#000000", "#E69F00", "#56B4E9", "#CC79A7"]
DASHES = ["-", "--", "-.", ":", (0, (7, 1)), (0, (4, 1, 1, 1, 1, 1)), (0, (1, 0.5))]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]


def pyplot():
    """matplotlib's pyplot, or one line that says how to get it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError('Pictures need matplotlib: pip install "keras-dlnotes[plots]"') from error
    return plt


def axes(ax=None, width=6.4, height=4.8, projection=None):
    """The given Axes, or those of a new figure of this size in inches."""
    plt = pyplot()
    if ax is not None:
        if not hasattr(ax, "plot"):
            _checks.fail("ax", "be Matplotlib's Axes", ax)
        return ax
    _, ax = plt.subplots(
        figsize=(width, height),
        layout="constrained",
        subplot_kw={"projection": projection},
    )
    return ax


def grid(count, given=None, columns=3, size=3.2):
    """`count` Axes in rows: those given, parts of the one given, or those of a new figure."""
    plt = pyplot()
    columns = min(columns, count)
    rows = -(-count // columns)
    if hasattr(given, "inset_axes") and count == 1:
        return [given]
    if hasattr(given, "inset_axes"):
        given.set_axis_off()
        wide, high = 1 / columns, 1 / rows
        # Room for the titles and labels between the parts.
        return [
            given.inset_axes(
                [
                    (k % columns + 0.1) * wide,
                    1 - (k // columns + 0.85) * high,
                    0.85 * wide,
                    0.7 * high,
                ]
            )
            for k in range(count)
        ]
    if given is not None:
        given = list(np.ravel(given))
        if len(given) < count:
            raise ValueError(
                f"Argument `ax` must be one Axes or hold {count}. Received: {len(given)}"
            )
        return given[:count]
    figure, made = plt.subplots(
        rows,
        columns,
        figsize=(size * columns, size * rows),
        layout="constrained",
        squeeze=False,
    )
    for spare in made.ravel()[count:]:
        figure.delaxes(spare)
    return list(made.ravel()[:count])


def styles():
    """One set of keyword arguments for `plot` after the other, each told apart without colour."""
    for number in itertools.count():
        yield {
            "color": COLOURS[number % len(COLOURS)],
            "linestyle": DASHES[number % len(DASHES)],
            "marker": MARKERS[number % len(MARKERS)],
        }


def lines():
    """As `styles`, without markers, for smooth curves."""
    for style in styles():
        yield {key: value for key, value in style.items() if key != "marker"}
