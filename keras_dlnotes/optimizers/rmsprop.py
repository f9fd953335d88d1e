"""RMSProp."""

from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.optimizers._hyperparameters import Hyperparameter
from keras_dlnotes.optimizers.adam import root
from keras_dlnotes.optimizers.base import Optimizer


@serializable
class RMSProp(Optimizer):
    """Adagrad that forgets: divides by the root of a running average of squared gradients.

    The stand-in for `keras.optimizers.RMSprop`, with Nesterov momentum added; `rho` and `momentum`
    may be schedules, and on embeddings the gradients of a row's duplicates are added up first.

        average = rho * average + (1 - rho) * gradient ** 2
        mean = rho * mean + (1 - rho) * gradient                       # centered=True, else zero
        push = learning_rate * gradient / sqrt(average - mean ** 2 + epsilon)
        velocity = momentum * velocity + push
        w = w - velocity                                               # nesterov=False
        w = w - (momentum * velocity + push)                           # nesterov=True

    With `rows="lazy"` the averages of a row rest while its id is not in the batch.

    Args:
        learning_rate: Float > 0, or a schedule. Defaults to 0.001.
        rho: Float in [0, 1), or a schedule. Decay of the averages. Defaults to 0.9.
        momentum: Float in [0, 1], or a schedule. Zero means none, without a velocity; start with
            another value where it is to be set later. Defaults to 0.0.
        epsilon: Float >= 0. Keeps the quotient finite. Defaults to 1e-7.
        centered: Bool. Divides by the estimated standard deviation of the gradient instead of by
            its root mean square. Defaults to False.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: As in
            every Keras optimizer; `weight_decay` may be a schedule as well.
        nesterov: Bool. The momentum looks ahead, as in the notes (see `Nesterov` for the two ways
            to write it). Defaults to False.
        epsilon_inside_root: Bool. False gives `sqrt(...) + epsilon`. Defaults to True.
        rows, row_clipnorm, lazy_weight_decay, skip_nonfinite, fused: See
            `keras_dlnotes.optimizers.base.Optimizer`.

    Example:
        >>> import keras
        >>> w = keras.Variable([1.0, -3.0])
        >>> RMSProp(learning_rate=0.1, rho=0.75).apply([2 * w], [w])
        >>> print(keras.ops.convert_to_numpy(w).round(4))  # 0.1 / sqrt(0.25) each
        [ 0.8 -2.8]

    Reference: Hinton, Neural Networks for Machine Learning, lecture 6e; [Graves,
        2013](https://arxiv.org/abs/1308.0850) for `centered`; [Goodfellow et al.,
        2016](https://www.deeplearningbook.org), Algorithm 8.6 for `nesterov`
    """

    rho = Hyperparameter("[0, 1)")
    momentum = Hyperparameter("[0, 1]", frozen_at=0.0)

    def __init__(
        self,
        learning_rate=0.001,
        rho=0.9,
        momentum=0.0,
        epsilon=1e-7,
        centered=False,
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
        nesterov=False,
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
        self.momentum = momentum
        self.epsilon = _checks.number("epsilon", epsilon, "[0, inf)")
        self.centered = _checks.boolean("centered", centered)
        self.nesterov = _checks.boolean("nesterov", nesterov)
        self.epsilon_inside_root = _checks.boolean("epsilon_inside_root", epsilon_inside_root)

    def slots(self):
        slots = {"velocity": 0.0}
        if RMSProp.momentum.given(self):
            slots["momentum"] = 0.0
        if self.centered:
            slots["average_gradient"] = 0.0
        return slots

    def formula(self, h, gradient, slots):
        average = h.rho * slots.velocity + h.one_minus_rho * ops.square(gradient)
        new = {"velocity": average}
        if self.centered:
            mean = h.rho * slots.average_gradient + h.one_minus_rho * gradient
            new["average_gradient"] = mean
            average = average - ops.square(mean)
        step = h.learning_rate * gradient / root(average, self.epsilon, self.epsilon_inside_root)
        if RMSProp.momentum.given(self):
            velocity = new["momentum"] = h.momentum * slots.momentum + step
            step = h.momentum * velocity + step if self.nesterov else velocity
        return step, new


#: Keras' spelling, so that changing the import is enough.
RMSprop = RMSProp
