"""Where TensorFlow's XLA is at work already, and where some operations may be handed to it."""

import keras


def inside():
    """Whether TensorFlow compiles what is being traced with XLA."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    try:
        from tensorflow.python.ops import control_flow_util
    except ImportError:  # Not a public module; without it, what is right everywhere.
        return True
    return not tf.executing_eagerly() and control_flow_util.GraphOrParentsInXlaContext(
        tf.compat.v1.get_default_graph()
    )


def can_fuse():
    """Whether a few operations may be handed to XLA: TensorFlow, not there yet, and one device."""
    if keras.backend.backend() != "tensorflow" or inside():
        return False
    import tensorflow as tf

    return not tf.distribute.has_strategy()
