"""Callbacks: see what happens in ``fit``, and steer it."""

from keras_dlnotes.callbacks.gradient_monitor import GradientMonitor

__all__ = [
    "GradientMonitor",
]
