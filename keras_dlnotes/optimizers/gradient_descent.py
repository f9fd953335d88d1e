"""Plain gradient descent."""

from keras_dlnotes._saving import serializable
from keras_dlnotes.optimizers.base import Optimizer


@serializable
class GradientDescent(Optimizer):
    """The plain rule, meant for the gradient of the whole data set.

    Nothing but the gradient and a learning rate, the yardstick for everything else. For full-batch
    descent fit with `batch_size=len(x)`, or, if that does not fit into memory, with
    `gradient_accumulation_steps` equal to the number of batches: then one step is taken an epoch,
    along the average of the batches' gradients. `SGD` is the same rule with momentum added.

        w = w - learning_rate * gradient

    Args:
        learning_rate: Float > 0, or a schedule. Defaults to 0.01.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name: As in
            every Keras optimizer; `weight_decay` may be a schedule as well.
        rows, row_clipnorm, lazy_weight_decay, skip_nonfinite, fused: See
            `keras_dlnotes.optimizers.base.Optimizer`.

    Example:
        >>> import keras
        >>> w = keras.Variable([1.0])
        >>> GradientDescent(learning_rate=0.1).apply([2 * w], [w])
        >>> print(keras.ops.convert_to_numpy(w).round(4))
        [0.8]
    """

    row_local = True
    additive = True

    def __init__(self, learning_rate=0.01, *args, **kwargs):
        super().__init__(learning_rate, *args, **kwargs)

    def prepare(self, h):
        h.rate = h.learning_rate

    def formula(self, h, gradient, slots):
        return gradient * h.rate, {}
