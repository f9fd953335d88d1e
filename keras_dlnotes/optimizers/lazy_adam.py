"""LazyAdam."""

from keras_dlnotes._saving import serializable
from keras_dlnotes.optimizers.adam import Adam


@serializable
class LazyAdam(Adam):
    """Adam that touches only the embedding rows of the batch: `Adam(rows="lazy")`.

    For large embeddings: a step costs O(batch), not O(table). The averages of a row rest while its
    id is not in the batch, so a rare row keeps the momentum of its last visit; results differ a
    little from Adam's. Variables with dense gradients are updated as by `Adam`.

    Args:
        learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipnorm, clipvalue,
            global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor,
            gradient_accumulation_steps, name, epsilon_inside_root, bias_correction: See `Adam`.
        rows: See `keras_dlnotes.optimizers.base.Optimizer`. Defaults to `"lazy"`.
        row_clipnorm, lazy_weight_decay, skip_nonfinite, fused: See
            `keras_dlnotes.optimizers.base.Optimizer`.

    Example:
        >>> LazyAdam(learning_rate=0.01).rows
        'lazy'
    """

    def __init__(self, *args, rows="lazy", **kwargs):
        super().__init__(*args, rows=rows, **kwargs)
