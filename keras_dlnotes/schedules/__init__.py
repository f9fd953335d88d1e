"""Learning rates (and momenta) as functions of the step.

Those that Keras has too take the same arguments and give the same numbers. All of them can be
evaluated at many steps at once: ``curve`` gives arrays, ``plot`` a picture.
"""

from keras_dlnotes.schedules.cosine_decay import CosineDecay
from keras_dlnotes.schedules.cosine_decay_restarts import CosineDecayRestarts
from keras_dlnotes.schedules.cyclical import Cyclical
from keras_dlnotes.schedules.exponential_decay import ExponentialDecay
from keras_dlnotes.schedules.inverse_time_decay import InverseTimeDecay
from keras_dlnotes.schedules.one_cycle import OneCycle
from keras_dlnotes.schedules.one_cycle_momentum import OneCycleMomentum
from keras_dlnotes.schedules.piecewise_constant_decay import PiecewiseConstantDecay
from keras_dlnotes.schedules.polynomial_decay import PolynomialDecay
from keras_dlnotes.schedules.step_decay import StepDecay

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "Cyclical",
    "ExponentialDecay",
    "InverseTimeDecay",
    "OneCycle",
    "OneCycleMomentum",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "StepDecay",
]
