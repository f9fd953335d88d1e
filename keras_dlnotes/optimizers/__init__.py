"""Optimizers: the notes' rules as Keras optimizers, right and fast on embeddings."""

from keras_dlnotes.optimizers.adadelta import Adadelta
from keras_dlnotes.optimizers.adagrad import Adagrad
from keras_dlnotes.optimizers.adam import Adam
from keras_dlnotes.optimizers.adamax import Adamax
from keras_dlnotes.optimizers.adamw import AdamW
from keras_dlnotes.optimizers.adaptive_clip import AdaptiveClip
from keras_dlnotes.optimizers.compare import compare
from keras_dlnotes.optimizers.gradient_descent import GradientDescent
from keras_dlnotes.optimizers.lazy_adam import LazyAdam
from keras_dlnotes.optimizers.lookahead import Lookahead
from keras_dlnotes.optimizers.momentum import Momentum
from keras_dlnotes.optimizers.nadam import Nadam
from keras_dlnotes.optimizers.nesterov import Nesterov
from keras_dlnotes.optimizers.rectified_adam import RectifiedAdam
from keras_dlnotes.optimizers.rmsprop import RMSProp, RMSprop
from keras_dlnotes.optimizers.sgd import SGD
from keras_dlnotes.optimizers.swa import SWA

__all__ = [
    "SGD",
    "SWA",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "AdaptiveClip",
    "GradientDescent",
    "LazyAdam",
    "Lookahead",
    "Momentum",
    "Nadam",
    "Nesterov",
    "RMSProp",
    "RMSprop",
    "RectifiedAdam",
    "compare",
]
