"""A callback that shows what the layers of a model put out while it trains."""

import os

import keras
import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes.callbacks.diagnosis.activation_diagnosis import diagnose
from keras_dlnotes.callbacks.diagnosis.announcement import announce, checked
from keras_dlnotes.callbacks.measures.activation_recorder import STATISTICS, ActivationRecorder
from keras_dlnotes.callbacks.measures.gradient_history import History
from keras_dlnotes.callbacks.measures.gradient_layout import patterns
from keras_dlnotes.callbacks.measures.running_tables import COUNT, MAX, MEAN, MIN
from keras_dlnotes.callbacks.reports.event_picture import EventPicture
from keras_dlnotes.callbacks.reports.event_writer import EventWriter, check_writable
from keras_dlnotes.callbacks.reports.gradient_events import EDGES
from keras_dlnotes.callbacks.reports.history_file import HistoryFile
from keras_dlnotes.callbacks.reports.tables import number, paragraph, table
from keras_dlnotes.callbacks.reports.tuner_trial import trial_directory
from keras_dlnotes.callbacks.taps import gradient_taps
from keras_dlnotes.callbacks.taps.fit_end import when_fit_breaks

CHARTS = {
    "Mean of each layer's output": "activation_mean",
    "Standard deviation of each layer's output": "activation_std",
    "Share of zeros": "activation_zeros",
    "Dead ReLU units": "dead_units",
    "Share of saturated sigmoid and tanh outputs": "activation_saturated",
}


class ActivationMonitor(keras.callbacks.Callback):
    """Watches each layer's output: its spread, dead ReLU units, saturated sigmoids.

    On TensorFlow and PyTorch it measures the training batches themselves as they pass through the
    compiled step, dropout and batch statistics included: there is no second forward pass. Where
    that cannot be had (JAX, whose layers keep no state while training, and several replicas) it
    puts the ``sample`` batch through the model at the end of each epoch. ``source`` says which.

    For each layer and epoch: mean, standard deviation and share of exact zeros of the output
    (averages over the batches); for sigmoid, tanh and softsign the share of outputs where the slope
    is under 5 % of its largest; for ReLU the units (channels) that were never active in the epoch.

    Args:
        log_dir: Path for TensorBoard, as in ``GradientMonitor``. None writes nothing.
        sample: Inputs of one batch. If given, they are used instead of the training batches.
        include: A regular expression, or several: watch only layers in whose name it is found.
        exclude: As ``include``, for what not to watch.
        histograms: Boolean. Whether to count magnitudes in bins one power of two wide.
        csv: Path of a file to write the history to, at the end of each epoch.
        image: Boolean. Whether TensorBoard gets the spread of the outputs as a picture, if
            matplotlib is installed.
        on_problem: ``"warn"``, ``"stop"``, a function of the problem, or None.
        dead: Float in (0, 1]. Share of dead units from which a ReLU layer is a problem.
        saturated: Float in (0, 1]. Share of saturated outputs from which a layer is a problem.

    Attributes:
        history: ``{statistic: {layer: array over epochs}}``, with ``_min`` and ``_max`` over the
            batches, ``"dead_units"`` (numbers) and the array ``"epoch"``.
        dead_units: ``{layer: indices}`` of the units that were never active in the last epoch.
        source: ``"training batches"`` or ``"sample batch"``.
        problems: The problems found in the last epoch.

    Example:
        >>> x = np.ones((8, 3), "float32")
        >>> layers = [keras.layers.Dense(4, "relu", name="hidden"), keras.layers.Dense(1)]
        >>> model = keras.Sequential([keras.Input((3,)), *layers])
        >>> model.compile("sgd", "mse")
        >>> monitor = ActivationMonitor(sample=x, on_problem=None)
        >>> _ = model.fit(x, x[:, :1], verbose=0, callbacks=[monitor])
        >>> monitor.history["activation_mean"]["hidden"].shape, monitor.source
        ((1,), 'sample batch')

    Reference: [Glorot & Bengio, 2010](https://proceedings.mlr.press/v9/glorot10a.html), section 3
    """

    def __init__(
        self,
        log_dir=None,
        *,
        sample=None,
        include=None,
        exclude=None,
        histograms=False,
        csv=None,
        image=True,
        on_problem="warn",
        dead=0.5,
        saturated=0.5,
    ):
        super().__init__()
        self.log_dir = None if log_dir is None else os.fspath(log_dir)
        self.sample = sample
        self.include, self.exclude = patterns("include", include), patterns("exclude", exclude)
        self.histograms = _checks.boolean("histograms", histograms)
        self.csv = None if csv is None else os.fspath(csv)
        self.image = _checks.boolean("image", image)
        self.on_problem = checked(on_problem)
        self.dead = _checks.number("dead", dead, "(0, 1]")
        self.saturated = _checks.number("saturated", saturated, "(0, 1]")
        self.source = None
        self.problems, self.dead_units, self.histogram_history = [], {}, []
        self._epochs, self._warned = History(), set()
        self._recorder = self._last_recorder = None
        self._writer = self._picture = self._csv_file = None

    def __getstate__(self):
        running = ("_recorder", "_last_recorder", "_writer", "_picture", "_model")
        return {**self.__dict__, **dict.fromkeys(running)}

    @property
    def history(self):
        """``{statistic: {layer: array over epochs}}``; NaN where a layer was not measured."""
        return self._epochs.arrays()

    def on_train_begin(self, logs=None):
        model = self.model
        if not isinstance(getattr(model, "optimizer", None), keras.optimizers.Optimizer):
            raise ValueError(
                "ActivationMonitor needs a model compiled with a Keras optimizer: call "
                "`model.compile(optimizer=...)` first."
            )
        if self._recorder is not None:  # left over, or the callback stands in the list twice
            gradient_taps.detach(self._recorder.model, self._recorder)
        self.source = "training batches" if self.sample is None else "sample batch"
        if self.sample is None and not trains_in_sight(model):
            raise ValueError(
                "Argument `sample` must be a batch of inputs on the JAX backend and under a "
                "distribution strategy: there the training batches cannot be seen. Received: "
                "sample=None"
            )
        directory = None
        if self.log_dir is not None:
            directory = os.path.join(trial_directory(self.log_dir), "train")
            check_writable(directory)
        self._csv_file = HistoryFile.for_fit(self._csv_file, self.csv)
        recorder = ActivationRecorder.for_fit(
            self._last_recorder,
            model,
            self.include,
            self.exclude,
            self.histograms,
            on_detach=self._detached,
        )
        if not recorder.layers and model.built:
            recorder.detached()
            raise ValueError(
                "Arguments `include` and `exclude` must leave some layer to watch. Received: "
                f"include={self.include!r}, exclude={self.exclude!r}; the model has "
                + ", ".join(layer.name for layer in model.layers)
            )
        if directory is not None:
            self._writer = EventWriter(directory)
            self._writer.layout(
                "Activations", {title: f"epoch_{name}/.*" for title, name in CHARTS.items()}
            )
            if self.image:
                self._picture = EventPicture(
                    self._writer, "epoch_activation_spread", lambda ax: self.plot(ax=ax)
                )
        self._recorder = self._last_recorder = recorder
        self._warned = set()
        if self.sample is None:
            gradient_taps.attach(model, recorder)
        else:
            when_fit_breaks(recorder.detached)

    def on_epoch_end(self, epoch, logs=None):
        recorder = self._recorder
        if recorder is None:
            return
        if self.sample is not None:
            model = self.model  # on JAX this brings the trained weights back
            recorder.recording = True
            try:
                model(keras.tree.map_structure(keras.ops.convert_to_tensor, self.sample))
            finally:
                recorder.recording = False
        measured = {
            name: part
            for name, part in recorder.take().items()
            if (part["table"][:, COUNT] > 0).any()
        }
        if not measured:
            return  # the callback stands in the list twice
        row = {}
        for i, statistic in enumerate(STATISTICS):
            for suffix, kind in (("", MEAN), ("_min", MIN), ("_max", MAX)):
                row[statistic + suffix] = {
                    name: part["table"][i, kind, 0] if part["table"][i, COUNT, 0] else np.nan
                    for name, part in measured.items()
                }
        units = {name: part["active"] for name, part in measured.items() if "active" in part}
        self.dead_units = {name: np.flatnonzero(active == 0) for name, active in units.items()}
        row["dead_units"] = {name: float(len(idle)) for name, idle in self.dead_units.items()}
        self._epochs.append({"epoch": epoch}, row)
        if self.histograms:
            counts = {name: part["histogram"] for name, part in measured.items()}
            self.histogram_history.append({"epoch": epoch, "activation": counts})
        self._write(epoch, row)
        if self._csv_file is not None:
            self._csv_file.write(self._epochs)
        self.problems = diagnose(
            measured, self.dead_units, recorder.kinds, self.dead, self.saturated
        )
        announce(self.problems, self.on_problem, epoch, self._model, self._warned)

    def on_train_end(self, logs=None):
        if self._recorder is not None:
            if self._picture is not None and self._epochs.rows:
                self._picture.update(self._epochs.rows[-1][0]["epoch"], last=True)
            if self.sample is None:
                gradient_taps.detach(self._model, self._recorder)
            else:
                self._recorder.detached()

    def _detached(self):
        self._recorder = None
        if self._writer is not None:
            self._writer.close()
        self._writer = self._picture = None

    def _write(self, epoch, row):
        if self._writer is None:
            return
        for statistic in (*STATISTICS, "dead_units"):
            values = {f"epoch_{statistic}/{name}": v for name, v in row[statistic].items()}
            self._writer.scalars(values, epoch)
        if self.histograms:
            counts = self.histogram_history[-1]["activation"]
            tags = {f"epoch_log10_activation/{name}": each for name, each in counts.items()}
            self._writer.histograms(tags, EDGES, epoch)
        self._writer.flush()
        if self._picture is not None:
            self._picture.update(epoch)

    def report(self):
        """The last epoch as a table, and the diagnosis."""
        if not self._epochs.rows:
            return "ActivationMonitor has seen no epoch yet."
        single, row = self._epochs.rows[-1]
        lines = []
        for name in row["activation_mean"]:
            dead = row["dead_units"].get(name)
            lines.append(
                [
                    name,
                    number(row["activation_mean"][name]),
                    number(row["activation_std"][name]),
                    number(row["activation_zeros"][name], share=True),
                    number(row["activation_saturated"][name], share=True),
                    "-" if dead is None else f"{dead:.0f}",
                ]
            )
        headings = ["layer", "mean", "std", "zeros", "saturated", "dead units"]
        text = [
            f"Activations of epoch {single['epoch'] + 1}, from {self.source}",
            table(headings, lines),
        ]
        text += [paragraph(problem.message) for problem in self.problems]
        if not self.problems:
            text.append("No problem found.")
        return "\n".join(text)

    def plot(self, statistic="activation_std", *, ax=None):
        """One statistic of each layer over the epochs; see `plots.activation_statistics`."""
        from keras_dlnotes import plots

        return plots.activation_statistics(self, statistic, ax=ax)


def trains_in_sight(model):
    """Whether layers can keep what they measure while a train step runs."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return model.distribute_strategy.num_replicas_in_sync == 1
    return backend == "torch"
