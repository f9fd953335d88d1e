"""Adam."""

from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.optimizers._hyperparameters import Hyperparameter
from keras_dlnotes.optimizers.base import Optimizer


@serializable
class Adam(Optimizer):
    """Momentum and RMSProp in one, with the bias of their zero start corrected.

    The stand-in for `keras.optimizers.Adam`: on embeddings it squares the sum of a row's gradients,
    where Keras sums the squares; `beta_1`, `beta_2` and `weight_decay` may be schedules or be set
    by a callback; and half-precision weights get float32 averages, in which 0.999 is not 1.

        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * gradient ** 2
        w = w - learning_rate * sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t) * m / (sqrt(v) + epsilon)

    With `rows="lazy"` the averages of a row rest while its id is not in the batch (`LazyAdam`).

    Args:
        learning_rate: Float > 0, or a schedule. Defaults to 0.001.
        beta_1: Float in [0, 1), or a schedule. Decay of the average gradient. Defaults to 0.9.
        beta_2: Float in [0, 1), or a schedule. Decay of the average squared gradient. Defaults to
            0.999.
        epsilon: Float >= 0. Keeps the quotient finite. Defaults to 1e-7.
        amsgrad: Bool. Whether to divide by the largest `v` so far. Defaults to False.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: As in
            every Keras optimizer; `weight_decay` may be a schedule as well.
        epsilon_inside_root: Bool. `sqrt(v + epsilon)` in place of `sqrt(v) + epsilon`. Defaults to
            False.
        bias_correction: Bool. False leaves out both corrections, so that the first steps are the
            plain averages'. Defaults to True.
        rows, row_clipnorm, lazy_weight_decay, skip_nonfinite, fused: See
            `keras_dlnotes.optimizers.base.Optimizer`.

    Example:
        >>> import keras
        >>> w = keras.Variable([1.0, -3.0])
        >>> Adam(learning_rate=0.1).apply([2 * w], [w])
        >>> print(keras.ops.convert_to_numpy(w).round(4))  # one learning rate each
        [ 0.9 -2.9]

    Reference: [Kingma & Ba, 2014](https://arxiv.org/abs/1412.6980), Algorithm 1 and the rewriting
        after it; [Reddi et al., 2018](https://openreview.net/forum?id=ryQu7f-RZ) for `amsgrad`
    """

    beta_1 = Hyperparameter("[0, 1)")
    beta_2 = Hyperparameter("[0, 1)")

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
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
        epsilon_inside_root=False,
        bias_correction=True,
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
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = _checks.number("epsilon", epsilon, "[0, inf)")
        self.amsgrad = _checks.boolean("amsgrad", amsgrad)
        self.epsilon_inside_root = _checks.boolean("epsilon_inside_root", epsilon_inside_root)
        self.bias_correction = _checks.boolean("bias_correction", bias_correction)

    def slots(self):
        slots = {"momentum": 0.0, "velocity": 0.0}
        return {**slots, "velocity_hat": 0.0} if self.amsgrad else slots

    def prepare(self, h):
        h.alpha = h.learning_rate
        if self.bias_correction:
            root = ops.sqrt(1 - ops.power(h.beta_2, h.step))
            h.alpha = h.learning_rate * root / (1 - ops.power(h.beta_1, h.step))

    def formula(self, h, gradient, slots):
        m = slots.momentum + (gradient - slots.momentum) * h.one_minus_beta_1
        v = slots.velocity + (ops.square(gradient) - slots.velocity) * h.one_minus_beta_2
        new = {"momentum": m, "velocity": v}
        if self.amsgrad:
            v = new["velocity_hat"] = ops.maximum(slots.velocity_hat, v)
        return m * h.alpha / root(v, self.epsilon, self.epsilon_inside_root), new


def root(square, epsilon, inside):
    """``sqrt(square + epsilon)`` or ``sqrt(square) + epsilon``."""
    return ops.sqrt(square + epsilon) if inside else ops.sqrt(square) + epsilon
