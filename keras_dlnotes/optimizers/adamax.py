"""Adamax."""

from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.optimizers._hyperparameters import Hyperparameter
from keras_dlnotes.optimizers.base import Optimizer


@serializable
class Adamax(Optimizer):
    """Adam with the largest recent gradient in place of the root of the mean square.

    Calmer than Adam where single gradients are huge. The stand-in for `keras.optimizers.Adamax`;
    `beta_1` and `beta_2` may be schedules, and on embeddings the gradients of a row's duplicates
    are added up first.

        m = beta_1 * m + (1 - beta_1) * gradient
        u = max(beta_2 * u, abs(gradient))
        w = w - learning_rate / (1 - beta_1 ** t) * m / (u + epsilon)

    With `rows="lazy"` both of a row rest while its id is not in the batch.

    Args:
        learning_rate: Float > 0, or a schedule. Defaults to 0.001.
        beta_1: Float in [0, 1), or a schedule. Decay of the average gradient. Defaults to 0.9.
        beta_2: Float in [0, 1), or a schedule. Decay of the largest gradient. Defaults to 0.999.
        epsilon: Float >= 0. Keeps the quotient finite. Defaults to 1e-7.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: As in
            every Keras optimizer; `weight_decay` may be a schedule as well.
        bias_correction: Bool. False leaves out `1 - beta_1 ** t`. Defaults to True.
        rows, row_clipnorm, lazy_weight_decay, skip_nonfinite, fused: See
            `keras_dlnotes.optimizers.base.Optimizer`.

    Example:
        >>> import keras
        >>> w = keras.Variable([1.0, -3.0])
        >>> Adamax(learning_rate=0.1).apply([2 * w], [w])
        >>> print(keras.ops.convert_to_numpy(w).round(4))
        [ 0.9 -2.9]

    Reference: [Kingma & Ba, 2014](https://arxiv.org/abs/1412.6980), Algorithm 2
    """

    beta_1 = Hyperparameter("[0, 1)")
    beta_2 = Hyperparameter("[0, 1)")

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
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
        self.bias_correction = _checks.boolean("bias_correction", bias_correction)

    def slots(self):
        return {"momentum": 0.0, "norm": 0.0}

    def prepare(self, h):
        h.alpha = h.learning_rate
        if self.bias_correction:
            h.alpha = h.learning_rate / (1 - ops.power(h.beta_1, h.step))

    def formula(self, h, gradient, slots):
        m = slots.momentum + (gradient - slots.momentum) * h.one_minus_beta_1
        u = ops.maximum(h.beta_2 * slots.norm, ops.abs(gradient))
        return m * h.alpha / (u + self.epsilon), {"momentum": m, "norm": u}
