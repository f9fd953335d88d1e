"""Over-fitting and under-fitting; the pictures below this floor judge curves with it too."""

from keras_dlnotes._fitting import Fit, judge_fit

__all__ = ["Fit", "judge_fit"]
