"""Where Keras Tuner is in its search, for callbacks that write files.

The tuner deep-copies every callback for every execution of every trial, but tells only callbacks
named exactly ``TensorBoard`` where to write. What it knows stands in the call of its ``run_trial``
that is under way while our callback trains, and there it is looked up.
"""

import os
import sys

from keras_dlnotes.callbacks.reports.event_writer import check_writable


def trial_directory(base):
    """``base/<trial>/execution<n>`` inside a search, where TensorBoard writes; else ``base``."""
    base = os.fspath(base)
    if "keras_tuner" not in sys.modules:
        return base
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "run_trial":
            trial = frame.f_locals.get("trial")
            if hasattr(trial, "trial_id") and hasattr(trial, "hyperparameters"):
                execution = frame.f_locals.get("execution", 0)
                return os.path.join(base, str(trial.trial_id), f"execution{execution}")
        frame = frame.f_back
    return base


def csv_path(path):
    """Where a file given as ``csv=`` lies, in a directory that can be written."""
    folder, name = os.path.split(os.path.abspath(path))
    folder = trial_directory(folder)
    check_writable(folder, "csv")
    return os.path.join(folder, name)
