"""What kind of learning a set of labels asks for, told from the labels."""

import dataclasses

import numpy as np

TASKS = ("regression", "binary", "multiclass", "multiclass_one_hot")


@dataclasses.dataclass(frozen=True)
class Task:
    """A task and all that follows from it.

    Attributes:
        name: One of "regression", "binary", "multiclass", "multiclass_one_hot".
        outputs: Units of the last layer.
        loss: Config-free name of the loss, of `keras_dlnotes.losses`.
        metric: Keras metric beside the loss.
        reason: What in the labels decided it.
    """

    name: str
    outputs: int
    loss: str
    metric: str
    reason: str


def detect(y, task="auto"):
    """Tells the task from the labels, or checks that the labels fit the task named.

    Integers 0 and 1 in one column are binary, integers 0 ... K-1 multi-class, rows with a single 1
    one-hot, and everything that is not whole numbers regression. Whole numbers that are no such
    labels, such as counts, are refused with the ways out, rather than guessed at.

    Args:
        y: Array of labels, one row an example.
        task: "auto" or the name of a task. Defaults to "auto".

    Example:
        >>> detect(np.array([0, 1, 1])).name
        'binary'
        >>> detect(np.array([[0, 1, 0], [0, 0, 1]])).loss
        'CategoricalCrossentropy'
        >>> detect(np.array([1.5, 2.0])).loss
        'MeanSquaredError'
    """
    if task not in ("auto", *TASKS):
        names = ", ".join(repr(name) for name in ("auto", *TASKS))
        raise ValueError(f"Argument `task` must be one of {names}. Received: task={task!r}")
    y = np.asarray(y)
    if not y.size:
        raise ValueError(f"`y` must hold labels. Received: an array of shape {y.shape}")
    if y.dtype == bool:
        y = y.astype("int64")
    if y.dtype.kind not in "iuf":
        raise ValueError(
            "Labels must be numbers; number the classes 0 ... K-1 (numpy.unique with "
            f"return_inverse=True does). Received: y of dtype {y.dtype}, for example {y.flat[0]!r}"
        )
    bad = ~np.isfinite(y)
    if bad.any():
        raise ValueError(f"Labels must be finite. Received: {int(bad.sum())} NaN or infinite")
    single = y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1)
    if task == "regression":
        return _regression(y, single, "named by the caller")
    whole = bool(np.all(y == np.round(y)))
    if single:
        return _one_column(y.ravel(), whole, task)
    if y.ndim != 2:
        raise ValueError(f"Labels must have one or two dimensions. Received: shape {y.shape}")
    one_hot = whole and bool(np.all((y == 0) | (y == 1)) and np.all(y.sum(1) == 1))
    if one_hot and task in ("auto", "multiclass_one_hot"):
        reason = f"each row has a single 1 among {y.shape[1]} columns"
        return Task("multiclass_one_hot", y.shape[1], "CategoricalCrossentropy", "accuracy", reason)
    if task != "auto":
        wanted = "rows with a single 1" if task == "multiclass_one_hot" else "a single column"
        raise ValueError(f"Task {task!r} wants {wanted}. Received: y of shape {y.shape}")
    if whole and np.all((y == 0) | (y == 1)):
        reason = f"{y.shape[1]} columns of 0 and 1, several at a time"
        return Task("binary", y.shape[1], "BinaryCrossentropy", "accuracy", reason)
    return _regression(y, single, f"{y.shape[1]} columns of real numbers")


def _regression(y, single, reason):
    return Task("regression", 1 if single else y.shape[1], "MeanSquaredError", "mae", reason)


def _one_column(y, whole, task):
    classes = np.unique(y)
    if not whole:
        if task != "auto":
            raise ValueError(
                f"Task {task!r} wants whole numbers as labels. Received: {classes[:5].tolist()}"
            )
        return _regression(y, True, "real numbers")
    if len(classes) == 1 and task == "auto":
        raise ValueError(
            f"All labels are the same, so there is nothing to learn. Received: {classes[0]}"
        )
    counted = classes[0] >= 0 and classes[-1] < max(len(classes), 2)
    if counted and len(classes) <= 2 and task in ("auto", "binary"):
        return Task("binary", 1, "BinaryCrossentropy", "accuracy", "labels 0 and 1")
    outputs = int(classes[-1]) + 1
    # A class or two may be missing from a small sample; most of them may not.
    dense = classes[0] >= 0 and len(classes) > outputs / 2
    if dense and task in ("auto", "multiclass"):
        reason = f"whole numbers 0 ... {outputs - 1}"
        return Task("multiclass", outputs, "SparseCategoricalCrossentropy", "accuracy", reason)
    raise ValueError(
        "Whole-number labels must be 0 and 1 (binary) or 0 ... K-1 (multi-class); renumber them "
        '(numpy.unique with return_inverse=True does), or pass task="regression" if they are '
        f"quantities. Received: {len(classes)} different, from {classes[0]} to {classes[-1]}"
        + ("" if task == "auto" else f", for task {task!r}")
    )
