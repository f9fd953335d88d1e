"""Embeddings in two dimensions."""

import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes.plots._canvas import axes
from keras_dlnotes.plots._taken import numbers


def embedding(vectors, labels=None, *, ax=None, count=None):
    """Draws vectors in the plane of their two widest principal axes.

    Args:
        vectors: Array of shape (count, size); or `word2vec.WordVectors`, or a `Word2Vec` model,
            which bring their labels.
        labels: A name for each, written beside its point. Defaults to none.
        ax: Axes to draw on. Defaults to None, a new figure.
        count: Integer. Only so many of them. Defaults to all.

    Returns:
        The Axes.
    """
    if hasattr(getattr(vectors, "vectors", None), "vectors"):  # a model, which has WordVectors
        vectors = vectors.vectors
    if hasattr(vectors, "vectors"):
        labels = vectors.words if labels is None else labels
        vectors = vectors.vectors
    if labels is not None and len(labels) < len(vectors[:count]):
        _checks.fail("labels", f"hold a name for each of {len(vectors[:count])} vectors", labels)
    vectors = numbers("vectors", vectors[:count], "count", "size")
    if min(vectors.shape) < 2:
        raise ValueError(
            f"`vectors` must be two at least, of two numbers or more. Received: {vectors.shape}"
        )
    centred = vectors - vectors.mean(0)
    left, spread, _ = np.linalg.svd(centred, full_matrices=False)
    points = left[:, :2] * spread[:2]
    share = spread[:2] ** 2 / max(np.sum(spread**2), 1e-300)
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
