"""Pictures below each other: clean, noisy, reconstructed."""

import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes.plots._canvas import grid


def reconstructions(*rows, labels=None, shape=None, count=8, ax=None):
    """Draws pictures below each other: clean, noisy and reconstructed digits, for example.

    Args:
        *rows: Arrays of as many pictures each, of shape (examples, height, width) or flat; in
            colour with three channels behind.
        labels: A name for each row. Defaults to none.
        shape: Height and width of a flat picture. Defaults to a square.
        count: Integer. Pictures in a row. Defaults to 8.
        ax: One Axes a row, or one to be divided. Defaults to None, a new figure.

    Returns:
        The list of Axes, one a row.
    """
    if not rows:
        _checks.fail("rows", "hold one array of pictures at least", rows)
    labels = [""] * len(rows) if labels is None else list(labels)
    if len(labels) != len(rows):
        _checks.fail("labels", f"hold a name for each of the {len(rows)} rows", labels)
    count = _checks.integer("count", count, 1)
    strips = [_strip(pictures, shape, count) for pictures in rows]
    drawn = grid(len(rows), ax, columns=1)
    if ax is None:
        drawn[0].figure.set_size_inches(count * 0.9, len(rows) * 1.15)
    for strip, label, part in zip(strips, labels, drawn, strict=True):
        part.imshow(strip, cmap="gray_r", vmin=0, vmax=max(float(np.nanmax(strip)), 1e-9))
        part.set(xticks=[], yticks=[], title=label)
    return drawn


def _strip(pictures, shape, count):
    """The first pictures side by side, with a line between them."""
    pictures = np.asarray(pictures)[:count]
    if pictures.ndim == 2:
        side = shape or (round(pictures.shape[1] ** 0.5),) * 2
        if np.prod(side) != pictures.shape[1]:
            raise ValueError(
                f"Argument `shape` must be that of flat pictures of {pictures.shape[1]} numbers. "
                f"Received: shape={shape!r}"
            )
        pictures = pictures.reshape(len(pictures), *side)
    if pictures.ndim == 4 and pictures.shape[3] == 1:
        pictures = pictures[..., 0]
    coloured = pictures.ndim == 4 and pictures.shape[3] == 3
    if not pictures.size or (pictures.ndim != 3 and not coloured):
        raise ValueError(
            "Pictures must have shape (examples, height, width), with 1 or 3 channels or none, or "
            f"be flat. Received: shape {pictures.shape}"
        )
    line = ((0, 0), (0, 0), (0, 1)) + ((0, 0),) * coloured
    if coloured:
        pictures = np.clip(pictures / max(1.0, float(np.nanmax(pictures))), 0, 1)
    return np.concatenate(list(np.pad(pictures, line, constant_values=int(coloured))), axis=1)
