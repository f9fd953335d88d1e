"""Pictures of what the other rooms return; the only user of matplotlib.

Each function takes ``ax=`` and returns the Axes it drew on. Without ``ax`` it makes a figure.
"""

import numpy as np

__all__ = [
    "backprop_trace",
    "gradient_check",
    "gradient_profile",
    "gradients",
    "landscape_contour",
    "landscape_line",
    "landscape_surface",
    "learning_rate_finder",
    "optimizer_comparison",
    "pixels",
    "schedule",
]


def _pyplot():
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError('Pictures need matplotlib: pip install "keras-dlnotes[plots]"') from error
    return plt


def _axes(ax, width=6.4, height=4.8, projection=None):
    """The given Axes, or those of a new figure of this size in inches."""
    plt = _pyplot()
    if ax is not None:
        return ax
    _, ax = plt.subplots(
        figsize=(width, height), layout="constrained", subplot_kw={"projection": projection}
    )
    return ax


def backprop_trace(trace, *, ax=None):
    """Draws the way of the gradient from the loss down to the inputs.

    Each box is one call of a layer with its local gain; each arrow carries the norm of the
    gradient that is handed back, in figures and in its width (logarithmic).

    Args:
        trace: What ``diagnostics.backprop_trace`` returned.
        ax: Axes to draw on. Defaults to None: a new figure, as high as the chain is long.
    """
    _pyplot()
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    last = len(trace.calls)
    used = {edge.source for edge in trace.edges} | {edge.consumer for edge in trace.edges}
    inputs = sorted({edge.name for edge in trace.edges if edge.source == -1})
    boxes = [*(("input", name) for name in inputs), *(n for n in range(last) if n in used), last]

    def start(edge):
        return ("input", edge.name) if edge.source == -1 else edge.source

    level = {}
    for box in boxes:  # Calls are in order of evaluation, so sources come before consumers.
        below = [level[start(e)] for e in trace.edges if e.consumer == box and start(e) in level]
        level[box] = 1 + max(below, default=-1)
    # A row each: calls on the same level stand side by side.
    rows = {}
    for box in boxes:
        rows.setdefault(level[box], []).append(box)
    spot = {
        box: (k - (len(row) - 1) / 2, height)
        for height, row in rows.items()
        for k, box in enumerate(row)
    }
    wide = max(map(len, rows.values()))
    ax = _axes(ax, 3.2 + 2.6 * wide, 1 + 0.62 * (max(rows) + 1))

    norms = np.array([edge.norm for edge in trace.edges if edge.norm > 0])
    low, high = np.log10([norms.min(), norms.max()]) if norms.size else (0, 1)
    for edge in trace.edges:
        (x0, y0), (x1, y1) = spot[edge.consumer], spot[start(edge)]
        share = (np.log10(edge.norm) - low) / max(high - low, 1e-9) if edge.norm > 0 else 0
        # An edge past other boxes of its own column goes round them on the left.
        aside = 0.95 if y0 - y1 > 1 and abs(x0 - x1) < 0.5 else 0
        points = [(x0, y0 - 0.27), (x0 - aside, y0 - 0.9), (x1 - aside, y1 + 0.9), (x1, y1 + 0.27)]
        ax.add_patch(
            FancyArrowPatch(
                path=Path(points, [Path.MOVETO, *[Path.CURVE4] * 3])
                if aside
                else Path([points[0], points[-1]]),
                arrowstyle="-|>",
                mutation_scale=8 + 8 * share,
                linewidth=0.6 + 4 * share,
                color=str(0.65 - 0.5 * share),
                linestyle="-" if edge.norm > 0 else ":",
                zorder=1,
            )
        )
        # Beside an upright arrow, else on it; on a long one before it passes any box.
        upright = not aside and abs(x0 - x1) < 0.1
        part = 0.5 if aside or y0 - y1 == 1 else 0.8 / (y0 - y1)
        ax.text(
            x0 + part * (x1 - x0) - 0.75 * aside + 0.07 * upright,
            y0 + part * (y1 - y0),
            f"{edge.norm:.1e}" + (f" ×{edge.times}" if edge.times > 1 else ""),
            ha="left" if upright else "center",
            va="center",
            fontsize=8,
            zorder=3,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "linewidth": 0},
        )
    for box, (x, y) in spot.items():
        if box == last:
            text = f"loss {trace.loss:.4g}"
        elif isinstance(box, tuple):
            text = box[1]
        else:
            call = trace.calls[box]
            text = call.name + ("" if np.isnan(call.gain) else f"\ngain {call.gain:.2g}")
            if call.activation_gain is not None:
                text += f" (activation {call.activation_gain:.2g})"
        plain = box == last or isinstance(box, tuple)
        ax.text(
            x,
            y,
            text,
            ha="center",
            va="center",
            fontsize=8,
            zorder=4,
            bbox={
                "boxstyle": "round,pad=0.3",
                "facecolor": "#dddddd" if plain else "white",
                "edgecolor": "black",
                "linewidth": 0.8,
            },
        )
    ax.set_xlim(-wide / 2 - 0.35, wide / 2 + 0.15)
    ax.set_ylim(-0.6, max(rows) + 0.6)
    ax.set_title(f"{trace.name}: size of the gradient handed back", fontsize=10)
    ax.set_axis_off()
    return ax


def gradient_check(check, *, ax=None):
    """Draws the relative error of every compared entry, a row for each variable.

    Entries on the right of the dashed line are wrong.

    Args:
        check: What ``diagnostics.gradient_check`` returned.
        ax: Axes to draw on. Defaults to None: a new figure.
    """
    ax = _axes(ax, 7, 1.4 + 0.3 * len(check.variables))
    for row, variable in enumerate(check.variables):
        errors = variable.errors[np.isfinite(variable.errors)]
        wrong = errors > check.tolerance
        shown = np.maximum(errors, 1e-17)  # Exact agreement has no logarithm.
        ax.plot(shown[~wrong], np.full((~wrong).sum(), row), "o", color="0.35", ms=4, mfc="none")
        ax.plot(shown[wrong], np.full(wrong.sum(), row), "X", color="#d55e00", ms=8)
    ax.axvline(check.tolerance, color="black", linestyle="--", linewidth=1)
    ax.set_xscale("log")
    ax.set_yticks(range(len(check.variables)), [v.name for v in check.variables], fontsize=8)
    ax.set_ylim(len(check.variables) - 0.5, -0.5)
    ax.set_xlabel("relative error of analytic gradient against central difference")
    ax.set_title(f"{check.name}: {'all right' if check.ok else 'wrong gradients'}", fontsize=10)
    return ax


def gradients(monitor, ax=None):
    """Draws each layer's gradient norm over the epochs, and the last epoch's profile.

    Args:
        monitor: A ``callbacks.GradientMonitor`` after a fit.
        ax: A pair of Axes. Defaults to None: a new figure.
    """
    if ax is None:
        _, ax = _pyplot().subplots(1, 2, figsize=(11, 4), layout="constrained")
    over_epochs, profile = ax
    norms = monitor.layer_norms()
    colours = _pyplot().get_cmap("viridis")(np.linspace(0, 0.9, len(norms)))
    for (name, values), colour in zip(norms.items(), colours, strict=True):
        shown = np.where(values > 0, values, np.nan)  # Zero has no logarithm.
        over_epochs.plot(shown, "o-", ms=3, lw=1, color=colour, label=name)
    over_epochs.set_yscale("log")
    over_epochs.set_xlabel("epoch")
    over_epochs.set_ylabel("gradient norm (mean over the epoch)")
    over_epochs.xaxis.get_major_locator().set_params(integer=True)
    if len(norms) <= 12:
        over_epochs.legend(fontsize=7)
    gradient_profile(monitor, profile)
    return ax


def gradient_profile(monitor, ax=None):
    """Draws the last epoch's gradient norm of each layer, from the input to the output.

    A straight line falling towards the input is a gradient that vanishes layer by layer.

    Args:
        monitor: A ``callbacks.GradientMonitor`` after a fit.
        ax: Axes to draw on. Defaults to None: a new figure.
    """
    ax = _axes(ax)
    history, names = monitor.history, list(monitor.layer_norms())
    places = np.arange(len(names))
    rows = {
        key: np.array([history["gradient_norm" + key][name][-1] for name in names])
        for key in ("", "_min", "_max")
    }
    low, high = (np.where(rows[key] > 0, rows[key], np.nan) for key in ("_min", "_max"))
    ax.vlines(places, low, high, color="0.7", lw=6, label="least to largest of the epoch")
    ax.plot(places, np.where(rows[""] > 0, rows[""], np.nan), "o-", color="black", label="mean")
    ax.set_yscale("log")
    ax.set_xticks(places, names, rotation=60, ha="right", fontsize=7)
    ax.set_ylabel("gradient norm")
    ax.set_title(f"Epoch {history['epoch'][-1]}: from input to output", fontsize=10)
    ax.legend(fontsize=7)
    return ax


def learning_rate_finder(curve, *, ax=None):
    """Draws loss against learning rate, the smoothed line, and the suggested rates on it.

    Args:
        curve: What ``callbacks.LearningRateFinder.find`` returned.
        ax: Axes to draw on. Defaults to None: a new figure.
    """
    ax = _axes(ax)
    rates, smoothed = curve.learning_rates, curve.smoothed
    ax.plot(rates, curve.losses, color="0.75", linewidth=1, label="each batch")
    ax.plot(rates, smoothed, color="black", label="smoothed")
    for (name, rate), marker in zip(curve.suggestions.items(), "osD", strict=True):
        if rate is not None:
            height = np.interp(rate, rates, smoothed)
            label = f"{name.replace('_', ' ')}: {rate:.1e}"
            ax.plot([rate], [height], marker, markersize=7, label=label)
    ax.set_xscale("log")
    if len(smoothed):
        # One huge loss at the end must not flatten the valley that the picture is about.
        low, start = smoothed.min(), smoothed[: max(len(smoothed) // 10, 1)].max()
        ax.set_ylim(low - 0.1 * (start - low or 1), start + 0.5 * (start - low or 1))
    ax.set_xlabel("learning rate")
    ax.set_ylabel("loss")
    ax.legend()
    return ax


def optimizer_comparison(histories, *, metric="loss", ax=None):
    """Draws one metric of several trainings over the epochs, a line for each.

    Args:
        histories: What ``optimizers.compare`` returned.
        metric: Name of the metric. Defaults to "loss".
        ax: Axes to draw on. Defaults to None: a new figure.
    """
    ax = _axes(ax)
    lowest = np.inf
    for name, history in histories.items():
        line = history[metric]
        ax.plot(np.arange(1, len(line) + 1), line, label=name)
        lowest = min(lowest, np.min(line, where=np.isfinite(line), initial=np.inf))
    if lowest > 0 and "loss" in metric:
        ax.set_yscale("log")
    ax.set_xlabel("epoch")
    ax.set_ylabel(metric)
    ax.legend()
    return ax


def schedule(schedule, steps, *, ax=None):
    """Draws a schedule over its steps.

    Args:
        schedule: One of ``schedules``.
        steps: Integer, for steps 0, 1, ..., or the steps themselves.
        ax: Axes to draw on. Defaults to None: a new figure.
    """
    ax = _axes(ax)
    x = np.arange(steps) if np.ndim(steps) == 0 else np.asarray(steps)
    ax.plot(x, schedule.curve(x), label=schedule.name)
    ax.set_xlabel("step")
    ax.set_ylabel("value")
    ax.legend()
    return ax


def landscape_line(landscape, *, ax=None):
    """Draws the loss along one direction; the model itself is marked.

    Args:
        landscape: What ``diagnostics.loss_landscape`` returned, one-dimensional.
        ax: Axes to draw on. Defaults to None: a new figure.
    """
    _require_dimensions(landscape, 1)
    ax = _axes(ax)
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
    ax = _axes(ax, 6.4, 5.2)
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
    ax = _axes(ax, 7.2, 5.6, projection="3d")
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


def pixels(ax):
    """The figure of these Axes as an array of (height, width, 3) bytes; the figure is closed."""
    plt = _pyplot()
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    image = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    plt.close(ax.figure)
    return image


def _require_dimensions(landscape, dimensions):
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
