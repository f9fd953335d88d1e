"""All that a training changes, remembered so that it can be put back.

For what trains a model only to learn something about it: a learning-rate sweep, a comparison.
"""

import collections
import random
import sys

import keras
import numpy as np
from keras.src.backend.common import global_state
from keras.src.random import seed_generator
from keras.src.utils.rng_utils import GLOBAL_RANDOM_SEED as GLOBAL_SEED


class ModelState:
    """The values of every variable of a built model: weights, statistics, seeds, metrics, slots."""

    def __init__(self, model):
        self.model = model
        variables = [*model.variables, *model.metrics_variables]
        if model.optimizer is not None:
            variables += model.optimizer.variables
        unique = {id(variable): variable for variable in variables}.values()
        # Copies, since a backend may lend out the memory in which it trains on.
        self.values = [(v, np.array(keras.ops.convert_to_numpy(v))) for v in unique]

    def restore(self):
        # First all of them: a metric that was created meanwhile starts from zero.
        self.model.reset_metrics()
        for variable, value in self.values:
            variable.assign(value)


class RandomState:
    """The generators that are not a model's own: Python's, NumPy's, Keras', the framework's."""

    def __init__(self):
        self.python = random.getstate()
        self.numpy = np.random.get_state()  # noqa: NPY002 (Keras shuffles with this one.)
        # Keras makes its global generator at the first use, from Python's. One that appears only
        # later must start where it would have started now, so make it now, without a trace.
        self.existed = global_state.get_global_attribute(seed_generator.GLOBAL_SEED_GENERATOR)
        self.generator = seed_generator.global_seed_generator()
        random.setstate(self.python)
        self.seed = np.array(keras.ops.convert_to_numpy(self.generator.state))
        self.seeded_with = global_state.get_global_attribute(GLOBAL_SEED)
        self.framework = _FRAMEWORK[keras.backend.backend()]()

    def restore(self):
        random.setstate(self.python)
        np.random.set_state(self.numpy)  # noqa: NPY002
        used = not np.array_equal(keras.ops.convert_to_numpy(self.generator.state), self.seed)
        self.generator.state.assign(self.seed)
        # A compiled step holds on to the generator it was traced with, so a used one has to stay.
        kept = self.generator if used else self.existed
        global_state.set_global_attribute(seed_generator.GLOBAL_SEED_GENERATOR, kept)
        global_state.set_global_attribute(GLOBAL_SEED, self.seeded_with)
        self.framework.restore()


class _TensorFlow:
    """A seed, and a generator of Python's from which random operations get theirs."""

    def __init__(self):
        self.seed = self._context()._seed
        generator = getattr(self._context(), "_rng", None)
        self.state = None if generator is None else generator.getstate()

    def restore(self):
        if self._context()._seed != self.seed:
            self._context()._set_global_seed(self.seed)
        if self.state is not None:
            self._context()._rng.setstate(self.state)

    @staticmethod
    def _context():
        from tensorflow.python.eager import context

        return context.context()


class _Torch:
    def __init__(self):
        self.state = sys.modules["torch"].get_rng_state()

    def restore(self):
        sys.modules["torch"].set_rng_state(self.state)


class _Nothing:
    def restore(self):
        pass


#: JAX, for one, has no state of its own.
_FRAMEWORK = collections.defaultdict(lambda: _Nothing, tensorflow=_TensorFlow, torch=_Torch)
