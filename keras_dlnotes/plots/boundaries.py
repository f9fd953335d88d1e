"""Decision boundaries of classifiers of two features."""

import keras
import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes.plots._canvas import MARKERS, axes, lines
from keras_dlnotes.plots._taken import classes, numbers


def decision_boundary(model, x, y, *, ax=None, steps=200, margin=0.5):
    """Draws what a classifier of two features predicts over the plane, and the data.

    Args:
        model: A Keras model, or any function from (points, 2) to predictions: one float a point
            (the classes meet where it is a half), one for each class, or the class itself.
        x, y: The data: points, and the class of each: numbers from 0 on, strings in whose order the
            model was trained, or a column for each class.
        ax: Axes to draw on. Defaults to None, a new figure.
        steps: Integer. Resolution. Defaults to 200.
        margin: Float. Room around the data. Defaults to 0.5.

    Returns:
        The Axes.
    """
    x = numbers("x", x, "count", "2")
    if x.shape[1] != 2:
        raise ValueError(f"Points must have shape (count, 2). Received: {x.shape}")
    if not callable(model):
        _checks.fail("model", "be a Keras model or a function of points", model)
    (left, bottom), (right, top) = x.min(0) - margin, x.max(0) + margin
    across, up = np.meshgrid(np.linspace(left, right, steps), np.linspace(bottom, top, steps))
    points = np.c_[across.ravel(), up.ravel()].astype("float32")
    (y, predicted), names = _classes(y, _said(model, points))
    if len(y) != len(x):
        raise ValueError(f"There must be one label a point. Received: {len(y)} for {len(x)}")
    count = len(names)
    ax = axes(ax)
    shades = [
        "#cfe3f1",
        "#f7d9c4",
        "#cdeadf",
        "#f0dce7",
        "#fae6c3",
        "#ddf0fb",
        "#e5e5e5",
    ]
    ax.contourf(
        across,
        up,
        predicted.reshape(across.shape),
        levels=np.arange(count + 1) - 0.5,
        colors=shades[:count],
    )
    for label, style in zip(range(count), lines(), strict=False):
        chosen = y == label
        ax.scatter(
            *x[chosen].T,
            s=18,
            color=style["color"],
            marker=MARKERS[label % len(MARKERS)],
            edgecolor="white",
            linewidth=0.4,
            label=f"class {names[label]}",
        )
    ax.set(
        xlabel="first feature",
        ylabel="second feature",
        xlim=(left, right),
        ylim=(bottom, top),
    )
    ax.legend(loc="upper right")
    return ax


def _said(model, points):
    if isinstance(model, keras.Model):
        said = model.predict(points, batch_size=8192, verbose=0)
    else:
        said = np.asarray(model(points))
    return said.reshape(len(points), -1)


def _classes(y, said):
    """Class numbers of the data and of the predictions, and the names of the classes."""
    if said.shape[1] == 1 and said.dtype.kind != "f":
        return classes(y=y, predictions=said)  # The classes themselves, as scikit-learn's predict.
    predicted = said.argmax(1) if said.shape[1] > 1 else (said[:, 0] > 0.5).astype(int)
    (y,), names = classes(y=y)
    return (y, predicted), names + [str(k) for k in range(len(names), int(predicted.max()) + 1)]
