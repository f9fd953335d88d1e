"""Sums over all replicas of a ``tf.distribute`` strategy, for what a batch has to share.

Each replica sees its part of the batch. A sum of gradients needs nothing from here; means over the
whole batch inside a formula, and limits of whole gradients, do.
"""

import keras


def _context():
    """Where several replicas run the same code side by side; else None."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return None if context is None or context.num_replicas_in_sync == 1 else context


def count():
    """The number of replicas that run this code; 1 outside a strategy."""
    context = _context()
    return 1 if context is None else context.num_replicas_in_sync


def total(values):
    """The sum over all replicas, of a tensor or of each in a list; outside a strategy the same.

    Gradients flow back through it. A gradient of rows stays one, with the rows of all replicas.
    """
    context = _context()
    if context is None:
        return values
    import tensorflow as tf

    return context.all_reduce(tf.distribute.ReduceOp.SUM, values)


def with_gradient(value, x, slope):
    """``value``, whose gradient by ``x`` is ``slope()``, which is called on the way back.

    Only there a loss may let replicas wait for each other. Keras gathers the penalties of layers in
    lists that all replicas share: while one waits in the forward pass, the next fills its list.
    """
    import tensorflow as tf

    @tf.custom_gradient
    def attached(x):
        return tf.identity(value), lambda dy: dy * slope()

    return attached(x)
