"""Decision boundaries of classifiers of two features."""

import keras
import numpy as np

from keras_dlnotes.plots._canvas import MARKERS, axes, lines


def decision_boundary(model, x, y, *, ax=None, steps=200, margin=0.5):
    """Draws what a classifier of two features predicts over the plane, and the data.

    Args:
        model: A Keras model, or any function from (points, 2) to predictions: one number a point
            (the classes meet where it is a half) or one for each class.
        x, y: The data: points and whole-number labels.
        ax: Axes to draw on. Defaults to None, a new figure.
        steps: Integer. Resolution. Defaults to 200.
        margin: Float. Room around the data. Defaults to 0.5.

    Returns:
        The Axes.
    """
    x, y = np.asarray(x, "float32"), np.asarray(y).ravel().astype(int)
    if x.ndim != 2 or x.shape[1] != 2:
        raise ValueError(f"Points must have shape (count, 2). Received: {x.shape}")
    ax = axes(ax)
    (left, bottom), (right, top) = x.min(0) - margin, x.max(0) + margin
    across, up = np.meshgrid(np.linspace(left, right, steps), np.linspace(bottom, top, steps))
    points = np.c_[across.ravel(), up.ravel()].astype("float32")
    if isinstance(model, keras.Model):
        said = model.predict(points, batch_size=8192, verbose=0)
    else:
        said = np.asarray(model(points))
    said = said.reshape(len(points), -1)
    classes = said.argmax(1) if said.shape[1] > 1 else (said[:, 0] > 0.5).astype(int)
    count = int(max(classes.max(), y.max())) + 1
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
        classes.reshape(across.shape),
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
            label=f"class {label}",
        )
    ax.set(
        xlabel="first feature",
        ylabel="second feature",
        xlim=(left, right),
        ylim=(bottom, top),
    )
    ax.legend(loc="upper right")
    return ax
