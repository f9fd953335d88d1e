"""Losses: Keras' names, arguments and numbers, and the notes' forms of them by keyword.

Each comes as a function, one number for each example, and as a class, which also weights, masks and
reduces. A class differs from Keras' in this:

- With `dtype="float16"` or `"bfloat16"` everything is computed in float32 and only the result is of
  that dtype, so that neither the logarithm of a rounded probability nor the sum over a large batch
  overflows, and class numbers stay exact.
- All arguments are part of the config, so `delta`, `axis` and `dtype` survive saving.
"""

import warnings

import keras
from keras import ops

# The last step of every Keras loss: weights, masks, reductions, replicas.
from keras.src.backend import get_keras_mask, set_keras_mask
from keras.src.losses.loss import reduce_weighted_values

from keras_dlnotes._checks import boolean, integer, number, one_of
from keras_dlnotes._saving import serializable

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Huber",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SoftmaxLogLoss",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "huber",
    "mean_absolute_error",
    "mean_squared_error",
    "softmax_log_loss",
    "sparse_categorical_crossentropy",
]

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)
HALVES = ("float16", "bfloat16")


def _dtype(x):
    return keras.backend.standardize_dtype(x.dtype)


def _widened(x):
    """``x`` in float32 if it comes in half precision."""
    return ops.cast(x, "float32") if _dtype(x) in HALVES else x


def _pair(y_true, y_pred):
    """Both as tensors of one float dtype and one rank; also the dtype the result should have."""
    y_pred = ops.convert_to_tensor(y_pred)
    if "float" not in _dtype(y_pred):
        y_pred = ops.cast(y_pred, keras.config.floatx())
    result_dtype = _dtype(y_pred)
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


def _must_match(y_true, y_pred, shape=None):
    """``y_true`` has the shape of ``y_pred``, as far as both are known."""
    shape = tuple(y_pred.shape) if shape is None else shape
    sizes = zip(y_true.shape, shape, strict=False)
    if len(y_true.shape) != len(shape) or any(None not in (a, b) and a != b for a, b in sizes):
        raise ValueError(
            "Arguments `y_true` and `y_pred` must have the same shape, up to the classes if "
            f"`y_true` holds class numbers. Received: y_true.shape={tuple(y_true.shape)}, "
            f"y_pred.shape={tuple(y_pred.shape)}"
        )


def _behind_activation(y_pred, from_logits, loss):
    """The logits a softmax or sigmoid was made from, if it remembers them, else ``y_pred``.

    As in Keras on TensorFlow: no probability then needs clipping, and no gradient gets lost.
    """
    logits = getattr(y_pred, "_keras_logits", None)
    if logits is None or keras.backend.backend() != "tensorflow":
        return y_pred, from_logits
    if from_logits:
        warnings.warn(
            f"`{loss}` has `from_logits=True`, but `y_pred` comes from a softmax or a sigmoid; "
            "the logits behind it are used.",
            stacklevel=3,
        )
    return logits, True


def _clipped(probabilities, dtype):
    """Probabilities, once of ``dtype``, away from 0 and 1 so that logarithms stay finite."""
    # Below the smallest normal float16 not even the gradient, 1 / p, could be held.
    low = 2.0**-14 if dtype == "float16" else keras.config.epsilon()
    return ops.clip(probabilities, low, 1.0 - keras.config.epsilon())


def _log_softmax(logits, axis):
    logits = _widened(logits)
    logits = logits - ops.stop_gradient(ops.max(logits, axis=axis, keepdims=True))
    return logits - ops.log(ops.sum(ops.exp(logits), axis=axis, keepdims=True))


def _log_probabilities(y_pred, from_logits, axis):
    if from_logits:
        return _log_softmax(y_pred, axis)
    wide = _widened(y_pred)
    return ops.log(_clipped(wide / ops.sum(wide, axis=axis, keepdims=True), _dtype(y_pred)))


# ---------------------------------------------------------------------------------- functions


@serializable
def mean_squared_error(y_true, y_pred, *, form="1/n"):
    """The squared error of each example, in one of three forms.

    `mean((y_true - y_pred) ** 2)` with `form="1/n"`, `sum((y_true - y_pred) ** 2) / 2` with
    `"1/2"`, `mean((y_true - y_pred) ** 2) / 2` with `"1/2n"`, over the last axis.

    Args:
        y_true: Targets.
        y_pred: Predictions, of the same shape.
        form: `"1/n"`, Keras' own, `"1/2"` or `"1/2n"`. Defaults to `"1/n"`.

    Example:
        >>> mean_squared_error([[1.0, 2.0]], [[1.0, 4.0]]).numpy()
        array([2.], dtype=float32)
    """
    y_true, y_pred, dtype = _pair(y_true, y_pred)
    squares = ops.square(_widened(y_pred) - y_true)
    if form == "1/2":
        error = 0.5 * ops.sum(squares, axis=-1)
    else:
        error = (0.5 if form == "1/2n" else 1.0) * ops.mean(squares, axis=-1)
    return ops.cast(error, dtype)


@serializable
def mean_absolute_error(y_true, y_pred):
    """The mean absolute error of each example, `mean(|y_true - y_pred|)` over the last axis.

    Args:
        y_true: Targets.
        y_pred: Predictions, of the same shape.

    Example:
        >>> mean_absolute_error([[1.0, 2.0]], [[1.0, 4.0]]).numpy()
        array([1.], dtype=float32)
    """
    y_true, y_pred, dtype = _pair(y_true, y_pred)
    return ops.cast(ops.mean(ops.abs(_widened(y_pred) - y_true), axis=-1), dtype)


@serializable
def huber(y_true, y_pred, delta=1.0):
    """Squared error near the target, absolute error far from it, of each example.

    `mean(e ** 2 / 2 if e <= delta else delta * e - delta ** 2 / 2)` over the last axis, with
    `e = |y_true - y_pred|`.

    Args:
        y_true: Targets.
        y_pred: Predictions, of the same shape.
        delta: Float > 0. Where the square ends. Defaults to 1.

    Example:
        >>> huber([[1.0, 2.0]], [[1.5, 5.0]]).numpy()
        array([1.3125], dtype=float32)
    """
    y_true, y_pred, dtype = _pair(y_true, y_pred)
    error = ops.abs(_widened(y_pred) - y_true)
    # Without a branch, so that no great error is ever squared.
    near = ops.minimum(error, delta)
    return ops.cast(ops.mean(0.5 * near * near + delta * (error - near), axis=-1), dtype)


@serializable
def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """The cross-entropy of each example between yes-or-no labels and their probabilities.

    `-mean(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred))`; from logits
    `mean(log(1 + exp(y_pred)) - y_true * y_pred)`, computed without overflow.

    Args:
        y_true: Labels in [0, 1].
        y_pred: Probabilities, or logits, of the same shape.
        from_logits: Whether `y_pred` are logits. Defaults to False.
        label_smoothing: Float in [0, 1]. Draws the labels towards 1/2. Defaults to 0.
        axis: Integer. The axis of the mean. Defaults to -1.

    Example:
        >>> binary_crossentropy([[1.0, 0.0]], [[0.5, 0.75]]).numpy()
        array([1.0397208], dtype=float32)
    """
    y_true, y_pred, dtype = _pair(y_true, y_pred)
    _must_match(y_true, y_pred)
    y_pred, from_logits = _behind_activation(y_pred, from_logits, "binary_crossentropy")
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        z = _widened(y_pred)
        softplus = ops.where(z >= 0, z, 0.0) + ops.log1p(ops.exp(ops.where(z >= 0, -z, z)))
        entropy = softplus - y_true * z
    else:
        p = _clipped(_widened(y_pred), dtype)
        entropy = -(y_true * ops.log(p) + (1.0 - y_true) * ops.log(1.0 - p))
    return ops.cast(ops.mean(entropy, axis=axis), dtype)


@serializable
def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """The cross-entropy of each example between one-hot labels and class probabilities.

    `-sum(y_true * log(y_pred))` over the classes; from logits with `softmax(y_pred)`.

    Args:
        y_true: One-hot labels, or any distribution over the classes.
        y_pred: Probabilities, or logits, of the same shape.
        from_logits: Whether `y_pred` are logits. Defaults to False.
        label_smoothing: Float in [0, 1]. The share of every label that is spread evenly over all
            classes. Defaults to 0.
        axis: Integer. The classes. Defaults to -1.

    Example:
        >>> categorical_crossentropy([[0.0, 1.0]], [[0.75, 0.25]]).numpy()
        array([1.3862944], dtype=float32)
    """
    axis = integer("axis", axis)
    y_true, y_pred, dtype = _pair(y_true, y_pred)
    _must_match(y_true, y_pred)
    if y_pred.shape[axis] == 1:
        warnings.warn(
            "`categorical_crossentropy` over a single class is always 0; `binary_crossentropy` "
            f"is for yes or no. Received: y_pred.shape={tuple(y_pred.shape)}",
            SyntaxWarning,
            stacklevel=2,
        )
    y_pred, from_logits = _behind_activation(y_pred, from_logits, "categorical_crossentropy")
    if label_smoothing:
        classes = ops.cast(ops.shape(y_true)[axis], y_true.dtype)
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / classes
    logs = _log_probabilities(y_pred, from_logits, axis)
    return ops.cast(-ops.sum(y_true * logs, axis=axis), dtype)


@serializable
def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """The cross-entropy of each example between class numbers and class probabilities.

    `-log(y_pred[y_true])`; from logits with `softmax(y_pred)`. Unlike Keras on TensorFlow and JAX
    it takes any `axis`.

    Args:
        y_true: Class numbers, of the shape of `y_pred` without its classes, or with 1 in place.
        y_pred: Probabilities, or logits.
        from_logits: Whether `y_pred` are logits. Defaults to False.
        ignore_class: Integer, a class number whose examples do not count, or None.
        axis: Integer. The classes. Defaults to -1.

    Example:
        >>> sparse_categorical_crossentropy([1], [[0.75, 0.25]]).numpy()
        array([1.3862944], dtype=float32)
    """
    axis = integer("axis", axis)
    labels = ops.cast(ops.convert_to_tensor(y_true), "int32")
    y_pred = ops.convert_to_tensor(y_pred)
    dtype = _dtype(y_pred)
    if len(labels.shape) == len(y_pred.shape) and labels.shape[axis] == 1:
        labels = ops.squeeze(labels, axis=axis)
    shape = list(y_pred.shape)
    del shape[axis]
    _must_match(labels, y_pred, tuple(shape))
    y_pred, from_logits = _behind_activation(y_pred, from_logits, "sparse_categorical_crossentropy")
    if ignore_class is not None:
        valid = ops.not_equal(labels, ignore_class)
        labels = ops.where(valid, labels, 0)
        # Whatever stands there, infinity or NaN, must not reach the gradient.
        y_pred = ops.where(ops.expand_dims(valid, axis), y_pred, 1.0)
    logs = _log_probabilities(y_pred, from_logits, axis)
    picked = ops.take_along_axis(logs, ops.expand_dims(labels, axis), axis=axis)
    entropy = ops.cast(-ops.squeeze(picked, axis=axis), dtype)
    if ignore_class is not None:
        entropy = ops.where(valid, entropy, 0.0)
        set_keras_mask(entropy, valid)
    return entropy


@serializable
def softmax_log_loss(y_true, y_pred, axis=-1):
    """Softmax and negative log-likelihood in one, of each example; labels as numbers or one-hot.

    `log(sum(exp(y_pred))) - y_pred[y_true]`, whose gradient is `softmax(y_pred) - y_true`.

    Args:
        y_true: Class numbers, or one-hot labels of the shape of `y_pred`.
        y_pred: Logits, straight from a linear layer.
        axis: Integer. The classes. Defaults to -1.

    Example:
        >>> softmax_log_loss([1], [[0.0, 0.0]]).numpy()
        array([0.6931472], dtype=float32)
    """
    axis = integer("axis", axis)
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    # Classes in place, and more than one: a distribution over them.
    one_hot = len(y_true.shape) == len(y_pred.shape) and y_true.shape[axis] != 1
    if one_hot:
        return categorical_crossentropy(y_true, y_pred, from_logits=True, axis=axis)
    return sparse_categorical_crossentropy(y_true, y_pred, from_logits=True, axis=axis)


# ------------------------------------------------------------------------------------ classes


class _Loss(keras.losses.Loss):
    """Weights, masks and reductions as in Keras, but half precision only in the result."""

    _class_numbers = False

    def __init__(self, reduction, name, dtype):
        one_of("reduction", reduction, REDUCTIONS)
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def __call__(self, y_true, y_pred, sample_weight=None):
        dtype = "float32" if self.dtype in HALVES else self.dtype
        mask = get_keras_mask(y_pred)
        with keras.name_scope(self.name):
            y_pred = self._converted(y_pred, dtype)
            y_true = ops.convert_to_tensor(y_true, None if self._class_numbers else dtype)
            losses = self.call(y_true, y_pred)
            own_mask = get_keras_mask(losses)
            if mask is not None and own_mask is not None:
                mask = ops.logical_and(mask, own_mask)
            mask = own_mask if mask is None else mask
            if mask is not None and sample_weight is not None:
                # Keras multiplies in place: PyTorch can not, and the caller's weights would change.
                sample_weight = ops.convert_to_tensor(sample_weight, dtype=dtype)
                if len(sample_weight.shape) in (0, len(mask.shape)):
                    sample_weight = sample_weight * ops.ones_like(mask, dtype=dtype)
            loss = reduce_weighted_values(
                losses,
                sample_weight=sample_weight,
                mask=mask,
                reduction=self.reduction,
                dtype=dtype,
            )
        return ops.cast(loss, self.dtype)

    @staticmethod
    def _converted(y_pred, dtype):
        logits = getattr(y_pred, "_keras_logits", None)
        y_pred = ops.convert_to_tensor(y_pred, dtype=dtype)
        if logits is not None and getattr(y_pred, "_keras_logits", None) is None:
            y_pred._keras_logits = ops.cast(logits, dtype)  # A cast had dropped it.
        return y_pred

    def get_config(self):
        return {**super().get_config(), "dtype": self.dtype}


@serializable
class MeanSquaredError(_Loss):
    """The squared error, with the factor of your notes.

    As `keras.losses.MeanSquaredError`. The forms, over the outputs of each example:

    - `form="1/n"`: `mean((y_true - y_pred) ** 2)`, Keras' own.
    - `form="1/2"`: `sum((y_true - y_pred) ** 2) / 2`. With `reduction="sum"` that is
      `E = 1/2 sum (t - o) ** 2` over a batch, with the default reduction the quadratic cost
      `C = 1/(2n) sum ||y - a|| ** 2` over n examples.
    - `form="1/2n"`: `mean((y_true - y_pred) ** 2) / 2`, n counting outputs as well as examples.

    Args:
        reduction: How the examples become one number: `"sum_over_batch_size"` or `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, or `"none"` or None, with which they stay as they are.
            Defaults to `"sum_over_batch_size"`.
        name: Name of the loss.
        dtype: Dtype of the result; None for `keras.config.floatx()`. Defaults to None.
        form: `"1/n"`, `"1/2"` or `"1/2n"`. Defaults to `"1/n"`.

    Example:
        >>> MeanSquaredError(form="1/2")([[1.0, 2.0], [3.0, 4.0]], [[1.0, 4.0], [0.0, 4.0]]).numpy()
        np.float32(3.25)
    """

    def __init__(
        self,
        reduction="sum_over_batch_size",
        name="mean_squared_error",
        dtype=None,
        *,
        form="1/n",
    ):
        super().__init__(reduction, name, dtype)
        self.form = one_of("form", form, ("1/n", "1/2", "1/2n"))

    def call(self, y_true, y_pred):
        return mean_squared_error(y_true, y_pred, form=self.form)

    def get_config(self):
        return {**super().get_config(), "form": self.form}


@serializable
class MeanAbsoluteError(_Loss):
    """The absolute error, `mean(|y_true - y_pred|)`: outliers weigh less than squared.

    As `keras.losses.MeanAbsoluteError`.

    Args:
        reduction: How the examples become one number: `"sum_over_batch_size"` or `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, or `"none"` or None, with which they stay as they are.
            Defaults to `"sum_over_batch_size"`.
        name: Name of the loss.
        dtype: Dtype of the result; None for `keras.config.floatx()`. Defaults to None.

    Example:
        >>> MeanAbsoluteError()([[1.0, 2.0]], [[1.0, 4.0]]).numpy()
        np.float32(1.0)
    """

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None):
        super().__init__(reduction, name, dtype)

    def call(self, y_true, y_pred):
        return mean_absolute_error(y_true, y_pred)


@serializable
class Huber(_Loss):
    """Squared error near the target, absolute error far from it: robust, and smooth at 0.

    As `keras.losses.Huber`.

    `mean(e ** 2 / 2 if e <= delta else delta * e - delta ** 2 / 2)`, `e = |y_true - y_pred|`

    Args:
        delta: Float > 0. Where the square ends. Defaults to 1.
        reduction: How the examples become one number: `"sum_over_batch_size"` or `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, or `"none"` or None, with which they stay as they are.
            Defaults to `"sum_over_batch_size"`.
        name: Name of the loss.
        dtype: Dtype of the result; None for `keras.config.floatx()`. Defaults to None.

    Example:
        >>> Huber()([[1.0, 2.0]], [[1.5, 5.0]]).numpy()
        np.float32(1.3125)

    Reference: [Huber, 1964](https://doi.org/10.1214/aoms/1177703732)
    """

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", name="huber_loss", dtype=None):
        super().__init__(reduction, name, dtype)
        self.delta = number("delta", delta, "(0, inf)")

    def call(self, y_true, y_pred):
        return huber(y_true, y_pred, delta=self.delta)

    def get_config(self):
        return {**super().get_config(), "delta": self.delta}


class _Crossentropy(_Loss):
    def __init__(self, from_logits, label_smoothing, axis, reduction, name, dtype):
        super().__init__(reduction, name, dtype)
        self.from_logits = boolean("from_logits", from_logits)
        self.label_smoothing = number("label_smoothing", label_smoothing, "[0, 1]")
        self.axis = integer("axis", axis)

    def get_config(self):
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": self.axis,
        }


@serializable
class BinaryCrossentropy(_Crossentropy):
    """The cross-entropy between yes-or-no labels and their probabilities, or logits.

    As `keras.losses.BinaryCrossentropy`.

    `-mean(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred))`; from logits
    `mean(log(1 + exp(y_pred)) - y_true * y_pred)`, computed without overflow.

    Args:
        from_logits: Whether `y_pred` are logits. Defaults to False.
        label_smoothing: Float in [0, 1]. Draws the labels towards 1/2. Defaults to 0.
        axis: Integer. The axis of the mean. Defaults to -1.
        reduction: How the examples become one number: `"sum_over_batch_size"` or `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, or `"none"` or None, with which they stay as they are.
            Defaults to `"sum_over_batch_size"`.
        name: Name of the loss.
        dtype: Dtype of the result; None for `keras.config.floatx()`. Defaults to None.

    Example:
        >>> BinaryCrossentropy(from_logits=True)([[1.0, 0.0]], [[1e4, 1e4]]).numpy()
        np.float32(5000.0)
    """

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="binary_crossentropy",
        dtype=None,
    ):
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)

    def call(self, y_true, y_pred):
        return binary_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )


@serializable
class CategoricalCrossentropy(_Crossentropy):
    """The cross-entropy between one-hot labels and class probabilities, or logits.

    As `keras.losses.CategoricalCrossentropy`, but labels are smoothed over the classes whichever
    `axis` they lie along.

    `-sum(y_true * log(y_pred))` over the classes; from logits with `softmax(y_pred)`.

    Args:
        from_logits: Whether `y_pred` are logits. Defaults to False.
        label_smoothing: Float in [0, 1]. The share of every label that is spread evenly over all
            classes. Defaults to 0.
        axis: Integer. The classes. Defaults to -1.
        reduction: How the examples become one number: `"sum_over_batch_size"` or `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, or `"none"` or None, with which they stay as they are.
            Defaults to `"sum_over_batch_size"`.
        name: Name of the loss.
        dtype: Dtype of the result; None for `keras.config.floatx()`. Defaults to None.

    Example:
        >>> CategoricalCrossentropy()([[0.0, 1.0]], [[0.75, 0.25]]).numpy()
        np.float32(1.3862944)
    """

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="categorical_crossentropy",
        dtype=None,
    ):
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)

    def call(self, y_true, y_pred):
        return categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )


@serializable
class SparseCategoricalCrossentropy(_Loss):
    """The cross-entropy between class numbers and class probabilities, or logits.

    As `keras.losses.SparseCategoricalCrossentropy`, but for any `axis` on every backend.

    `-log(y_pred[y_true])`; from logits with `softmax(y_pred)`.

    Args:
        from_logits: Whether `y_pred` are logits. Defaults to False.
        ignore_class: Integer, a class number whose examples do not count (in the mean neither), or
            None. Defaults to None.
        axis: Integer. The classes. Defaults to -1.
        reduction: How the examples become one number: `"sum_over_batch_size"` or `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, or `"none"` or None, with which they stay as they are.
            Defaults to `"sum_over_batch_size"`.
        name: Name of the loss.
        dtype: Dtype of the result; None for `keras.config.floatx()`. Defaults to None.

    Example:
        >>> loss = SparseCategoricalCrossentropy(ignore_class=255)
        >>> loss([1, 255], [[0.75, 0.25], [0.5, 0.5]]).numpy()
        np.float32(1.3862944)
    """

    _class_numbers = True

    def __init__(
        self,
        from_logits=False,
        ignore_class=None,
        reduction="sum_over_batch_size",
        axis=-1,
        name="sparse_categorical_crossentropy",
        dtype=None,
    ):
        super().__init__(reduction, name, dtype)
        self.from_logits = boolean("from_logits", from_logits)
        known = ignore_class is None
        self.ignore_class = None if known else integer("ignore_class", ignore_class)
        self.axis = integer("axis", axis)

    def call(self, y_true, y_pred):
        return sparse_categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.ignore_class, self.axis
        )

    def get_config(self):
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "ignore_class": self.ignore_class,
            "axis": self.axis,
        }


@serializable
class SoftmaxLogLoss(_Loss):
    """Softmax and negative log-likelihood in one, from logits; labels as numbers or one-hot.

    What `CategoricalCrossentropy(from_logits=True)` and its sparse sister compute, whichever the
    labels ask for.

    `log(sum(exp(y_pred))) - y_pred[y_true]`, whose gradient is `softmax(y_pred) - y_true`.

    Args:
        axis: Integer. The classes. Defaults to -1.
        reduction: How the examples become one number: `"sum_over_batch_size"` or `"mean"`, `"sum"`,
            `"mean_with_sample_weight"`, or `"none"` or None, with which they stay as they are.
            Defaults to `"sum_over_batch_size"`.
        name: Name of the loss.
        dtype: Dtype of the result; None for `keras.config.floatx()`. Defaults to None.

    Example:
        >>> SoftmaxLogLoss()([0, 1], [[1e4, 0.0], [0.0, 0.0]]).numpy()
        np.float32(0.3465736)
    """

    _class_numbers = True

    def __init__(
        self, axis=-1, reduction="sum_over_batch_size", name="softmax_log_loss", dtype=None
    ):
        super().__init__(reduction, name, dtype)
        self.axis = integer("axis", axis)

    def call(self, y_true, y_pred):
        return softmax_log_loss(y_true, y_pred, axis=self.axis)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
