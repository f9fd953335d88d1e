"""Pictures below each other: clean, noisy, reconstructed."""

import numpy as np

from keras_dlnotes.plots._canvas import grid


def reconstructions(*rows, labels=None, shape=None, count=8, ax=None):
    """Draws pictures below each other: clean, noisy and reconstructed digits, for example.

    Args:
        *rows: Arrays of as many pictures each, of shape (examples, height, width) or flat.
        labels: A name for each row. Defaults to none.
        shape: Height and width of a flat picture. Defaults to a square.
        count: Integer. Pictures in a row. Defaults to 8.
        ax: One Axes a row, or one to be divided. Defaults to None, a new figure.

    Returns:
        The list of Axes, one a row.
    """
    drawn = grid(len(rows), ax, columns=1)
    if ax is None:
        drawn[0].figure.set_size_inches(count * 0.9, len(rows) * 1.15)
    labels = labels or [""] * len(rows)
    for pictures, label, part in zip(rows, labels, drawn, strict=True):
        pictures = np.asarray(pictures)[:count]
        if pictures.ndim == 2:
            side = shape or (round(pictures.shape[1] ** 0.5),) * 2
            pictures = pictures.reshape(len(pictures), *side)
        pictures = pictures.reshape(pictures.shape[:3])
        strip = np.concatenate(list(np.pad(pictures, ((0, 0), (0, 0), (0, 1)))), axis=1)
        part.imshow(strip, cmap="gray_r", vmin=0, vmax=max(float(pictures.max()), 1e-9))
        part.set(xticks=[], yticks=[], title=label)
    return drawn
