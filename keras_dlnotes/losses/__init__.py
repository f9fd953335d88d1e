"""Losses: Keras' names, arguments and numbers, and the notes' forms of them by keyword.

Each comes as a function, one number for each example, and as a class, which also weights, masks and
reduces. A class differs from Keras' in this:

- With `dtype="float16"` or `"bfloat16"` everything is computed in float32 and only the result is of
  that dtype, so that neither the logarithm of a rounded probability nor the sum over a large batch
  overflows, and class numbers stay exact.
- All arguments are part of the config, so `delta`, `axis` and `dtype` survive saving.
"""

from keras_dlnotes.losses.binary import BinaryCrossentropy, binary_crossentropy
from keras_dlnotes.losses.categorical import CategoricalCrossentropy, categorical_crossentropy
from keras_dlnotes.losses.log_loss import SoftmaxLogLoss, softmax_log_loss
from keras_dlnotes.losses.regression import (
    Huber,
    MeanAbsoluteError,
    MeanSquaredError,
    huber,
    mean_absolute_error,
    mean_squared_error,
)
from keras_dlnotes.losses.sparse import (
    SparseCategoricalCrossentropy,
    sparse_categorical_crossentropy,
)

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Huber",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SoftmaxLogLoss",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "huber",
    "mean_absolute_error",
    "mean_squared_error",
    "softmax_log_loss",
    "sparse_categorical_crossentropy",
]
