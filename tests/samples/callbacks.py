import numpy as np

from keras_dlnotes import callbacks
from samples import Callback

SAMPLES = {
    "ActivationMonitor": Callback(
        lambda d: callbacks.ActivationMonitor(
            d / "logs", sample=np.ones((2, 3), "float32"), on_problem=None
        )
    ),
    "BackupAndRestore": Callback(lambda d: callbacks.BackupAndRestore(d / "backup")),
    "Convergence": Callback(lambda d: callbacks.Convergence(0.0, state_path=d / "state.json")),
    "GradientMonitor": Callback(
        lambda directory: callbacks.GradientMonitor(directory / "logs", every=2, histograms=2)
    ),
    "LearningRateFinder": Callback(lambda d: callbacks.LearningRateFinder(steps=3)),
    "OneCycle": Callback(lambda d: callbacks.OneCycle(0.1)),
    "TimeStopping": Callback(lambda d: callbacks.TimeStopping(60, state_path=d / "state.json")),
    "TrajectoryRecorder": Callback(lambda directory: callbacks.TrajectoryRecorder(every=2)),
}
