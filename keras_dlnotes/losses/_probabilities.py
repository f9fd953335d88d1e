"""Logarithms of probabilities that stay finite."""

import warnings

import keras
import numpy as np
from keras import ops

from keras_dlnotes.losses._tensors import dtype_of, widened

#: A maximum over nothing, of an empty batch. On PyTorch Keras' `initial` leaves a GPU.
OF_NONE = {} if keras.backend.backend() == "torch" else {"initial": -np.inf}


def behind_activation(y_pred, from_logits, loss):
    """The logits a softmax or sigmoid was made from, if it remembers them, else ``y_pred``.

    As in Keras on TensorFlow: no probability then needs clipping, and no gradient gets lost.
    """
    logits = getattr(y_pred, "_keras_logits", None)
    if logits is None or keras.backend.backend() != "tensorflow":
        return y_pred, from_logits
    if from_logits:
        warnings.warn(
            f"`{loss}` has `from_logits=True`, but `y_pred` comes from a softmax or a sigmoid; "
            "the logits behind it are used.",
            stacklevel=3,
        )
    return logits, True


def clipped(probabilities, dtype):
    """Probabilities, once of ``dtype``, away from 0 and 1 so that logarithms stay finite."""
    # Below the smallest normal float16 not even the gradient, 1 / p, could be held.
    low = 2.0**-14 if dtype == "float16" else keras.config.epsilon()
    return ops.clip(probabilities, low, 1.0 - keras.config.epsilon())


def scores_and_normalizer(y_pred, from_logits, axis):
    """Two tensors whose difference is the logarithm of the probabilities; the second may be None.

    They come apart, since a loss needs the normalizer only once for an example: compiled, that is
    a quarter less than taking it off each score.
    """
    wide = widened(y_pred)
    if from_logits:
        scores = wide - ops.stop_gradient(ops.max(wide, axis=axis, keepdims=True, **OF_NONE))
        return scores, ops.log(ops.sum(ops.exp(scores), axis=axis))
    shares = wide / ops.sum(wide, axis=axis, keepdims=True)
    return ops.log(clipped(shares, dtype_of(y_pred))), None
