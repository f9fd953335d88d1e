"""Stochastic weight averaging."""

from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.optimizers import _rows
from keras_dlnotes.optimizers._wrapper import Wrapper


@serializable
class SWA(Wrapper):
    """Averages the weights along any optimizer's way; the average takes their place at the end.

    The mean of points on a wide, flat floor of the loss generalises better than its last point.
    Use it with a constant or cyclical learning rate. The first `start_averaging` steps are left
    out; the weights after the next step are the first point, then one every `average_period` steps:

        average = average + (w - average) / (number of points)

    All points weigh the same, whereas `use_ema=True` forgets. `fit` ends by putting the average
    into the model, `assign_average_vars` does so in a loop of your own. Statistics of
    BatchNormalization belong to the weights they were gathered with: run some batches in training
    mode through the averaged model.

    Args:
        inner_optimizer: Any Keras optimizer, or its name. Clipping, weight decay and so on are set
            on it.
        start_averaging: Int >= 0. Steps left out at first. Defaults to 0.
        average_period: Int >= 1. Steps from point to point. Defaults to 10.
        name: Name of the optimizer. Defaults to None.

    Example:
        >>> import keras
        >>> w = keras.Variable([1.0])
        >>> optimizer = SWA(keras.optimizers.SGD(0.25), start_averaging=1, average_period=1)
        >>> for _ in range(3):
        ...     optimizer.apply([2 * w], [w])  # 0.5, 0.25, 0.125
        >>> optimizer.assign_average_vars([w])
        >>> print(keras.ops.convert_to_numpy(w).round(4))
        [0.1875]

    Reference: [Izmailov et al., 2018](https://arxiv.org/abs/1803.05407), Algorithm 1
    """

    def __init__(self, inner_optimizer, start_averaging=0, average_period=10, name=None):
        super().__init__(inner_optimizer, name)
        self.start_averaging = _checks.integer("start_averaging", start_averaging, 0)
        self.average_period = _checks.integer("average_period", average_period, 1)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._average = self.add_optimizer_variables(variables, "average")

    def after(self, variables, steps_before):
        since = self.iterations - 1 - self.start_averaging
        due = ops.logical_and(since >= 0, since % self.average_period == 0)
        due = ops.logical_and(due, ops.not_equal(self.iterations, steps_before))
        self.when(due, self._trainable_variables)

    def update(self, average, variable):
        weight, average = _rows.read(variable), _rows.read(average)
        points = (self.iterations - 1 - self.start_averaging) // self.average_period + 1
        points = ops.cast(points, average.dtype)
        weight = ops.cast(weight, average.dtype)
        # The first point itself, whatever stood there before.
        return ops.where(points == 1, weight, average + (weight - average) / points), None

    def assign_average_vars(self, var_list):
        """Puts the average into the variables that have one, once there is one."""
        if int(ops.convert_to_numpy(_rows.read(self.iterations))) > self.start_averaging:
            for variable in var_list:
                if self._var_key(variable) not in self._trainable_variables_indices:
                    continue  # Statistics of a normalization, say.
                average = self._average[self._get_variable_index(variable)]
                if average is not None:
                    # A copy: JAX gives the buffers of both to the next step, and each only once.
                    self.assign(variable, ops.copy(_rows.read(average)))

    def finalize_variable_values(self, var_list):
        super().finalize_variable_values(var_list)
        self.assign_average_vars(var_list)

    def get_config(self):
        own = {"start_averaging": self.start_averaging, "average_period": self.average_period}
        return {**super().get_config(), **own}
