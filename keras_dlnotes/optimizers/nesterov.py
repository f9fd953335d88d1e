"""Nesterov's accelerated gradient."""

from keras_dlnotes._saving import serializable
from keras_dlnotes.optimizers.momentum import Momentum


@serializable
class Nesterov(Momentum):
    """Momentum that takes the gradient where the velocity is about to lead.

    The notes write it with a look-ahead point `w' = w - momentum * velocity`:

        velocity = momentum * velocity + learning_rate * gradient(w')
        w = w - velocity

    A Keras optimizer is handed the gradient at the model's weights, so the model's weights are made
    the look-ahead point. Written for them the same rule is

        velocity = momentum * velocity + learning_rate * gradient
        w' = w' - (momentum * velocity + learning_rate * gradient)

    as in `keras.optimizers.SGD(momentum=0.9, nesterov=True)`. The two trajectories are equal as
    long as `momentum` is constant.

    Args:
        learning_rate: Float > 0, or a schedule. Defaults to 0.01.
        momentum: Float in [0, 1], or a schedule. Defaults to 0.9.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: As in
            every Keras optimizer; `weight_decay` may be a schedule as well.
        dampening: Float in [0, 1]. How much of the gradient is held back. Defaults to 0.0.
        rows, row_clipnorm, lazy_weight_decay, skip_nonfinite, fused: See
            `keras_dlnotes.optimizers.base.Optimizer`.

    Example:
        >>> import keras
        >>> w = keras.Variable([1.0])
        >>> Nesterov(learning_rate=0.1, momentum=0.9).apply([2 * w], [w])
        >>> print(keras.ops.convert_to_numpy(w).round(4))  # 1 - (0.9 * 0.2 + 0.2)
        [0.62]

    Reference: [Sutskever et al., 2013](https://proceedings.mlr.press/v28/sutskever13.html)
    """

    def __init__(self, learning_rate=0.01, momentum=0.9, *args, nesterov=True, **kwargs):
        super().__init__(learning_rate, momentum, *args, nesterov=nesterov, **kwargs)
