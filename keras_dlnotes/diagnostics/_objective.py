"""The one number that is differentiated: a loss of a model, or a projection of a layer's output."""

import keras
import numpy as np
from keras import ops

from keras_dlnotes.diagnostics._float64 import float64_loss


def data_loss(target, original, loss, y, y_pred_example, seed):
    """``(function of (x, y_pred, sample_weight, training), its name)``.

    The function is to be called in the ``StatelessScope`` in which ``y_pred`` was computed; what
    regularizers and ``add_loss`` have to say is in it.
    """
    if loss is None and y is None:
        weights = _projection(y_pred_example, seed)

        def projected(x, y_pred, sample_weight, training):
            flat = keras.tree.flatten(y_pred)
            total = sum(ops.sum(o * w) for o, w in zip(flat, weights, strict=True) if w is not None)
            return total + _additional(target)

        return projected, "a fixed random projection of the outputs"
    compiled = getattr(original, "compiled", False) and loss is None
    if compiled:
        # The model's own `compute_loss`, an overridden one included.
        if target is not original:
            weights = original.get_compile_config().get("loss_weights")
            own_loss = float64_loss(original.loss)
            keras.Model.compile(target, "sgd", own_loss, loss_weights=weights, jit_compile=False)

        def own(x, y_pred, sample_weight, training):
            return target._compute_loss(x, y, y_pred, sample_weight, training)

        return own, _loss_name(original.loss)
    name = None
    if loss is None:
        loss, name = "mse", "mean squared error (no loss was given)"
        shapes = [
            [tuple(leaf.shape) for leaf in keras.tree.flatten(s)] for s in (y, y_pred_example)
        ]
        if shapes[0] != shapes[1]:
            raise ValueError(
                "Argument `loss` must be given where the model is not compiled and `y` has "
                f"another shape than the output. Received: loss=None with y of {shapes[0]} and "
                f"outputs of {shapes[1]}"
            )
    total = joined_loss(target, float64_loss(loss))

    def given(x, y_pred, sample_weight, training):
        return total(y, y_pred, sample_weight) + _additional(target)

    return given, name or _loss_name(loss)


def joined_loss(model, loss, loss_weights=None):
    """A loss, or list or dict of them, as one function of ``(y, y_pred, sample_weight)``."""
    # The same object `compile` makes; Keras has no public name for it.
    from keras.src.trainers.compile_utils import CompileLoss

    return CompileLoss(loss, loss_weights, output_names=getattr(model, "output_names", None))


def _additional(layer):
    """Regularizers, activity regularizers and ``add_loss``."""
    return sum((ops.sum(loss) for loss in layer.losses), start=0.0)


def _projection(outputs, seed):
    generator = np.random.default_rng(seed)
    return [
        ops.convert_to_tensor(generator.normal(size=tuple(o.shape)), dtype="float64")
        if "float" in keras.backend.standardize_dtype(o.dtype)
        else None
        for o in keras.tree.flatten(outputs)
    ]


def _loss_name(loss):
    if isinstance(loss, str):
        return loss
    if isinstance(loss, (list, tuple)):
        return ", ".join(map(_loss_name, loss))
    if isinstance(loss, dict):
        return ", ".join(f"{key}: {_loss_name(value)}" for key, value in loss.items())
    return "none" if loss is None else getattr(loss, "name", None) or getattr(loss, "__name__", "?")
