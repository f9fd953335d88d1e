"""Cross-entropy of one-hot labels."""

import warnings

from keras import ops

from keras_dlnotes._checks import integer
from keras_dlnotes._saving import serializable
from keras_dlnotes.losses._base import BaseCrossentropy
from keras_dlnotes.losses._probabilities import behind_activation, scores_and_normalizer
from keras_dlnotes.losses._tensors import must_match, pair


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
    y_true, y_pred, dtype = pair(y_true, y_pred)
    must_match(y_true, y_pred)
    if y_pred.shape[axis] == 1:
        warnings.warn(
            "`categorical_crossentropy` over a single class is always 0; `binary_crossentropy` "
            f"is for yes or no. Received: y_pred.shape={tuple(y_pred.shape)}",
            SyntaxWarning,
            stacklevel=2,
        )
    y_pred, from_logits = behind_activation(y_pred, from_logits, "categorical_crossentropy")
    if label_smoothing:
        classes = ops.cast(ops.shape(y_true)[axis], y_true.dtype)
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / classes
    scores, normalizer = scores_and_normalizer(y_pred, from_logits, axis)
    entropy = -ops.sum(y_true * scores, axis=axis)
    if normalizer is not None:
        entropy = entropy + ops.sum(y_true, axis=axis) * normalizer
    return ops.cast(entropy, dtype)


@serializable
class CategoricalCrossentropy(BaseCrossentropy):
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
