"""Optimizers racing over test functions of two numbers, still and animated."""

import keras
import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes._names import labelled
from keras_dlnotes.plots._canvas import axes, styles

#: Test functions of two numbers: the function, where to start, the window, and its minimum.
SURFACES = {
    "rosenbrock": (
        lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
        (-1.5, 2.0),
        (-2, 2, -1, 3),
        (1.0, 1.0),
    ),
    "beale": (
        lambda x, y: (
            (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2
        ),
        (1.0, 1.5),
        (-1, 4.5, -2, 2.5),
        (3.0, 0.5),
    ),
    "saddle": (lambda x, y: x**2 - y**2, (-1.5, 1e-3), (-2, 2, -2, 2), None),
}


def race(optimizers, surface="rosenbrock", steps=200, start=None):
    """Runs optimizers on a function of two numbers; returns a dictionary of paths.

    Args:
        optimizers: Dictionary from labels to Keras optimizers or names of them, or a list of
            either; each is used once.
        surface: "rosenbrock", "beale", "saddle", or a function of x and y made of arithmetic.
        steps: Integer. Defaults to 200.
        start: Pair of floats. Defaults to the surface's own.

    Returns:
        Dictionary from names to arrays of shape (steps + 1, 2).
    """
    function, own_start, _, _ = surface_of(surface)
    start = np.asarray(own_start if start is None else start, "float64")
    if np.shape(start) != (2,) or not np.all(np.isfinite(start)):
        _checks.fail("start", "be a pair of numbers", start)
    steps = _checks.integer("steps", steps, 1)
    paths = {}
    for name, optimizer in labelled(optimizers).items():
        optimizer = keras.optimizers.get(optimizer)
        point = keras.Variable(start.astype("float32"), name="point")
        optimizer.build([point])
        path = [start]
        for _ in range(steps):
            here = path[-1]
            # Central differences in float64: exact enough for a picture, on every backend.
            step = 1e-6
            gradient = [
                (function(*(here + step * axis)) - function(*(here - step * axis))) / (2 * step)
                for axis in np.eye(2)
            ]
            optimizer.apply([keras.ops.convert_to_tensor(np.array(gradient, "float32"))], [point])
            path.append(np.array(keras.ops.convert_to_numpy(point), "float64"))
            if not np.all(np.isfinite(path[-1])) or np.abs(path[-1]).max() > 1e6:
                break
        paths[name] = np.array(path)
    return paths


def optimizer_race(paths, surface="rosenbrock", *, ax=None):
    """Draws the paths of `race` over the contours of their surface.

    Args:
        paths: What `race` returned.
        surface: The surface they were run on.
        ax: Axes to draw on. Defaults to None, a new figure.

    Returns:
        The Axes.
    """
    function, _, window, minimum = surface_of(surface)
    ax = axes(ax, 7, 5.5)
    contours(ax, function, window, minimum, surface)
    for (name, path), style in zip(paths.items(), styles(), strict=False):
        label = f"{name} ({len(path) - 1} steps)"
        # The marker, at the end of the path, tells it apart where lines meet.
        ax.plot(*path.T, label=label, linewidth=1.6, markevery=[len(path) - 1], **style)
    ax.legend(loc="best", fontsize=8)
    return ax


def animate_race(paths, surface="rosenbrock", *, ax=None, frames=60, interval=50):
    """The race as an animation; `animation.save("race.gif", writer="pillow")` writes it.

    Args:
        paths: What `race` returned.
        surface: The surface they were run on.
        ax: Axes to draw on. Defaults to None, a new figure.
        frames: Integer. Pictures in the film. Defaults to 60.
        interval: Integer. Milliseconds between them. Defaults to 50.

    Returns:
        A `matplotlib.animation.FuncAnimation`. Keep a reference to it while it plays.
    """
    from matplotlib.animation import FuncAnimation

    function, _, window, minimum = surface_of(surface)
    ax = axes(ax, 7, 5.5)
    contours(ax, function, window, minimum, surface)
    drawn = {}
    for name, style in zip(paths, styles(), strict=False):
        (head,) = ax.plot([], [], style.pop("marker"), color=style["color"])
        (trail,) = ax.plot([], [], label=name, linewidth=1.6, **style)
        drawn[name] = (trail, head)
    ax.legend(loc="best", fontsize=8)
    longest = max(len(path) for path in paths.values())

    def show(frame):
        until = max(1, round((frame + 1) / frames * longest))
        for name, (trail, head) in drawn.items():
            trail.set_data(*paths[name][:until].T)
            head.set_data(*paths[name][:until][-1:].T)
        return [artist for pair in drawn.values() for artist in pair]

    return FuncAnimation(ax.figure, show, frames=frames, interval=interval, blit=True)


def surface_of(surface):
    if callable(surface):
        return surface, (0.0, 0.0), (-2, 2, -2, 2), None
    if surface not in SURFACES:
        known = ", ".join(repr(name) for name in SURFACES)
        raise ValueError(
            f"Argument `surface` must be one of {known}, or a function. "
            f"Received: surface={surface!r}"
        )
    return SURFACES[surface]


def contours(ax, function, window, minimum, name):
    left, right, bottom, top = window
    x, y = np.meshgrid(np.linspace(left, right, 300), np.linspace(bottom, top, 300))
    height = function(x, y)
    # Evenly spaced in the logarithm above the lowest point, since these valleys are flat.
    ax.contourf(x, y, np.log1p(height - height.min()), levels=30, cmap="Greys", alpha=0.6)
    if minimum is not None:
        ax.plot(*minimum, "*", color="black", markersize=14, label="minimum")
    title = name.capitalize() if isinstance(name, str) else "Surface"
    ax.set(xlim=(left, right), ylim=(bottom, top), xlabel="x", ylabel="y", title=title)
