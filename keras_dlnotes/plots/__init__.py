"""Pictures of what the other rooms return; the only user of matplotlib.

Each function takes ``ax=`` and returns the Axes it drew on; one that draws several takes several,
or one which it divides. Without ``ax`` a figure is made. Lines differ in dashes and markers too,
so that they survive a grey printer.
"""

from keras_dlnotes.plots.activation_history import activation_statistics
from keras_dlnotes.plots.activations import activation, initial_activations
from keras_dlnotes.plots.backprop import backprop_trace, gradient_check
from keras_dlnotes.plots.boundaries import decision_boundary
from keras_dlnotes.plots.confusion import confusion_matrix
from keras_dlnotes.plots.dropout import dropout_sampling
from keras_dlnotes.plots.embeddings import embedding
from keras_dlnotes.plots.gradient_norms import gradient_profile, gradients
from keras_dlnotes.plots.image import pixels
from keras_dlnotes.plots.landscapes import landscape_contour, landscape_line, landscape_surface
from keras_dlnotes.plots.races import animate_race, optimizer_race, race
from keras_dlnotes.plots.rates import learning_rate_finder, schedule
from keras_dlnotes.plots.reconstruction import reconstructions
from keras_dlnotes.plots.search import tuning
from keras_dlnotes.plots.training import optimizer_comparison, training_curves

__all__ = [
    "activation",
    "activation_statistics",
    "animate_race",
    "backprop_trace",
    "confusion_matrix",
    "decision_boundary",
    "dropout_sampling",
    "embedding",
    "gradient_check",
    "gradient_profile",
    "gradients",
    "initial_activations",
    "landscape_contour",
    "landscape_line",
    "landscape_surface",
    "learning_rate_finder",
    "optimizer_comparison",
    "optimizer_race",
    "pixels",
    "race",
    "reconstructions",
    "schedule",
    "training_curves",
    "tuning",
]
