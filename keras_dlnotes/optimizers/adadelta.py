"""Adadelta."""

from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.optimizers._hyperparameters import Hyperparameter
from keras_dlnotes.optimizers.adam import root
from keras_dlnotes.optimizers.base import Optimizer


@serializable
class Adadelta(Optimizer):
    """Steps in the weights' own unit: the root of past squared steps over that of past gradients.

    Meant to do without a learning rate: Zeiler's rule is `learning_rate=1.0`, the default is that
    of `keras.optimizers.Adadelta`, whose stand-in this is. `rho` may be a schedule, and on
    embeddings the gradients of a row's duplicates are added up first.

        average = rho * average + (1 - rho) * gradient ** 2
        delta = sqrt(average_delta + epsilon) / sqrt(average + epsilon) * gradient
        average_delta = rho * average_delta + (1 - rho) * delta ** 2
        w = w - learning_rate * delta

    With `rows="lazy"` both averages of a row rest while its id is not in the batch.

    Args:
        learning_rate: Float > 0, or a schedule. Defaults to 0.001.
        rho: Float in [0, 1), or a schedule. Decay of both averages. Defaults to 0.95.
        epsilon: Float >= 0. Starts the first steps and keeps the quotient finite. Defaults to 1e-7.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: As in
            every Keras optimizer; `weight_decay` may be a schedule as well.
        epsilon_inside_root: Bool. False gives `sqrt(average) + epsilon` for both roots. Defaults to
            True.
        rows, row_clipnorm, lazy_weight_decay, skip_nonfinite, fused: See
            `keras_dlnotes.optimizers.base.Optimizer`.

    Example:
        >>> import keras
        >>> w = keras.Variable([1.0])
        >>> optimizer = Adadelta(learning_rate=1.0, rho=0.75, epsilon=1.0)
        >>> optimizer.apply([2 * w], [w])
        >>> print(keras.ops.convert_to_numpy(w).round(4))  # 1 - sqrt(1) / sqrt(0.25 * 4 + 1) * 2
        [-0.4142]

    Reference: [Zeiler, 2012](https://arxiv.org/abs/1212.5701), Algorithm 1
    """

    rho = Hyperparameter("[0, 1)")

    def __init__(
        self,
        learning_rate=0.001,
        rho=0.95,
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
        epsilon_inside_root=True,
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
        self.rho = rho
        self.epsilon = _checks.number("epsilon", epsilon, "[0, inf)")
        self.epsilon_inside_root = _checks.boolean("epsilon_inside_root", epsilon_inside_root)

    def slots(self):
        return {"accumulated_grad": 0.0, "accumulated_delta_var": 0.0}

    def formula(self, h, gradient, slots):
        def rms(average):
            return root(average, self.epsilon, self.epsilon_inside_root)

        average = h.rho * slots.accumulated_grad + h.one_minus_rho * ops.square(gradient)
        delta = rms(slots.accumulated_delta_var) * gradient / rms(average)
        average_delta = h.rho * slots.accumulated_delta_var + h.one_minus_rho * ops.square(delta)
        new = {"accumulated_grad": average, "accumulated_delta_var": average_delta}
        return h.learning_rate * delta, new
