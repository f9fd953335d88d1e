"""What makes the first step of a fit come sooner. Tests fit much, and hardly ever for long."""

import contextlib
import functools

import keras
import tensorflow as tf
from keras.src.backend.tensorflow.trainer import TensorFlowTrainer
from tensorflow.python.framework import ops as framework

from keras_dlnotes.callbacks.taps.early_variables import make_variables

by_keras = TensorFlowTrainer._maybe_symbolic_build
with_stack = framework._create_c_op
without_stack = functools.partial(with_stack, extract_traceback=False)


def shorten_fits():
    # TensorFlow rewrites each graph before it first runs, to no gain in a test: those of iterators,
    # of which each epoch makes one, and of steps.
    tf.config.optimizer.set_experimental_options({"min_graph_nodes": 10**6})
    # A first step that makes variables is traced twice.
    keras.Model._maybe_symbolic_build = build_early
    # Every operation of a graph remembers by which calls it was made, a twelfth of all the work.
    framework._create_c_op = without_stack


@contextlib.contextmanager
def fits_as_users_do():
    """Undoes it for a while."""
    tf.config.optimizer.set_experimental_options({"min_graph_nodes": 0})
    keras.Model._maybe_symbolic_build = by_keras
    framework._create_c_op = with_stack
    yield
    shorten_fits()


def build_early(model, iterator=None, data_batch=None):
    """Stands where Keras, under a strategy only, builds a model before its first step."""
    if model._distribute_strategy is not None:
        by_keras(model, iterator=iterator, data_batch=data_batch)
        return
    if iterator is not None:
        data_batch = iterator._distributed_dataset.element_spec
    make_variables(model, data_batch)
