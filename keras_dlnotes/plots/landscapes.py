"""Loss landscapes on a line, on a plane and as a surface."""

import numpy as np

from keras_dlnotes.plots._canvas import axes
from keras_dlnotes.plots._taken import result


def landscape_line(landscape, *, ax=None):
    """Draws the loss along one direction; the model itself is marked.

    Args:
        landscape: What ``diagnostics.loss_landscape`` returned, one-dimensional.
        ax: Axes to draw on. Defaults to None: a new figure.
    """
    _require_dimensions(landscape, 1)
    ax = axes(ax)
    (axis,) = landscape.axes
    ax.plot(axis, landscape.losses, color="black")
    ax.plot([0], [landscape.center], "*", color="#d55e00", ms=13, mec="black", label="the model")
    if landscape.losses.size and _is_steep(landscape.losses):
        ax.set_yscale("log")
    ax.set_xlabel(_along(landscape, 0))
    ax.set_ylabel("loss")
    ax.set_title(f"{landscape.name}: loss on a line", fontsize=10)
    ax.legend()
    return ax


def landscape_contour(landscape, *, ax=None, levels=20):
    """Draws the loss on a plane as contour lines, with the trajectory of training if there is one.

    Levels lie evenly on a logarithmic scale where the loss spans more than a factor of 20.

    Args:
        landscape: What ``diagnostics.loss_landscape`` returned, two-dimensional.
        ax: Axes to draw on. Defaults to None: a new figure.
        levels: How many contour lines. Defaults to 20.
    """
    _require_dimensions(landscape, 2)
    ax = axes(ax, 6.4, 5.2)
    from matplotlib.colors import LogNorm

    first, second = landscape.axes
    # A missing value (overflow far from the minimum) leaves a hole and does not spoil the rest.
    z = np.ma.masked_invalid(landscape.losses.T)
    low, high = float(z.min()), float(z.max())
    if _is_steep(z.compressed()):
        heights, norm = np.geomspace(low, high, levels), LogNorm(low, high)
    else:
        heights, norm = np.linspace(low, high if high > low else low + 1, levels), None
    ax.contourf(first, second, z, heights, cmap="cividis", norm=norm, extend="both", alpha=0.6)
    lines = ax.contour(first, second, z, heights, colors="black", linewidths=0.7)
    ax.clabel(lines, lines.levels[::3], fontsize=7, fmt="%.3g")
    if landscape.trajectory is not None:
        x, y = landscape.trajectory.T
        ax.plot(x, y, "-", color="white", linewidth=4)
        ax.plot(x, y, "o-", color="black", ms=4, mec="white", label="training")
        ax.set_xlim(first[0], first[-1])
        ax.set_ylim(second[0], second[-1])
    ax.plot([0], [0], "*", color="#d55e00", ms=13, mec="black", label="the model")
    ax.set_xlabel(_along(landscape, 0))
    ax.set_ylabel(_along(landscape, 1))
    ax.set_title(f"{landscape.name}: loss on a plane", fontsize=10)
    ax.legend(loc="upper right", fontsize=8)
    return ax


def landscape_surface(landscape, *, ax=None, log=None):
    """Draws the loss on a plane as a surface in three dimensions.

    Args:
        landscape: What ``diagnostics.loss_landscape`` returned, two-dimensional.
        ax: Axes with ``projection="3d"``. Defaults to None: a new figure.
        log: Whether the height is the logarithm of the loss. Defaults to None: where the loss
            spans more than a factor of 20.
    """
    _require_dimensions(landscape, 2)
    ax = axes(ax, 7.2, 5.6, projection="3d")
    from matplotlib.ticker import MaxNLocator

    first, second = np.meshgrid(*landscape.axes, indexing="ij")
    z = np.where(np.isfinite(landscape.losses), landscape.losses, np.nan)
    log = _is_steep(z[np.isfinite(z)]) if log is None else log
    height = np.log10(z) if log else z
    ax.plot_surface(
        first,
        second,
        height,
        cmap="cividis",
        edgecolor="0.25",
        linewidth=0.25,
        rstride=1,
        cstride=1,
    )
    ax.set_xlabel(_along(landscape, 0, short=True))
    ax.set_ylabel(_along(landscape, 1, short=True))
    ax.set_zlabel("log10 loss" if log else "loss")
    for side in (ax.xaxis, ax.yaxis):
        side.set_major_locator(MaxNLocator(5))
        side.labelpad = 8
    ax.set_box_aspect(None, zoom=0.88)
    ax.set_title(f"{landscape.name}: loss on a plane", fontsize=10)
    return ax


def _require_dimensions(landscape, dimensions):
    result("landscape", landscape, "dimensions", "`diagnostics.loss_landscape` returned")
    if landscape.dimensions != dimensions:
        raise ValueError(
            f"Argument `landscape` must have {dimensions} dimension(s). "
            f"Received one with {landscape.dimensions}."
        )


def _is_steep(losses):
    return losses.size > 0 and losses.min() > 0 and losses.max() > 20 * losses.min()


def _along(landscape, k, short=False):
    """The label of an axis: which direction, and its share of the variance under PCA."""
    directions = landscape.directions
    if directions.explained is not None:
        return f"component {k + 1} ({directions.explained[k]:.0%} of the variance)"
    return f"direction {k + 1}" if short else f"direction {k + 1} ({directions.kind})"
