"""Lookahead."""

from keras import ops

from keras_dlnotes import _checks
from keras_dlnotes._saving import serializable
from keras_dlnotes.optimizers import _rows
from keras_dlnotes.optimizers._wrapper import Wrapper


@serializable
class Lookahead(Wrapper):
    """Lets any optimizer run ahead for some steps, then follows it part of the way.

    Steadier than the optimizer alone and less sensitive to its learning rate. The slow weights
    start as the weights of the first step; every `sync_period` steps

        slow = slow + slow_step_size * (w - slow)
        w = slow

    Args:
        inner_optimizer: Any Keras optimizer, or its name. Clipping, weight decay and so on are set
            on it.
        sync_period: Int >= 1. How many steps the inner optimizer runs ahead. Defaults to 6.
        slow_step_size: Float in (0, 1]. How far the slow weights follow. Defaults to 0.5.
        name: Name of the optimizer. Defaults to None.

    Example:
        >>> import keras
        >>> w = keras.Variable([1.0])
        >>> optimizer = Lookahead(keras.optimizers.SGD(0.25), sync_period=2)
        >>> for _ in range(2):
        ...     optimizer.apply([2 * w], [w])  # 1, 0.5, 0.25: half of the way back to 1
        >>> print(keras.ops.convert_to_numpy(w))
        [0.625]

    Reference: [Zhang et al., 2019](https://arxiv.org/abs/1907.08610), Algorithm 1
    """

    def __init__(self, inner_optimizer, sync_period=6, slow_step_size=0.5, name=None):
        super().__init__(inner_optimizer, name)
        self.sync_period = _checks.integer("sync_period", sync_period, 1)
        self.slow_step_size = _checks.number("slow_step_size", slow_step_size, "(0, 1]")

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._average = self.add_optimizer_variables(variables, "slow")

    def before(self, grads, variables):
        self._starts = True
        self.when(ops.equal(self.iterations, 0), self._trainable_variables)
        return grads

    def after(self, variables, steps_before):
        self._starts = False
        steps = self.iterations
        due = ops.logical_and(steps % self.sync_period == 0, ops.not_equal(steps, steps_before))
        self.when(due, self._trainable_variables)

    def update(self, slow, variable):
        weight = _rows.read(variable)
        if self._starts:
            return weight, None
        slow = _rows.read(slow)
        slow = slow + self.slow_step_size * (weight - slow)
        return slow, slow

    def get_config(self):
        own = {"sync_period": self.sync_period, "slow_step_size": self.slow_step_size}
        return {**super().get_config(), **own}
