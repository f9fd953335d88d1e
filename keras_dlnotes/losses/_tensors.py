"""Targets and predictions as tensors that fit each other."""

import keras
from keras import ops

HALVES = ("float16", "bfloat16")


def dtype_of(x):
    return keras.backend.standardize_dtype(x.dtype)


def widened(x):
    """``x`` in float32 if it comes in half precision."""
    return ops.cast(x, "float32") if dtype_of(x) in HALVES else x


def pair(y_true, y_pred):
    """Both as tensors of one float dtype and one rank; also the dtype the result should have."""
    y_pred = ops.convert_to_tensor(y_pred)
    if "float" not in dtype_of(y_pred):
        y_pred = ops.cast(y_pred, keras.config.floatx())
    result_dtype = dtype_of(y_pred)
    wide = "float32" if result_dtype in HALVES else result_dtype
    y_true = ops.convert_to_tensor(y_true, dtype=wide)
    return (*_same_rank(y_true, y_pred), result_dtype)


def _same_rank(y_true, y_pred):
    """(n,) goes with (n, 1); of (a, b) and (a, b, 1) the longer gives way, as in Keras."""
    gap = len(y_true.shape) - len(y_pred.shape)
    if gap == 1 and y_true.shape[-1] == 1:
        if len(y_pred.shape) == 1:
            return y_true, ops.expand_dims(y_pred, -1)
        return ops.squeeze(y_true, -1), y_pred
    if gap == -1 and y_pred.shape[-1] == 1:
        if len(y_true.shape) == 1:
            return ops.expand_dims(y_true, -1), y_pred
        return y_true, ops.squeeze(y_pred, -1)
    return y_true, y_pred


def must_match(y_true, y_pred, shape=None):
    """``y_true`` has the shape of ``y_pred``, as far as both are known."""
    shape = tuple(y_pred.shape) if shape is None else shape
    sizes = zip(y_true.shape, shape, strict=False)
    if len(y_true.shape) != len(shape) or any(None not in (a, b) and a != b for a, b in sizes):
        raise ValueError(
            "Arguments `y_true` and `y_pred` must have the same shape, up to the classes if "
            f"`y_true` holds class numbers. Received: y_true.shape={tuple(y_true.shape)}, "
            f"y_pred.shape={tuple(y_pred.shape)}"
        )
