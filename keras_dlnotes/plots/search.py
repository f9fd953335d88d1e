"""The trials of a hyper-parameter search."""

from keras_dlnotes.plots import _taken
from keras_dlnotes.plots._canvas import grid


def tuning(result, *, ax=None):
    """Draws the score of each trial against each hyper-parameter that varied.

    Args:
        result: What `keras_dlnotes.tuning.tune` returned.
        ax: Axes, one for each, or one to be divided. Defaults to None, a new figure.

    Returns:
        The list of Axes.
    """
    trials = _taken.result("result", result, "trials", "`tuning.tune` returned").trials
    rows = [row for row in trials if row["score"] is not None]
    if not rows:
        raise ValueError("No trial was completed, so there is nothing to draw.")
    names = [
        name
        for name in rows[0]
        if name not in ("trial", "status", "score", "best_epoch")
        and len({str(r[name]) for r in rows}) > 1
    ]
    drawn = grid(max(len(names), 1), ax)
    scores = [row["score"] for row in rows]
    for name, part in zip(names, drawn, strict=False):
        values = [row[name] for row in rows]
        numeric = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
        positions = values
        if not numeric or len(set(values)) <= 4:
            kinds = sorted(set(values), key=None if numeric else str)
            positions = [kinds.index(value) for value in values]
            texts = [f"{kind:g}" if numeric else str(kind) for kind in kinds]
            part.set_xticks(range(len(kinds)), texts)
            part.set_xlim(-0.5, len(kinds) - 0.5)
        elif min(values) > 0 and max(values) / min(values) > 30:
            part.set_xscale("log")
        part.plot(positions, scores, "o", color="#0072B2", alpha=0.7)
        part.plot(positions[:1], scores[:1], "*", color="#D55E00", markersize=14, label="best")
        part.set(xlabel=name, ylabel=result.objective)
    drawn[0].legend()
    return drawn
