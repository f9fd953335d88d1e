"""Stochastic gradient descent, with or without momentum."""

from keras_dlnotes._saving import serializable
from keras_dlnotes.optimizers._hyperparameters import Hyperparameter
from keras_dlnotes.optimizers.momentum import Momentum


@serializable
class SGD(Momentum):
    """Gradient descent on batches; the stand-in for `keras.optimizers.SGD`.

    The rule to start from, and the one whose step on an embedding always costs O(batch): without
    momentum a row that is not looked up stands still. `row_clipnorm` keeps it stable on large
    batches, where the gradients of many stale lookups of one frequent word add up: the row's
    gradients are merged and the row's step is clipped to this norm, 0.25 to 0.5 for Word2Vec.

        velocity = momentum * velocity + learning_rate * gradient
        w = w - velocity                                               # nesterov=False
        w = w - (momentum * velocity + learning_rate * gradient)       # nesterov=True

    Args:
        learning_rate: Float > 0, or a schedule. Defaults to 0.01.
        momentum: Float in [0, 1], or a schedule. Zero means plain descent, without a velocity;
            start with another value where it is to be set later. Defaults to 0.0.
        nesterov: Bool. Nesterov momentum, see `Nesterov`. Defaults to False.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: As in
            every Keras optimizer; `weight_decay` may be a schedule as well.
        rows, row_clipnorm, lazy_weight_decay, skip_nonfinite, fused: See
            `keras_dlnotes.optimizers.base.Optimizer`.

    Example:
        >>> import keras
        >>> w = keras.Variable([1.0])
        >>> SGD(learning_rate=0.1).apply([2 * w], [w])
        >>> print(keras.ops.convert_to_numpy(w).round(4))
        [0.8]
    """

    momentum = Hyperparameter("[0, 1]", frozen_at=0.0)

    def __init__(
        self,
        learning_rate=0.01,
        momentum=0.0,
        nesterov=False,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        use_ema=False,
        ema_momentum=0.99,
        ema_overwrite_frequency=None,
        loss_scale_factor=None,
        gradient_accumulation_steps=None,
        name=None,
        **kwargs,
    ):
        super().__init__(
            learning_rate,
            momentum,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            nesterov=nesterov,
            **kwargs,
        )

    @property
    def row_local(self):
        return not SGD.momentum.given(self)

    additive = row_local

    def slots(self):
        return super().slots() if SGD.momentum.given(self) else {}

    def formula(self, h, gradient, slots):
        if not SGD.momentum.given(self):
            return gradient * h.rate, {}
        return super().formula(h, gradient, slots)
