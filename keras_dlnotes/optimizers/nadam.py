"""Nadam."""

from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.optimizers._hyperparameters import Hyperparameter
from keras_dlnotes.optimizers.adam import root
from keras_dlnotes.optimizers.base import Optimizer


@serializable
class Nadam(Optimizer):
    """Adam whose momentum looks ahead, as Nesterov's does.

    The stand-in for `keras.optimizers.Nadam`; `beta_1` and `beta_2` may be schedules, and on
    embeddings the gradients of a row's duplicates are added up first.

        mu(t) = beta_1 * (1 - 0.5 * 0.96 ** t)
        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * gradient ** 2
        m_hat = mu(t + 1) * m / (1 - mu(1) * ... * mu(t + 1))
              + (1 - mu(t)) * gradient / (1 - mu(1) * ... * mu(t))
        w = w - learning_rate * m_hat / (sqrt(v / (1 - beta_2 ** t)) + epsilon)

    With `rows="lazy"` the averages of a row rest while its id is not in the batch.

    Args:
        learning_rate: Float > 0, or a schedule. Defaults to 0.001.
        beta_1: Float in [0, 1), or a schedule. Decay of the average gradient. Defaults to 0.9.
        beta_2: Float in [0, 1), or a schedule. Decay of the average squared gradient. Defaults to
            0.999.
        epsilon: Float >= 0. Keeps the quotient finite. Defaults to 1e-7.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: As in
            every Keras optimizer; `weight_decay` may be a schedule as well.
        epsilon_inside_root: Bool. `sqrt(... + epsilon)` in place of `sqrt(...) + epsilon`. Defaults
            to False.
        rows, row_clipnorm, lazy_weight_decay, skip_nonfinite, fused: See
            `keras_dlnotes.optimizers.base.Optimizer`.

    Example:
        >>> import keras
        >>> w = keras.Variable([1.0, -3.0])
        >>> Nadam(learning_rate=0.1).apply([2 * w], [w])
        >>> print(keras.ops.convert_to_numpy(w).round(4))
        [ 0.8937 -2.8937]

    Reference: [Dozat, 2016](https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ)
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
        epsilon_inside_root=False,
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
        self.epsilon_inside_root = _checks.boolean("epsilon_inside_root", epsilon_inside_root)

    def slots(self):
        return {"momentum": 0.0, "velocity": 0.0}

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._u_product = self.add_variable(
            (), "ones", "float32", aggregation="only_first_replica", name="u_product"
        )

    def advance(self, h, finite):
        product = self._u_product * h.beta_1 * (1 - 0.5 * ops.power(0.96, h.step))
        keep = ops.convert_to_tensor(self._u_product)
        self._u_product.assign(product if finite is None else ops.where(finite, product, keep))

    def prepare(self, h):
        h.mu = h.beta_1 * (1 - 0.5 * ops.power(0.96, h.step))
        h.mu_next = h.beta_1 * (1 - 0.5 * ops.power(0.96, h.step + 1))
        product = ops.cast(self._u_product, h.mu.dtype)
        h.of_average = h.mu_next / (1 - product * h.mu_next)
        h.of_gradient = (1 - h.mu) / (1 - product)
        h.unbias = 1 - ops.power(h.beta_2, h.step)

    def formula(self, h, gradient, slots):
        m = slots.momentum + (gradient - slots.momentum) * h.one_minus_beta_1
        v = slots.velocity + (ops.square(gradient) - slots.velocity) * h.one_minus_beta_2
        m_hat = h.of_average * m + h.of_gradient * gradient
        scale = root(v / h.unbias, self.epsilon, self.epsilon_inside_root)
        return h.learning_rate * m_hat / scale, {"momentum": m, "velocity": v}
