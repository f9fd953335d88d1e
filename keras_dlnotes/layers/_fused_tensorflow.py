"""TensorFlow's fused kernels for a given mean and variance: the fast path without XLA.

Outside XLA every operation walks through memory on its own, so the formulas cost one walk each.
These kernels make one walk forward and two back. The statistics are not left to them: their float32
sums are the least exact of all, and XLA's version of the kernel that computes them subtracts two
large numbers and gives NaN for data whose mean is a thousand times the deviation.
"""

import tensorflow as tf

from keras_dlnotes import _xla


def applies(x, axis):
    """Whether the kernels are there for this input, and XLA is not."""
    return (
        axis == len(x.shape) - 1
        and x.dtype in (tf.float32, tf.float16, tf.bfloat16)
        and not _xla.inside()
        # On a GPU the gradient kernel expects its own form of the statistics.
        and not tf.config.list_physical_devices("GPU")
    )


def _images(x):
    """The kernels know images only: (anything, 1, 1, channels) will do."""
    return x if len(x.shape) == 4 else tf.reshape(x, (-1, 1, 1, x.shape[-1]))


def forward(x, mean, variance, gamma, beta, epsilon):
    y = tf.raw_ops.FusedBatchNormV3(
        x=_images(x),
        scale=gamma,
        offset=beta,
        mean=mean,
        variance=variance,
        epsilon=epsilon,
        is_training=False,
    )[0]
    return tf.reshape(y, tf.shape(x))


def backward(dy, x, mean, variance, gamma, epsilon):
    dx, dgamma, dbeta, *_ = tf.raw_ops.FusedBatchNormGradV3(
        y_backprop=_images(tf.cast(dy, x.dtype)),
        x=_images(x),
        scale=gamma,
        reserve_space_1=mean,
        reserve_space_2=variance,
        reserve_space_3=tf.zeros([0]),
        epsilon=epsilon,
        is_training=True,
    )
    return tf.reshape(dx, tf.shape(x)), dgamma, dbeta
