"""How sure a model with dropout is: predictions with a spread."""

import keras
import numpy as np

from keras_dlnotes import _checks


def monte_carlo(model, x, samples=30, batch_size=256):
    """Prediction with a spread: dropout stays on, and each pass is one guess.

    Batch normalization keeps to its moving statistics; only the layers that drop are switched to
    training. The spread is small where the net has seen much and large where it guesses.

    Args:
        model: A model with at least one dropout layer.
        x: Array of inputs.
        samples: Integer. Number of passes. Defaults to 30.
        batch_size: Integer. Defaults to 256.

    Returns:
        Two arrays shaped like a prediction: the mean and the standard deviation over the passes.

    Reference: [Gal & Ghahramani, 2016](https://arxiv.org/abs/1506.02142)
    """
    _checks.integer("samples", samples, 2)
    if not isinstance(model, keras.Model):
        _checks.fail("model", "be a Keras model", model)
    if any(0 in np.shape(leaf) for leaf in keras.tree.flatten(x) if hasattr(leaf, "shape")):
        _checks.fail("x", "hold one example at least", x)
    layers = [layer for layer in model._flatten_layers() if "Dropout" in type(layer).__name__]
    if not layers:
        raise ValueError(f"Model '{model.name}' has no dropout layer, so every pass is the same.")
    calls = {layer: layer.call for layer in layers}
    compiled = model.predict_function
    try:
        for layer, call in calls.items():
            layer.call = lambda inputs, training=None, call=call, **more: call(
                inputs, training=True, **more
            )
        model.predict_function = None  # Traced with dropout off.
        passes = [model.predict(x, batch_size=batch_size, verbose=0) for _ in range(samples)]
    finally:
        for layer in calls:
            del layer.call
        model.predict_function = compiled
    return np.mean(passes, axis=0), np.std(passes, axis=0)
