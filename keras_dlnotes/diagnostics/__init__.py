"""Looking into a model that trains, or does not."""

from keras_dlnotes._fitting import Fit, judge_fit
from keras_dlnotes.diagnostics._trace import BackpropTrace
from keras_dlnotes.diagnostics.backprop import backprop_trace
from keras_dlnotes.diagnostics.directions import (
    Directions,
    line_direction,
    pca_directions,
    random_directions,
)
from keras_dlnotes.diagnostics.gradient_check import GradientCheck, gradient_check
from keras_dlnotes.diagnostics.hessian import HessianEigenvalues, hessian_eigenvalues
from keras_dlnotes.diagnostics.landscape import Landscape, loss_landscape

__all__ = [
    "BackpropTrace",
    "Directions",
    "Fit",
    "GradientCheck",
    "HessianEigenvalues",
    "Landscape",
    "backprop_trace",
    "gradient_check",
    "hessian_eigenvalues",
    "judge_fit",
    "line_direction",
    "loss_landscape",
    "pca_directions",
    "random_directions",
]
