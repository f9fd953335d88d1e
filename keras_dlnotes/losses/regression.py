"""How far numbers are from their targets: squared, absolute, and Huber's between the two."""

from keras import ops

from keras_dlnotes._checks import number, one_of
from keras_dlnotes._saving import serializable
from keras_dlnotes.losses._base import BaseLoss
from keras_dlnotes.losses._tensors import pair, widened


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
    y_true, y_pred, dtype = pair(y_true, y_pred)
    squares = ops.square(widened(y_pred) - y_true)
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
    y_true, y_pred, dtype = pair(y_true, y_pred)
    return ops.cast(ops.mean(ops.abs(widened(y_pred) - y_true), axis=-1), dtype)


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
    y_true, y_pred, dtype = pair(y_true, y_pred)
    error = ops.abs(widened(y_pred) - y_true)
    # Without a branch, so that no great error is ever squared.
    near = ops.minimum(error, delta)
    return ops.cast(ops.mean(0.5 * near * near + delta * (error - near), axis=-1), dtype)


@serializable
class MeanSquaredError(BaseLoss):
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
class MeanAbsoluteError(BaseLoss):
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
class Huber(BaseLoss):
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
