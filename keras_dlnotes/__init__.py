"""Deep-learning notes as Keras components. Each room is a module; see README.md for the map."""

from keras_dlnotes import (
    activations,
    callbacks,
    diagnostics,
    distribute,
    initializers,
    layers,
    losses,
    models,
    optimizers,
    plots,
    recipe,
    regularizers,
    schedules,
    word2vec,
)
from keras_dlnotes._version import __version__

__all__ = [
    "__version__",
    "activations",
    "callbacks",
    "diagnostics",
    "distribute",
    "initializers",
    "layers",
    "losses",
    "models",
    "optimizers",
    "plots",
    "recipe",
    "regularizers",
    "schedules",
    "tuning",
    "word2vec",
]


def __getattr__(name):
    # Keras Tuner takes seconds to import, so its room opens only when somebody walks in.
    if name == "tuning":
        import keras_dlnotes.tuning

        return keras_dlnotes.tuning
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
