"""The way of the gradient through a model, and its check against differences."""

import numpy as np

from keras_dlnotes.plots._canvas import axes, pyplot
from keras_dlnotes.plots._taken import result


def backprop_trace(trace, *, ax=None):
    """Draws the way of the gradient from the loss down to the inputs.

    Each box is one call of a layer with its local gain; each arrow carries the norm of the
    gradient that is handed back, in figures and in its width (logarithmic).

    Args:
        trace: What ``diagnostics.backprop_trace`` returned.
        ax: Axes to draw on. Defaults to None: a new figure, as high as the chain is long.
    """
    result("trace", trace, "edges", "`diagnostics.backprop_trace` returned")
    pyplot()
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
    ax = axes(ax, 3.2 + 2.6 * wide, 1 + 0.62 * (max(rows) + 1))

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
    result("check", check, "tolerance", "`diagnostics.gradient_check` returned")
    ax = axes(ax, 7, 1.4 + 0.3 * len(check.variables))
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
