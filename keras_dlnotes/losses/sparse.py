"""Cross-entropy of class numbers."""

from keras import ops
from keras.src.backend import set_keras_mask

from keras_dlnotes._checks import boolean, integer
from keras_dlnotes._saving import serializable
from keras_dlnotes.losses._base import BaseLoss
from keras_dlnotes.losses._probabilities import behind_activation, scores_and_normalizer
from keras_dlnotes.losses._tensors import dtype_of, must_match


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
    dtype = dtype_of(y_pred)
    if len(labels.shape) == len(y_pred.shape) and labels.shape[axis] == 1:
        labels = ops.squeeze(labels, axis=axis)
    shape = list(y_pred.shape)
    del shape[axis]
    must_match(labels, y_pred, tuple(shape))
    y_pred, from_logits = behind_activation(y_pred, from_logits, "sparse_categorical_crossentropy")
    if ignore_class is not None:
        valid = ops.not_equal(labels, ignore_class)
        labels = ops.where(valid, labels, 0)
        # Whatever stands there, infinity or NaN, must not reach the gradient.
        y_pred = ops.where(ops.expand_dims(valid, axis), y_pred, 1.0)
    scores, normalizer = scores_and_normalizer(y_pred, from_logits, axis)
    picked = ops.take_along_axis(scores, ops.expand_dims(labels, axis), axis=axis)
    entropy = -ops.squeeze(picked, axis=axis)
    if normalizer is not None:
        entropy = entropy + normalizer
    entropy = ops.cast(entropy, dtype)
    if ignore_class is not None:
        entropy = ops.where(valid, entropy, 0.0)
        set_keras_mask(entropy, valid)
    return entropy


@serializable
class SparseCategoricalCrossentropy(BaseLoss):
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
