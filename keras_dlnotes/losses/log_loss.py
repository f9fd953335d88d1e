"""Softmax and negative log-likelihood in one."""

from keras import ops

from keras_dlnotes._checks import integer
from keras_dlnotes._saving import serializable
from keras_dlnotes.losses._base import BaseLoss
from keras_dlnotes.losses.categorical import categorical_crossentropy
from keras_dlnotes.losses.sparse import sparse_categorical_crossentropy


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


@serializable
class SoftmaxLogLoss(BaseLoss):
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
