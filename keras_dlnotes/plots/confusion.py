"""How often each class was taken for each."""

import numpy as np

from keras_dlnotes.plots._canvas import axes
from keras_dlnotes.plots._taken import classes


def confusion_matrix(y_true, y_pred, names=None, *, ax=None):
    """Draws how often each class was taken for each, as counts and shares of the row.

    Args:
        y_true, y_pred: Classes, one an example: numbers from 0 on, strings or whatever else can be
            sorted; or a column for each class, of which the largest counts.
        names: Names of the classes, in their order. Defaults to themselves.
        ax: Axes to draw on. Defaults to None, a new figure.

    Returns:
        The Axes.
    """
    (y_true, y_pred), names = classes(names, y_true=y_true, y_pred=y_pred)
    if y_true.shape != y_pred.shape:
        raise ValueError(
            "`y_true` and `y_pred` must be of one length. "
            f"Received: {len(y_true)} and {len(y_pred)}"
        )
    count = len(names)
    table = np.zeros((count, count), int)
    np.add.at(table, (y_true, y_pred), 1)
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    ax = axes(ax, 5.6, 5.2)
    image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), number in np.ndenumerate(table):
        if number:
            dark = shares[row, column] > 0.5
            ax.text(
                column,
                row,
                number,
                ha="center",
                va="center",
                fontsize=8,
                color="white" if dark else "black",
            )
    ax.set(xticks=range(count), xticklabels=names, yticks=range(count), yticklabels=names)
    accuracy = np.trace(table) / max(table.sum(), 1)
    ax.set(xlabel="predicted class", ylabel="true class", title=f"Accuracy {accuracy:.1%}")
    ax.figure.colorbar(image, ax=ax, label="share of the true class")
    return ax
