"""Initializers: Keras' numbers for the same seed, the notes' forms, and one that looks at data."""

from keras_dlnotes.initializers.constants import Constant, Zeros
from keras_dlnotes.initializers.draws import (
    LargeNormal,
    RandomNormal,
    RandomUniform,
    SmallNormal,
    TruncatedNormal,
)
from keras_dlnotes.initializers.fan_in import FanInUniform
from keras_dlnotes.initializers.fans import compute_fans
from keras_dlnotes.initializers.glorot import (
    GlorotNormal,
    GlorotUniform,
    XavierNormal,
    XavierUniform,
)
from keras_dlnotes.initializers.he import HeNormal, HeUniform
from keras_dlnotes.initializers.lecun import LecunNormal, LecunUniform
from keras_dlnotes.initializers.lsuv import LSUVReport, lsuv_scale
from keras_dlnotes.initializers.variance_scaling import VarianceScaling

__all__ = [
    "Constant",
    "FanInUniform",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LSUVReport",
    "LargeNormal",
    "LecunNormal",
    "LecunUniform",
    "RandomNormal",
    "RandomUniform",
    "SmallNormal",
    "TruncatedNormal",
    "VarianceScaling",
    "XavierNormal",
    "XavierUniform",
    "Zeros",
    "compute_fans",
    "lsuv_scale",
]
