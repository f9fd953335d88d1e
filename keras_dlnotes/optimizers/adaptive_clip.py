"""Adaptive gradient clipping."""

from keras import ops

from keras_dlnotes import _checks, _replicas
from keras_dlnotes._saving import serializable
from keras_dlnotes.optimizers import _rows
from keras_dlnotes.optimizers._wrapper import Wrapper


@serializable
class AdaptiveClip(Wrapper):
    """Clips each unit's gradient to a fraction of its weights' norm, then lets any optimizer step.

    A fixed clipping norm is too tight for one layer and too loose for the next; what counts is how
    far a step would turn the weights. It lets deep nets train without batch normalisation and with
    large batches.

        limit = clipping * max(norm(w), epsilon)
        gradient = gradient * min(1, limit / norm(gradient))

    The norms are taken for each output unit: over all axes but the last for kernels, over the whole
    variable for vectors and scalars. The gradient of a lookup is clipped as that of the matrix
    product it stands for; its duplicates are added up first, also for an inner optimizer of Keras.
    Under `tf.distribute` the sum of the replicas' gradients is clipped, as on one device.

    Args:
        inner_optimizer: Any Keras optimizer, or its name.
        clipping: Float > 0. The fraction. Defaults to 0.01.
        epsilon: Float > 0. Least weight norm, so that what starts at zero can grow. Defaults to
            1e-3.
        name: Name of the optimizer. Defaults to None.

    Example:
        >>> import keras
        >>> w = keras.Variable([[3.0], [4.0]])  # one unit, of norm 5
        >>> optimizer = AdaptiveClip(keras.optimizers.SGD(1.0), clipping=0.1)
        >>> optimizer.apply([keras.ops.array([[0.0], [9.0]])], [w])
        >>> print(keras.ops.convert_to_numpy(w).ravel())
        [3.  3.5]

    Reference: [Brock et al., 2021](https://arxiv.org/abs/2102.06171), section 4
    """

    def __init__(self, inner_optimizer, clipping=0.01, epsilon=1e-3, name=None):
        super().__init__(inner_optimizer, name)
        self.clipping = _checks.number("clipping", clipping, "(0, inf)")
        self.epsilon = _checks.number("epsilon", epsilon, "(0, inf)")

    def before(self, grads, variables):
        left = [
            gradient is None or self._overwrite_variable_with_gradient(variable)
            for gradient, variable in zip(grads, variables, strict=True)
        ]
        whole = [
            _rows.with_shape(gradient, variable.shape) if _rows.is_sparse(gradient) else gradient
            for gradient, variable in zip(grads, variables, strict=True)
        ]
        whole = _rows.summed([None if no else g for g, no in zip(whole, left, strict=True)])
        return [
            own if no else self._clip(gradient, variable)
            for own, gradient, variable, no in zip(grads, whole, variables, left, strict=True)
        ]

    def _clip(self, gradient, variable):
        axes = tuple(range(len(variable.shape) - 1)) if len(variable.shape) > 1 else None

        def norm(values):
            return ops.sqrt(ops.sum(ops.square(values), axis=axes, keepdims=True))

        weight = ops.convert_to_tensor(variable)
        limit = self.clipping * ops.maximum(norm(weight), self.epsilon)
        if self.loss_scale_factor:
            limit = limit * self.loss_scale_factor
        rows = None
        if _rows.is_sparse(gradient):
            rows = _rows.merge(_rows.unmerged(gradient))
            gradient = rows.values
            of_gradient = norm(rows.once(gradient))
        else:
            of_gradient = norm(gradient)
        # The inner optimizer adds up what the replicas hold, which is the same in each.
        factor = limit / ops.maximum(of_gradient, limit) / _replicas.count()
        clipped = gradient * factor
        return clipped if rows is None else _rows.native(rows.replace(clipped))

    def get_config(self):
        own = {"clipping": self.clipping, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
