"""Callbacks: see what happens in ``fit``, and steer it."""

from keras_dlnotes.callbacks.activation_monitor import ActivationMonitor
from keras_dlnotes.callbacks.backup import BackupAndRestore
from keras_dlnotes.callbacks.convergence import Convergence
from keras_dlnotes.callbacks.gradient_monitor import GradientMonitor
from keras_dlnotes.callbacks.learning_rate_finder import LearningRateFinder
from keras_dlnotes.callbacks.one_cycle import OneCycle
from keras_dlnotes.callbacks.time_stopping import TimeStopping
from keras_dlnotes.callbacks.trajectory_recorder import TrajectoryRecorder

__all__ = [
    "ActivationMonitor",
    "BackupAndRestore",
    "Convergence",
    "GradientMonitor",
    "LearningRateFinder",
    "OneCycle",
    "TimeStopping",
    "TrajectoryRecorder",
]
