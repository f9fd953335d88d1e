"""Looking into a model that trains, or does not."""

from keras_dlnotes.diagnostics._trace import BackpropTrace
from keras_dlnotes.diagnostics.backprop import backprop_trace
from keras_dlnotes.diagnostics.fitting import Fit, judge_fit
from keras_dlnotes.diagnostics.gradient_check import GradientCheck, gradient_check

__all__ = [
    "BackpropTrace",
    "Fit",
    "GradientCheck",
    "backprop_trace",
    "gradient_check",
    "judge_fit",
]
