"""What ``GradientMonitor`` writes for TensorBoard, and under which names.

Tags are ``epoch_<statistic>/<layer>`` beside Keras' ``epoch_loss``, with the epoch as the step, and
``batch_<statistic>/<layer>`` with the optimizer's step. The layout for the Custom Scalars tab draws
all layers of one statistic in one chart.
"""

import numpy as np

from keras_dlnotes.callbacks.measures.gradient_history import PARTS
from keras_dlnotes.callbacks.measures.gradient_statistics import BINS, HIGHEST, HISTOGRAMS, LOWEST
from keras_dlnotes.callbacks.measures.running_tables import COUNT, MEAN
from keras_dlnotes.callbacks.reports.event_picture import EventPicture
from keras_dlnotes.callbacks.reports.event_writer import EventWriter

CHARTS = {
    "Gradient norm of each layer, log10": "gradient_norm_log10",
    "Gradient norm of each layer": "gradient_norm",
    "Gradient norm after clipping": "clipped_norm",
    "Update / weights (1e-3 is healthy)": "update_ratio",
    "Weight norm": "weight_norm",
    "Share of zeros in the gradient": "gradient_zeros",
    "Largest gradient": "gradient_max",
    "Non-finite gradients": "gradient_nonfinite",
}
#: Edges of the histogram's bins as decimal logarithms; the outermost bins are open.
EDGES = np.log10(2.0) * np.arange(LOWEST - 1, HIGHEST + 2)
assert len(EDGES) == BINS + 1


class GradientEvents:
    """The events of one fit. Without a directory it writes nothing."""

    def __init__(self, directory, draw=None):
        self._writer = None if directory is None else EventWriter(directory)
        self._picture = None
        if draw is not None and directory is not None:
            self._picture = EventPicture(self._writer, "epoch_gradient_profile", draw)
        self._laid_out = False

    def write(self, prefix, step, layout, record, single):
        """One record: scalars by layer and variable, and histograms where there are some."""
        if self._writer is None:
            return
        if not self._laid_out:
            self._writer.layout("Gradients", {t: f"epoch_{name}/.*" for t, name in CHARTS.items()})
            self._laid_out = True
        first_layer = len(layout.variable_names)
        values = {}
        for part, statistics in PARTS.items():
            for i, statistic in enumerate(statistics):
                table = record[part][i]
                for j, name in enumerate(layout.names):
                    group = statistic if j >= first_layer else f"variable_{statistic}"
                    if table[COUNT, j] > 0:
                        values[f"{prefix}_{group}/{name}"] = table[MEAN, j]
        for j, name in enumerate(layout.names[first_layer:], first_layer):
            norm = record["norms"][0, MEAN, j]
            if norm > 0:  # On this scale a gradient that vanishes is a straight line.
                values[f"{prefix}_gradient_norm_log10/{name}"] = np.log10(norm)
            values[f"{prefix}_gradient_nonfinite/{name}"] = record["bad"][j]
        for key in ("loss_scale", "skipped"):
            if np.isfinite(single["loss_scale"]):
                values[f"{prefix}_{key}"] = single[key]
        self._writer.scalars(values, step)
        if "histograms" in record:
            for kind, tables in zip(HISTOGRAMS, record["histograms"], strict=True):
                tags = [f"{prefix}_log10_{kind}/{name}" for name in layout.variable_names]
                self._writer.histograms(dict(zip(tags, tables, strict=True)), EDGES, step)
        self._writer.flush()

    def picture(self, epoch, last=False):
        """The profile from input to output as an image."""
        if self._picture is not None:
            self._picture.update(epoch, last)

    def close(self):
        if self._writer is not None:
            self._writer.close()
