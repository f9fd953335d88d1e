"""Cross-entropy for yes or no."""

from keras import ops

from keras_dlnotes._saving import serializable
from keras_dlnotes.losses._base import BaseCrossentropy
from keras_dlnotes.losses._probabilities import behind_activation, clipped
from keras_dlnotes.losses._tensors import must_match, pair, widened


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
    y_true, y_pred, dtype = pair(y_true, y_pred)
    must_match(y_true, y_pred)
    y_pred, from_logits = behind_activation(y_pred, from_logits, "binary_crossentropy")
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        z = widened(y_pred)
        softplus = ops.where(z >= 0, z, 0.0) + ops.log1p(ops.exp(ops.where(z >= 0, -z, z)))
        entropy = softplus - y_true * z
    else:
        p = clipped(widened(y_pred), dtype)
        entropy = -(y_true * ops.log(p) + (1.0 - y_true) * ops.log(1.0 - p))
    return ops.cast(ops.mean(entropy, axis=axis), dtype)


@serializable
class BinaryCrossentropy(BaseCrossentropy):
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
