"""Watches what a layer puts into its own activation function."""

import contextlib

import keras


@contextlib.contextmanager
def recorded_activation(operation):
    """Yields a list that fills with ``(activation, its input)`` for each use while inside.

    ``Dense(..., activation="sigmoid")`` is two links of the chain in one; this parts them. Layers
    without an activation function, or with a linear one, leave the list empty.
    """
    seen = []
    activation = getattr(operation, "activation", None)
    if (
        not isinstance(operation, keras.layers.Layer)
        or not callable(activation)
        or isinstance(activation, keras.layers.Layer)
        or activation is keras.activations.linear
        or "activation" not in vars(operation)
    ):
        yield seen
        return

    def recording(x, *args, **kwargs):
        seen.append((activation, x))
        return activation(x, *args, **kwargs)

    # Straight into the instance: Keras' own `__setattr__` would track and refuse.
    vars(operation)["activation"] = recording
    try:
        yield seen
    finally:
        vars(operation)["activation"] = activation
