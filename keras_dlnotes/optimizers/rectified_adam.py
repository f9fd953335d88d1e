"""RectifiedAdam."""

from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.optimizers._hyperparameters import Hyperparameter
from keras_dlnotes.optimizers.adam import root
from keras_dlnotes.optimizers.base import Optimizer


@serializable
class RectifiedAdam(Optimizer):
    """Adam that warms up by itself: the first steps, whose `v` rests on few gradients, are damped.

    Use it in place of Adam with a warm-up schedule. Until the averages span enough steps
    (`length(t) >= sma_threshold`) it is momentum alone, then Adam times a factor that rises to 1.

        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * gradient ** 2
        m_hat = m / (1 - beta_1 ** t)
        longest = 2 / (1 - beta_2) - 1
        length = longest - 2 * t * beta_2 ** t / (1 - beta_2 ** t)
        factor = sqrt((length - 4) * (length - 2) * longest
                      / ((longest - 4) * (longest - 2) * length))
        w = w - learning_rate * factor * m_hat / (sqrt(v / (1 - beta_2 ** t)) + epsilon)
        w = w - learning_rate * m_hat                                  # length < sma_threshold

    With `rows="lazy"` the averages of a row rest while its id is not in the batch.

    Args:
        learning_rate: Float > 0, or a schedule. Defaults to 0.001.
        beta_1: Float in [0, 1), or a schedule. Decay of the average gradient. Defaults to 0.9.
        beta_2: Float in [0, 1), or a schedule. Decay of the average squared gradient. Defaults to
            0.999.
        epsilon: Float >= 0. Keeps the quotient finite. Defaults to 1e-7.
        amsgrad: Bool. Whether to divide by the largest `v` so far. Defaults to False.
        sma_threshold: Float >= 4. The paper takes 4; its authors' code, and this, 5. Defaults to
            5.0.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: As in
            every Keras optimizer; `weight_decay` may be a schedule as well.
        rows, row_clipnorm, lazy_weight_decay, skip_nonfinite, fused: See
            `keras_dlnotes.optimizers.base.Optimizer`.

    Example:
        >>> import keras
        >>> w = keras.Variable([1.0])
        >>> RectifiedAdam(learning_rate=0.1).apply([2 * w], [w])
        >>> print(keras.ops.convert_to_numpy(w).round(4))  # the first steps are momentum's
        [0.8]

    Reference: [Liu et al., 2020](https://arxiv.org/abs/1908.03265), Algorithm 2
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
        sma_threshold=5.0,
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
        self.sma_threshold = _checks.number("sma_threshold", sma_threshold, "[4, inf)")

    def slots(self):
        slots = {"momentum": 0.0, "velocity": 0.0}
        return {**slots, "velocity_hat": 0.0} if self.amsgrad else slots

    def prepare(self, h):
        # The length is a small difference of large numbers, so its large parts are taken out:
        # with rate = -log(beta_2) and x = rate * t it is 2 / rate * (1 - x / (exp(x) - 1)) and a
        # remainder of rate / 6; both brackets by their series where they are small.
        rate = -ops.log1p(-h.one_minus_beta_2)
        x = rate * h.step
        small = ops.minimum(x, 1.0)
        square = ops.square(small)
        tail = 1 / 12 - square * (1 / 720 - square * (1 / 30240 - square / 1209600))
        series = small / 2 - square * tail
        grown = ops.expm1(ops.maximum(x, 1.0))
        share = ops.where(x < 1, series, 1 - x / grown)
        length = 2 / rate * share + rate / 6 - rate**3 / 360
        longest = 2 / h.one_minus_beta_2 - 1
        h.sure = ops.logical_and(length >= self.sma_threshold, longest > 4)
        # Where it is not sure, any length does: the factor is not used.
        length, longest = ops.maximum(length, 4.0), ops.maximum(longest, 4.0001)
        ratio = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        h.factor = ops.sqrt(ratio)
        h.unbias = ops.sqrt(-ops.expm1(-x))
        h.alpha = h.learning_rate / (1 - ops.power(h.beta_1, h.step))

    def formula(self, h, gradient, slots):
        m = slots.momentum + (gradient - slots.momentum) * h.one_minus_beta_1
        v = slots.velocity + (ops.square(gradient) - slots.velocity) * h.one_minus_beta_2
        new = {"momentum": m, "velocity": v}
        if self.amsgrad:
            v = new["velocity_hat"] = ops.maximum(slots.velocity_hat, v)
        scale = root(v, 0.0, False) / h.unbias + self.epsilon
        step = m * h.alpha
        return ops.where(h.sure, h.factor * step / scale, step), new
