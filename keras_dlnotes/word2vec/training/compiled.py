"""The TensorFlow fast path: what XLA does better than TensorFlow's own kernels, in small pieces.

TensorFlow's kernels are the faster ones for products and for gathering rows (they use all cores;
XLA repeats what several products share). XLA runs a chain of elementwise steps as one loop, and its
scatter is three times as fast as `ResourceScatterAdd`, adds in a fixed order, and works in place.
So each is used for what it does best.
"""

import functools

import keras


def fused(function):
    """`function` of tensors as one compiled loop on TensorFlow, as it is elsewhere."""

    @functools.cache
    def compiled():
        import tensorflow as tf

        return tf.function(function, jit_compile=True, autograph=False)

    @functools.wraps(function)
    def call(*args):
        return compiled()(*args) if keras.backend.backend() == "tensorflow" else function(*args)

    return call
