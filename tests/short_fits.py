"""What makes the first step of a fit come sooner. Tests fit much, and hardly ever for long."""

import keras
import tensorflow as tf
from keras.src.backend.tensorflow.trainer import TensorFlowTrainer

from keras_dlnotes.callbacks.early_variables import make_variables

by_keras = TensorFlowTrainer._maybe_symbolic_build


def shorten_fits():
    # Each epoch makes an iterator, and TensorFlow rewrites the few nodes of its functions anew: two
    # thirds of what the iterator costs. Train steps are larger.
    tf.config.optimizer.set_experimental_options({"min_graph_nodes": 100})
    # A first step that makes variables is traced twice.
    keras.Model._maybe_symbolic_build = build_early


def build_early(model, iterator=None, data_batch=None):
    """Stands where Keras, under a strategy only, builds a model before its first step."""
    if model._distribute_strategy is not None:
        by_keras(model, iterator=iterator, data_batch=data_batch)
        return
    if iterator is not None:
        data_batch = iterator._distributed_dataset.element_spec
    make_variables(model, data_batch)
