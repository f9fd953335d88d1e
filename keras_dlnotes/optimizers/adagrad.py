"""Adagrad."""

from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.optimizers.adam import root
from keras_dlnotes.optimizers.base import Optimizer


@serializable
class Adagrad(Optimizer):
    """Divides each weight's step by the root of the sum of its squared gradients so far.

    For rare features: what is seldom seen keeps a large step. The stand-in for
    `keras.optimizers.Adagrad`; on embeddings the gradients of a row's duplicates are added up
    before they are squared, and a step costs O(batch), since a row that is not looked up stands
    still anyway.

        accumulator = accumulator + gradient ** 2
        w = w - learning_rate * gradient / sqrt(accumulator + epsilon)

    Args:
        learning_rate: Float > 0, or a schedule. Defaults to 0.001.
        initial_accumulator_value: Float >= 0. Where the sum starts. Defaults to 0.1.
        epsilon: Float >= 0. Keeps the quotient finite. Defaults to 1e-7.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: As in
            every Keras optimizer; `weight_decay` may be a schedule as well.
        epsilon_inside_root: Bool. False gives `sqrt(accumulator) + epsilon`, the notes' form.
            Defaults to True.
        rows, row_clipnorm, lazy_weight_decay, skip_nonfinite, fused: See
            `keras_dlnotes.optimizers.base.Optimizer`.

    Example:
        >>> import keras
        >>> w = keras.Variable([1.0, -3.0])
        >>> optimizer = Adagrad(learning_rate=0.1, initial_accumulator_value=0.0)
        >>> optimizer.apply([2 * w], [w])
        >>> print(keras.ops.convert_to_numpy(w).round(4))
        [ 0.9 -2.9]

    Reference: [Duchi et al., 2011](https://jmlr.org/papers/v12/duchi11a.html)
    """

    row_local = True

    def __init__(
        self,
        learning_rate=0.001,
        initial_accumulator_value=0.1,
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
        self.initial_accumulator_value = _checks.number(
            "initial_accumulator_value", initial_accumulator_value, "[0, inf)"
        )
        self.epsilon = _checks.number("epsilon", epsilon, "[0, inf)")
        self.epsilon_inside_root = _checks.boolean("epsilon_inside_root", epsilon_inside_root)

    def slots(self):
        return {"accumulator": self.initial_accumulator_value}

    def formula(self, h, gradient, slots):
        accumulator = slots.accumulator + ops.square(gradient)
        scale = root(accumulator, self.epsilon, self.epsilon_inside_root)
        return h.learning_rate * gradient / scale, {"accumulator": accumulator}
