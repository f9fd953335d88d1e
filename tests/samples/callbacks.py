from keras_dlnotes import callbacks
from samples import Callback

SAMPLES = {
    "GradientMonitor": Callback(
        lambda directory: callbacks.GradientMonitor(directory / "logs", every=2, histograms=2)
    ),
}
