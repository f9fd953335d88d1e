"""Gradient descent with momentum."""

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.optimizers._hyperparameters import Hyperparameter
from keras_dlnotes.optimizers.base import Optimizer


@serializable
class Momentum(Optimizer):
    """Gradient descent that keeps a velocity: steady directions add up, oscillations cancel.

    Like `keras.optimizers.SGD(momentum=0.9)`, and `momentum` may be a schedule or be set by a
    callback during training without retracing. On embeddings duplicate ids are added up first.

        velocity = momentum * velocity + (1 - dampening) * learning_rate * gradient
        w = w - velocity

    With `dampening` equal to `momentum` the velocity is the exponential average
    `v = b * v + (1 - b) * gradient`, times the learning rate: the second form of the notes.

    With `rows="lazy"` the velocity of a row rests while its id is not in the batch; with
    `rows="exact"` the row coasts on.

    Args:
        learning_rate: Float > 0, or a schedule. Defaults to 0.01.
        momentum: Float in [0, 1], or a schedule. Defaults to 0.9.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: As in
            every Keras optimizer; `weight_decay` may be a schedule as well.
        dampening: Float in [0, 1]. How much of the gradient is held back. Defaults to 0.0.
        nesterov: Bool. Whether to take the gradient at the look-ahead point, see `Nesterov`.
            Defaults to False.
        rows, row_clipnorm, lazy_weight_decay, skip_nonfinite, fused: See
            `keras_dlnotes.optimizers.base.Optimizer`.

    Example:
        >>> import keras
        >>> w = keras.Variable([1.0])
        >>> optimizer = Momentum(learning_rate=0.1, momentum=0.9)
        >>> for _ in range(2):
        ...     optimizer.apply([2 * w], [w])  # the gradient of w**2
        >>> print(keras.ops.convert_to_numpy(w).round(4))  # 1 - 0.2, then 0.8 - (0.9 * 0.2 + 0.16)
        [0.46]
        >>> optimizer.momentum = 0.5  # also inside a callback; nothing is retraced
        >>> optimizer.momentum
        0.5

    Reference: [Polyak, 1964](https://doi.org/10.1016/0041-5553(64)90137-5)
    """

    momentum = Hyperparameter("[0, 1]")

    def __init__(
        self,
        learning_rate=0.01,
        momentum=0.9,
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
        *,
        dampening=0.0,
        nesterov=False,
        **kwargs,
    ):
        super().__init__(
            learning_rate,
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
            **kwargs,
        )
        self.momentum = momentum
        self.dampening = _checks.number("dampening", dampening, "[0, 1]")
        self.nesterov = _checks.boolean("nesterov", nesterov)

    def slots(self):
        return {"momentum": 0.0}

    def prepare(self, h):
        # Not also times one: that were one more operation for each variable.
        h.rate = h.learning_rate * (1 - self.dampening) if self.dampening else h.learning_rate

    def formula(self, h, gradient, slots):
        push = gradient * h.rate
        velocity = h.momentum * slots.momentum + push
        step = h.momentum * velocity + push if self.nesterov else velocity
        return step, {"momentum": velocity}
