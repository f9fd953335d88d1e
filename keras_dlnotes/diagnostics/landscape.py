"""The surface of the loss around a model's weights."""

import itertools
import os
from dataclasses import dataclass

import keras
import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes.diagnostics._checkpoint import GridCheckpoint
from keras_dlnotes.diagnostics._data import prepared
from keras_dlnotes.diagnostics._evaluator import Evaluator
from keras_dlnotes.diagnostics.directions import (
    Directions,
    checked,
    pca_directions,
    random_directions,
    snapshots_of,
)


@dataclass
class Landscape:
    """Losses on a line or grid.

    ``losses[i, j]`` belongs to ``axes[0][i]`` along the first direction and ``axes[1][j]`` along
    the second (on a line: ``losses[i]``); ``center`` is the loss of the model itself.
    ``trajectory`` has a row of coordinates for each snapshot, or is None.
    """

    name: str
    axes: list
    losses: np.ndarray
    center: float
    directions: Directions
    trajectory: np.ndarray | None = None

    @property
    def dimensions(self):
        return len(self.axes)

    def report(self):
        """Where the surface is lowest and how steeply it rises, in a few lines."""
        finite = np.where(np.isfinite(self.losses), self.losses, np.inf)
        highest = np.max(self.losses, where=np.isfinite(self.losses), initial=-np.inf)
        at = np.unravel_index(np.argmin(finite), finite.shape)
        place = ", ".join(f"{axis[k]:.3g}" for axis, k in zip(self.axes, at, strict=True))
        shape = " x ".join(str(len(axis)) for axis in self.axes)
        lines = [
            f"Loss landscape of {self.name}: {shape} points, directions: {self.directions.kind}",
            f"loss of the model {self.center:.6g}, lowest {finite[at]:.6g} at ({place}), "
            f"highest {highest:.6g}",
        ]
        if self.directions.explained is not None:
            shares = ", ".join(f"{share:.0%}" for share in self.directions.explained)
            lines.append(f"share of the trajectory's variance: {shares}")
        return "\n".join(lines)

    __str__ = report

    def plot(self, kind=None, ax=None, **options):
        """Draws it: ``kind`` is "line", "contour" (the default in 2-D) or "surface"."""
        from keras_dlnotes import plots

        if kind is None:
            kind = "line" if self.dimensions == 1 else "contour"
        kind = _checks.one_of("kind", kind, ("line", "contour", "surface"))
        return getattr(plots, f"landscape_{kind}")(self, ax=ax, **options)

    def write_image(self, log_dir, step=0, name="loss_landscape", kind=None):
        """Writes the picture for TensorBoard's Images page.

        Args:
            log_dir: Folder of the run.
            step: Step under which it is shown. Defaults to 0.
            name: Tag. Defaults to "loss_landscape".
            kind: As for `plot`.
        """
        import tensorflow as tf

        from keras_dlnotes import plots

        pixels = plots.pixels(self.plot(kind))
        writer = tf.summary.create_file_writer(os.fspath(log_dir))
        with writer.as_default():
            tf.summary.image(name, pixels[None], step=step)
        writer.close()


def loss_landscape(
    model,
    data,
    *,
    directions="random",
    dimensions=2,
    points=41,
    span=None,
    trajectory=None,
    loss=None,
    batch_norm="frozen",
    batch_size=1024,
    seed=0,
    checkpoint=None,
    jit_compile="auto",
    verbose=1,
):
    """Computes the loss along one or two directions around the model's weights.

        losses[i, j] = loss(weights + axes[0][i] * directions[0] + axes[1][j] * directions[1])

    Each value is what ``evaluate`` would give with those weights, computed by one compiled function
    that keeps weights, directions and data on the device; the loop of ``set_weights`` and
    ``evaluate`` pays for copies and for starting an evaluation at every point. The model is not
    written to, so it is the same afterwards, even when interrupted.

    Args:
        model: A built model, of any kind.
        data: ``(x, y)`` or ``(x, y, sample_weight)``; or an iterable of batches such as a
            ``tf.data.Dataset``, read once and kept in memory.
        directions: "random" (see `random_directions`), "pca" (see `pca_directions`; needs
            ``trajectory``), or a `Directions`: `line_direction`, or ``landscape.directions`` of
            another landscape to look at two models from the same side. Defaults to "random".
        dimensions: 1 or 2, where the directions are made here. Defaults to 2.
        points: Points along each direction, or one number each. An odd number has the model itself
            among them. Defaults to 41.
        span: Largest coordinate, or ``(lowest, highest)``, or a list with such a pair for each
            direction. Defaults to None: 1 for random directions, what holds the trajectory for PCA.
        trajectory: A `callbacks.TrajectoryRecorder` or list of lists of weights: projected onto the
            plane. Defaults to None.
        loss: Loss for a model that is not compiled. Defaults to None.
        batch_norm: "frozen" leaves moving statistics as they are, "recomputed" takes those of the
            data at each point. Defaults to "frozen".
        batch_size: Rows evaluated at once, where ``data`` are arrays. Defaults to 1024.
        seed: Seed of random directions. Defaults to 0.
        checkpoint: Path of an ``.npz`` file that is written as it goes; a run that finds it goes on
            where the other stopped. Defaults to None.
        jit_compile: Whether XLA compiles. Defaults to "auto": where there is an accelerator.
        verbose: 0, or 1 for a progress bar. Defaults to 1.

    Returns:
        A `Landscape`.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
        >>> model.set_weights([np.array([[2.0]])])
        >>> x = np.ones((4, 1))
        >>> land = loss_landscape(model, (x, 2 * x), loss="mse", dimensions=1, points=5, verbose=0)
        >>> land.losses  # A step of 1 is as long as the weight, 2: the loss is (2 * axis)^2.
        array([4., 1., 0., 1., 4.])

    Reference: [Li et al., 2018](https://arxiv.org/abs/1712.09913)
    """
    batch_norm = _checks.one_of("batch_norm", batch_norm, ("frozen", "recomputed"))
    batch_size = _checks.integer("batch_size", batch_size, 1)
    jit_compile = _checks.one_of("jit_compile", jit_compile, ("auto", True, False))
    _checks.one_of("verbose", verbose, (0, 1))
    batches = prepared(model, data, batch_size)
    if isinstance(directions, Directions):
        checked(directions.arrays, model, "directions")
    elif _checks.one_of("directions", directions, ("random", "pca")) == "random":
        directions = random_directions(model, dimensions, seed=seed)
    elif trajectory is None:
        raise ValueError("Argument `trajectory` must be given for directions='pca'.")
    else:
        directions = pca_directions(model, trajectory, dimensions)
    path = None
    if trajectory is not None:
        snapshots = checked(snapshots_of(trajectory), model, "trajectory")
        path = directions.coordinates(model, snapshots)
    axes = _axes(directions, points, span)
    grid = np.array(list(itertools.product(*axes)))
    recompute = batch_norm == "recomputed"
    evaluator = Evaluator(model, batches, directions.arrays, loss, recompute, jit_compile)
    center = evaluator.losses(np.zeros((1, len(axes))))[0]
    # The model's own loss tells another state of the model or other data apart.
    store = GridCheckpoint(checkpoint, grid, directions, batches.total, center, batch_norm)
    losses = _evaluate(evaluator, grid, store, verbose)
    shape = [len(axis) for axis in axes]
    return Landscape(model.name, axes, losses.reshape(shape), float(center), directions, path)


def _evaluate(evaluator, grid, store, verbose, chunk=64):
    losses = store.losses
    todo = np.flatnonzero(np.isnan(losses) & ~store.done)
    bar = keras.utils.Progbar(len(grid), verbose=verbose, unit_name="point")
    seen = len(grid) - len(todo)
    # Chunks of one size, so that XLA compiles once.
    chunk = -(-len(todo) // max(1, -(-len(todo) // chunk))) if len(todo) else 1
    for at in range(0, len(todo), chunk):
        rows = todo[at : at + chunk]
        asked = rows
        if evaluator.fixed_size and len(rows) < chunk:
            asked = np.concatenate([rows, np.repeat(rows[-1:], chunk - len(rows))])
        losses[rows] = evaluator.losses(grid[asked])[: len(rows)]
        store.done[rows] = True
        store.save()
        seen += len(rows)
        bar.update(seen)
    return losses


def _axes(directions, points, span):
    count = len(directions)
    points = list(points) if isinstance(points, (tuple, list)) else [points] * count
    if len(points) != count:
        _checks.fail("points", f"be one number or {count} of them", points)
    points = [_checks.integer("points", n, 2) for n in points]
    if span is None:
        spans = directions.spans
    elif isinstance(span, (int, float)):
        half = _checks.number("span", span, "(0, inf)")
        spans = [(-half, half)] * count
    elif len(span) == 2 and not isinstance(span[0], (tuple, list)):
        spans = [tuple(span)] * count
    else:
        spans = list(span)
    if len(spans) != count or any(len(pair) != 2 or not pair[0] < pair[1] for pair in spans):
        _checks.fail("span", f"be a number, (low, high), or {count} such pairs", span)
    return [np.linspace(low, high, n) for (low, high), n in zip(spans, points, strict=True)]
