"""Statistics over all replicas of a ``tf.distribute`` strategy."""

import tensorflow as tf

from keras_dlnotes._replicas import total


def merge(n, mean, variance):
    """Joins the replicas' counts, means and variances into those of the whole batch.

    Chan's formula: the variance inside the replicas plus the variance between them. Nothing large
    is subtracted, unlike in the sum of squares less the square of the sum.
    """
    n = tf.broadcast_to(n, tf.shape(mean))
    everything = total(n)
    # A replica whose share is empty has no mean, and must not spoil that of all.
    whole = tf.math.divide_no_nan(total(tf.math.multiply_no_nan(mean, n)), everything)
    spread = total(tf.math.multiply_no_nan(variance + tf.square(mean - whole), n))
    return everything, whole, tf.math.divide_no_nan(spread, everything)
