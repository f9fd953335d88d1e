"""AdamW."""

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.optimizers.adam import Adam


@serializable
class AdamW(Adam):
    """Adam with weight decay beside the gradient instead of inside it.

    The stand-in for `keras.optimizers.AdamW`: `Adam` with a `weight_decay` by default. The decay
    may be a schedule, and on an embedding it may be kept to the rows of the batch
    (`lazy_weight_decay=True`).

        w = w - learning_rate * weight_decay * w - (the step of Adam)

    Args:
        learning_rate: Float > 0, or a schedule. Defaults to 0.001.
        weight_decay: Float >= 0, or a schedule. Defaults to 0.004.
        beta_1, beta_2, epsilon, amsgrad: See `Adam`.
        clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: As in every Keras optimizer.
        epsilon_inside_root, bias_correction: See `Adam`.
        rows, row_clipnorm, lazy_weight_decay, skip_nonfinite, fused: See
            `keras_dlnotes.optimizers.base.Optimizer`.

    Example:
        >>> import keras
        >>> w = keras.Variable([1.0, -3.0])
        >>> AdamW(learning_rate=0.1, weight_decay=0.5).apply([2 * w], [w])
        >>> print(keras.ops.convert_to_numpy(w).round(4))  # 1 - 0.05 - 0.1 and -3 + 0.15 + 0.1
        [ 0.85 -2.75]

    Reference: [Loshchilov & Hutter, 2019](https://arxiv.org/abs/1711.05101), Algorithm 2
    """

    def __init__(
        self,
        learning_rate=0.001,
        weight_decay=0.004,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
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
        if weight_decay is None:
            _checks.fail("weight_decay", "be a float", weight_decay)
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
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
