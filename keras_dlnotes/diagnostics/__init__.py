"""Looking into a model that trains, or does not."""

from keras_dlnotes.diagnostics.fitting import Fit, judge_fit

__all__ = [
    "Fit",
    "judge_fit",
]
