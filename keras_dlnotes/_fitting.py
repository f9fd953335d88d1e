"""Over-fitting and under-fitting, told from the two learning curves."""

import dataclasses

import numpy as np

OVER = (
    "more data, dropout, L1 / L2 penalties, a smaller net, or early stopping at epoch {epoch} with "
    "the best weights restored"
)
UNDER = "a wider or deeper net, less regularization, a higher learning rate, or more epochs"
MORE = "train for more epochs"


@dataclasses.dataclass
class Fit:
    """What the curves show.

    Attributes:
        verdict: "over-fitting", "under-fitting", "still improving", "not learning" or "good".
        epoch: Where the validation loss was lowest, counted from 1.
        gap: Validation loss over training loss there, minus one.
        text: The verdict in words, with the remedy.
    """

    verdict: str
    epoch: int
    gap: float
    text: str

    def __str__(self):
        return self.text


def judge_fit(loss, val_loss=None, baseline=None, *, rise=0.05, patience=3, improving=0.01):
    """Tells over-fitting, under-fitting and unfinished training apart.

    In this order: a loss that is no longer a number, or that never fell, is not learning; the
    validation loss at the end `rise` above its minimum while the training loss went on falling is
    over-fitting, from the epoch after the minimum; a training loss above half of `baseline` is
    under-fitting; a validation loss that still falls by `improving` an epoch is unfinished.

    Args:
        loss, val_loss: One number an epoch; or what `fit` returns, which holds both, alone.
        baseline: Loss of the best constant prediction, if known: the mean, or the classes' shares.
        rise: Float. Relative rise of the validation loss that counts. Defaults to 0.05.
        patience: Integer. Epochs since the minimum before a rise counts. Defaults to 3.
        improving: Float. Relative fall an epoch that counts as going on. Defaults to 0.01.

    Example:
        >>> print(judge_fit([1, 0.5, 0.3, 0.2, 0.1, 0.05], [1, 0.6, 0.5, 0.6, 0.7, 0.8]))
        over-fitting from epoch 4: the validation loss rose from 0.5 to 0.8 while the training loss
        fell to 0.05. Remedies: more data, dropout, L1 / L2 penalties, a smaller net, or early
        stopping at epoch 3 with the best weights restored
    """
    if val_loss is None:
        loss, val_loss = _both(loss)
    loss, val_loss = np.asarray(loss, "float64"), np.asarray(val_loss, "float64")
    if loss.ndim != 1 or loss.shape != val_loss.shape or not len(loss):
        raise ValueError(
            "`loss` and `val_loss` must hold one number an epoch each. "
            f"Received: shapes {loss.shape} and {val_loss.shape}"
        )
    if not np.all(np.isfinite(loss)):
        epoch = int(np.argmin(np.isfinite(loss))) + 1
        text = (
            f"not learning: the training loss is {loss[epoch - 1]} from epoch {epoch}. Remedies: "
        )
        text += "a lower learning rate, gradient clipping, scaled features"
        return Fit("not learning", epoch, float("nan"), text)
    best = int(np.nanargmin(val_loss)) if np.any(np.isfinite(val_loss)) else 0
    lowest, last = val_loss[best], val_loss[-1]
    gap = float(lowest / loss[best] - 1) if loss[best] else float("inf")

    def fit(verdict, text):
        return Fit(verdict, best + 1, gap, f"{verdict}{text}")

    since = len(loss) - 1 - best
    if since >= patience and last > lowest * (1 + rise) and loss[-1] < loss[best]:
        return fit(
            "over-fitting",
            f" from epoch {best + 2}: the validation loss rose from {lowest:.3g} to {last:.3g} "
            f"while the training loss fell to {loss[-1]:.3g}. Remedies: "
            + OVER.format(epoch=best + 1),
        )
    if len(loss) > 1 and loss.min() > loss[0] * (1 - improving):
        return fit(
            "not learning", f": the training loss stayed at {loss[-1]:.3g}. Remedies: {UNDER}"
        )
    recent = val_loss[-min(patience + 1, len(val_loss)) :]
    falling = len(recent) > 1 and recent[-1] < recent[0] * (1 - improving) ** (len(recent) - 1)
    if baseline is not None and loss[-1] > baseline / 2:
        share = loss[-1] / baseline
        remedy = MORE if falling else UNDER
        return fit(
            "under-fitting",
            f": the training loss {loss[-1]:.3g} is {share:.0%} of what a constant prediction "
            f"gives. Remedies: {remedy}",
        )
    if falling:
        return fit("still improving", f": the validation loss fell to {last:.3g}. Remedy: {MORE}")
    return fit("good", f": the validation loss {lowest:.3g} at epoch {best + 1} is near the end's")


def _both(history):
    curves = getattr(history, "history", history)
    if not isinstance(curves, dict):
        raise ValueError("`judge_fit` needs a training loss and a validation loss, or a history")
    if not {"loss", "val_loss"} <= set(curves):
        raise ValueError(
            "The history must hold `loss` and `val_loss`: give `fit` validation data. "
            f"Received: {', '.join(map(repr, curves))}"
        )
    return curves["loss"], curves["val_loss"]
