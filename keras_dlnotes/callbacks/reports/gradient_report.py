"""The report of ``GradientMonitor``: one epoch as a table, and what is wrong in words."""

import numpy as np

from keras_dlnotes.callbacks.reports.tables import number, paragraph, table

HEADINGS = ["layer", "norm", "min", "max", "std", "zeros", "weights", "upd/w", "non-finite"]


def gradient_report(monitor):
    history = monitor.history
    if not history:
        return "GradientMonitor has seen no epoch yet."
    clipped = differs(history)
    headings = list(HEADINGS)
    if clipped:
        headings.insert(2, "clipped")
    rows = [row(history, name, clipped) for name in layers_now(monitor, history)]
    singles = {key: history[key][-1] for key in ("epoch", "steps", "skipped", "loss_scale")}
    title = f"Gradients of epoch {singles['epoch'] + 1}, {singles['steps']} optimizer steps"
    if singles["loss_scale"] == singles["loss_scale"]:
        title += f", {singles['skipped']} skipped, loss scale {singles['loss_scale']:g}"
    lines = [title, table(headings, rows)]
    lines += [paragraph(problem.message) for problem in monitor.problems]
    if not monitor.problems:
        lines.append("No problem found.")
    return "\n".join(lines)


def layers_now(monitor, history):
    """Names of the layers watched in the last epoch, then the whole."""
    last = monitor._epochs.rows[-1][1]["gradient_norm"]
    return [name for name in last if monitor._kinds[name] != "variable"]


def differs(history):
    before, after = (history[key]["global"][-1] for key in ("gradient_norm", "clipped_norm"))
    return np.isfinite(after) and before != after


def row(history, name, clipped):
    def last(key):
        return history[key][name][-1]

    cells = [name, number(last("gradient_norm"))]
    if clipped:
        cells.append(number(last("clipped_norm")))
    return [
        *cells,
        number(last("gradient_norm_min")),
        number(last("gradient_norm_max")),
        number(last("gradient_std")),
        number(last("gradient_zeros"), share=True),
        number(last("weight_norm_last")),
        number(last("update_ratio")),
        f"{last('nonfinite'):.0f}",
    ]
