"""What all losses share: weights, masks, reductions, and half precision in the result alone."""

import keras
from keras import ops

# The last step of every Keras loss: weights, masks, reductions, replicas.
from keras.src.backend import get_keras_mask
from keras.src.losses.loss import apply_mask, reduce_weighted_values

from keras_dlnotes import _replicas
from keras_dlnotes._checks import boolean, integer, number, one_of
from keras_dlnotes.losses._tensors import HALVES

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class BaseLoss(keras.losses.Loss):
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
            loss = self._for_replicas(loss, mask, sample_weight, dtype)
        return ops.cast(loss, self.dtype)

    def _for_replicas(self, loss, mask, sample_weight, dtype):
        """The gradient of dividing by what counts in the whole batch; Keras counts each replica."""
        by_weights = self.reduction == "mean_with_sample_weight" and sample_weight is not None
        masked = self.reduction not in ("sum", "none", None) and mask is not None
        if not (by_weights or masked) or _replicas.count() == 1:
            return loss
        if self.reduction == "mean_with_sample_weight":
            if sample_weight is not None:
                sample_weight = ops.convert_to_tensor(sample_weight, dtype=dtype)
            counting = apply_mask(sample_weight, mask, dtype, self.reduction)
        else:
            counting = mask
        mine = ops.sum(ops.cast(counting, dtype))

        def share():
            return _replicas.count() * ops.divide_no_nan(mine, _replicas.total(mine))

        return _replicas.with_gradient(loss, loss, share)

    @staticmethod
    def _converted(y_pred, dtype):
        logits = getattr(y_pred, "_keras_logits", None)
        y_pred = ops.convert_to_tensor(y_pred, dtype=dtype)
        if logits is not None and getattr(y_pred, "_keras_logits", None) is None:
            y_pred._keras_logits = ops.cast(logits, dtype)  # A cast had dropped it.
        return y_pred

    def get_config(self):
        return {**super().get_config(), "dtype": self.dtype}


class BaseCrossentropy(BaseLoss):
    """The arguments that the cross-entropies of labels and of probabilities share."""

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
