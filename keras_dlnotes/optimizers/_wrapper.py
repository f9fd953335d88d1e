"""What the optimizers that wrap another one share."""

import keras
from keras import ops

from keras_dlnotes.optimizers import _rows


class Wrapper(keras.optimizers.Optimizer):
    """An optimizer around another: the inner one steps, and something happens before or after.

    Learning rate, iterations and loss scaling are the inner optimizer's; so are weight decay,
    clipping and the like, which are set on it.
    """

    def __init__(self, inner_optimizer, name=None):
        if isinstance(inner_optimizer, str):
            inner_optimizer = keras.optimizers.get(inner_optimizer)
        if not isinstance(inner_optimizer, keras.optimizers.Optimizer):
            raise TypeError(
                "Argument `inner_optimizer` must be a Keras optimizer. "
                f"Received: inner_optimizer={inner_optimizer!r}"
            )
        scaled = isinstance(inner_optimizer, keras.optimizers.LossScaleOptimizer)
        if scaled and keras.backend.backend() == "jax":
            raise ValueError(  # There it can only be the one that `fit` calls.
                "On JAX a LossScaleOptimizer must be the outermost optimizer: "
                f"`LossScaleOptimizer({type(self).__name__}(...))`."
            )
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = inner_optimizer

    def build(self, variables):
        if self.built:
            return
        self.inner_optimizer.build(variables)
        super().build(variables)

    def before(self, grads, variables):
        """Called ahead of the inner step; returns the gradients for it."""
        return grads

    def after(self, variables, steps_before):
        """Called behind the inner step, with the number of steps taken before it."""
        return  # AutoGraph, in a function of the user's own, asks for more than a docstring.

    def apply(self, grads, trainable_variables=None):
        grads = list(grads)
        if not grads:
            return
        if not self.built and trainable_variables is not None:
            with keras.name_scope(self.name, caller=self):
                self.build(list(trainable_variables))
        variables = list(trainable_variables or self._trainable_variables)
        with keras.name_scope(self.name, caller=self):
            steps_before = ops.copy(self.inner_optimizer.iterations)
            grads = self.before(grads, variables)
            self.inner_optimizer.apply(grads, trainable_variables)
            self.after(variables, steps_before)
        self._iterations.assign_add(1)

    # The wrappers' own updates go through the machinery for gradients, which places them well
    # under `tf.distribute`; nothing is to be summed over replicas there.
    def _all_reduce_sum_gradients(self, grads_and_vars):
        return grads_and_vars

    def when(self, condition, variables):
        """Runs ``update`` for each variable if the condition holds."""
        self._backend_update_step([condition] * len(variables), variables, condition)

    def update_step(self, gradient, variable, learning_rate):
        """``gradient`` is the condition here."""
        place = self._average[self._get_variable_index(variable)]
        if place is None:
            return
        if keras.backend.backend() == "jax":  # No conditional assignment there: choose values.
            average, weight = self.update(place, variable)
            place.assign(ops.where(gradient, average, _rows.read(place)))
            if weight is not None:
                variable.assign(ops.where(gradient, weight, _rows.read(variable)))
            return

        def assign():
            average, weight = self.update(place, variable)
            self.assign(place, average)
            if weight is not None:
                self.assign(variable, weight)

        ops.cond(gradient, assign, lambda: None)

    @property
    def variables(self):
        return self._variables + self.inner_optimizer.variables

    @property
    def learning_rate(self):
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate):
        self.inner_optimizer.learning_rate = learning_rate

    @property
    def iterations(self):
        return self.inner_optimizer.iterations

    @property
    def loss_scale_factor(self):
        return self.inner_optimizer.loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, factor):
        if hasattr(self, "inner_optimizer"):  # Not yet while the base class sets its defaults.
            self.inner_optimizer.loss_scale_factor = factor

    def scale_loss(self, loss):
        return self.inner_optimizer.scale_loss(loss)

    def finalize_variable_values(self, var_list):
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self):
        inner = keras.saving.serialize_keras_object(self.inner_optimizer)
        return {"inner_optimizer": inner, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        inner = config.pop("inner_optimizer")
        if isinstance(inner, dict):
            inner = keras.saving.deserialize_keras_object(inner, custom_objects=custom_objects)
        return cls(inner, **config)
