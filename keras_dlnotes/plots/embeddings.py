"""Embeddings in two dimensions."""

import numpy as np

from keras_dlnotes.plots._canvas import axes


def embedding(vectors, labels=None, *, ax=None, count=None):
    """Draws vectors in the plane of their two widest principal axes.

    Args:
        vectors: Array of shape (count, size).
        labels: A name for each, written beside its point. Defaults to none.
        ax: Axes to draw on. Defaults to None, a new figure.
        count: Integer. Only so many of them. Defaults to all.

    Returns:
        The Axes.
    """
    vectors = np.asarray(vectors, "float64")[:count]
    if vectors.ndim != 2 or min(vectors.shape) < 2:
        raise ValueError(f"`vectors` must have shape (count, size). Received: {vectors.shape}")
    centred = vectors - vectors.mean(0)
    left, spread, _ = np.linalg.svd(centred, full_matrices=False)
    points = left[:, :2] * spread[:2]
    share = spread[:2] ** 2 / np.sum(spread**2)
    ax = axes(ax, 7, 6)
    ax.margins(0.12)  # Room for the names.
    ax.scatter(*points.T, s=14, color="#0072B2")
    for point, label in zip(points, [] if labels is None else labels, strict=False):
        ax.annotate(
            label,
            point,
            xytext=(3, 3),
            textcoords="offset points",
            fontsize=8,
            clip_on=True,
        )
    ax.set(xlabel=f"first axis ({share[0]:.0%} of the variance)")
    ax.set(ylabel=f"second axis ({share[1]:.0%})", title="Principal components")
    return ax
