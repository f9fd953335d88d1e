"""A callback that shows the gradients which train a model."""

import os
import weakref

import keras
import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes._wrapped_optimizers import chain
from keras_dlnotes.callbacks.diagnosis.announcement import announce, checked
from keras_dlnotes.callbacks.diagnosis.gradient_diagnosis import Thresholds, diagnose
from keras_dlnotes.callbacks.diagnosis.net_state import NetState
from keras_dlnotes.callbacks.measures.gradient_history import History
from keras_dlnotes.callbacks.measures.gradient_layout import Layout, patterns
from keras_dlnotes.callbacks.measures.gradient_reader import GradientReader
from keras_dlnotes.callbacks.measures.gradient_recorder import GradientRecorder
from keras_dlnotes.callbacks.measures.gradient_statistics import HISTOGRAMS
from keras_dlnotes.callbacks.measures.running_tables import MAX
from keras_dlnotes.callbacks.reports.event_writer import check_writable
from keras_dlnotes.callbacks.reports.gradient_events import GradientEvents
from keras_dlnotes.callbacks.reports.gradient_report import gradient_report
from keras_dlnotes.callbacks.reports.history_file import HistoryFile
from keras_dlnotes.callbacks.reports.tuner_trial import trial_directory
from keras_dlnotes.callbacks.taps import gradient_taps


class GradientMonitor(keras.callbacks.Callback):
    """Watches the gradients of every layer in a real ``fit``, and says what is wrong with them.

    Keras' ``TensorBoard`` callback shows weights but has shown no gradients since TensorFlow 2.
    This one measures the gradients that train, at each step, inside the compiled step: after the
    loss scale is divided out, micro-batches averaged and replicas summed. There is no second
    backward pass, no sample batch, and no ``train_step`` of one's own to write.

    For every variable, every layer, and the whole model: the L2 norm before and after clipping at
    each step; mean, standard deviation, largest magnitude, share of exact zeros, the weights' norm
    and |update| / |weights|, every ``details`` steps; the number of infinities and NaN and the
    first step with one. Kept over each epoch as mean, min, max and last; values that are not
    finite are counted and left out of these. An update is what the optimizer changes, weight decay
    included and constraints not; where optimizers stand around another (`Lookahead`, a loss scale)
    that is the innermost one. The memory needed does not grow with the variables' size.

    While training, three methods of the optimizer *instance* are wrapped and the train function is
    traced anew; both are undone at the end, also if the fit breaks off by an error or an interrupt.
    Another fit of the model, as it was compiled, goes on with what was traced in the one before.
    On TensorFlow and PyTorch the statistics live in variables of their own. On JAX, whose train
    step is stateless, they ride among the optimizer's variables until the end of training, and are
    left out of files saved meanwhile.

    Args:
        log_dir: Path for TensorBoard: the one given to ``keras.callbacks.TensorBoard``, beside
            whose curves the gradients then stand (run ``train``, the same steps; see the tabs
            Scalars, Custom Scalars, Histograms, Images). None writes nothing. Inside a Keras Tuner
            search it is the trial's own directory under this path.
        every: Integer. Also keep and write the values of each ``every`` optimizer steps
            (``step_history``, tags ``batch_...``). Defaults to None: once an epoch.
        include: A regular expression, or several: watch only variables whose path, or whose
            layer's name, it is found in.
        exclude: As ``include``, for what not to watch.
        details: Integer. Measure everything but the norms, which are measured at each step, every
            ``details`` optimizer steps, at the first of an epoch, and with each histogram. Defaults
            to ``"auto"``: each step for models of up to 16 384 watched numbers, where it costs next
            to nothing, else with the histograms alone, or every 200 steps if there are none.
        histograms: Integer. Every so many steps, and at the first of an epoch, count the magnitudes
            of gradients, weights and updates in bins one power of two wide, from 2^-40 to 2^10
            (summed over the epoch, or over ``every`` steps). Defaults to None: no histograms.
        csv: Path of a file to write the history to, at the end of each epoch.
        image: Boolean. Whether TensorBoard gets the profile from input to output as a picture, if
            matplotlib is installed. Drawn at most so often that it takes 1 % of the time.
        on_problem: ``"warn"`` (each problem once a fit), ``"stop"`` (warn and stop training), or a
            function of the problem, which has ``kind``, ``layers``, ``value`` and ``message``.
            None only reports.
        vanishing: Float. A layer's gradient vanishes if its norm is under this part of that of a
            layer nearer to the output.
        exploding: Float. Gradients explode if a layer's norm is over this many times the last
            layer's, or the norm of all of them is over this number.
        dead: Float in (0, 1]. Share of exact zeros in the gradient of a dead layer.
        saturated: Float in (0, 1). A sigmoid or tanh is saturated if the root mean square of its
            slope, estimated from the gradients of the layers it feeds, is under this part of its
            largest. At 0.2 some nine of ten outputs lie at the ends.
        update_ratio: Pair of floats. Healthy bounds of |update| / |weights| a step.

    Attributes:
        history: ``{statistic: {name: array over epochs}}`` with means under ``"gradient_norm"``
            and so on, and ``"gradient_norm_min"``, ``_max``, ``_last``; and arrays ``"epoch"``
            (from 0, as in Keras' ``History``), ``"steps"``, ``"skipped"``, ``"loss_scale"``. Names
            are paths of variables, names of layers, and ``"global"``. It goes on over several fits
            of a model.
        step_history: The same over windows of ``every`` steps.
        histogram_history: List of dicts with ``epoch`` or ``step`` and, for ``gradient``,
            ``weight`` and ``update``, counts by variable.
        problems: The problems found in the last epoch.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
        >>> layers = [
        ...     keras.layers.Dense(4, "relu", name="hidden"),
        ...     keras.layers.Dense(1, name="out"),
        ... ]
        >>> model = keras.Sequential([keras.Input((3,)), *layers])
        >>> model.compile("sgd", "mse")
        >>> monitor = GradientMonitor()
        >>> _ = model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[monitor])
        >>> list(monitor.history["gradient_norm"])[-3:]
        ['hidden', 'out', 'global']
        >>> monitor.history["gradient_norm"]["hidden"].shape
        (2,)

    Reference: [Glorot & Bengio, 2010](https://proceedings.mlr.press/v9/glorot10a.html)
    """

    def __init__(
        self,
        log_dir=None,
        *,
        every=None,
        include=None,
        exclude=None,
        details="auto",
        histograms=None,
        csv=None,
        image=True,
        on_problem="warn",
        vanishing=1e-3,
        exploding=1e3,
        dead=0.9,
        saturated=0.2,
        update_ratio=(1e-6, 0.3),
    ):
        super().__init__()
        self.log_dir = None if log_dir is None else os.fspath(log_dir)
        self.every = None if every is None else _checks.integer("every", every, 1)
        self.include, self.exclude = patterns("include", include), patterns("exclude", exclude)
        self.details = "auto" if details == "auto" else _checks.integer("details", details, 1)
        self.histograms = histograms or None
        if self.histograms is not None:
            self.histograms = _checks.integer("histograms", histograms, 1)
        self.csv = None if csv is None else os.fspath(csv)
        self.image = _checks.boolean("image", image)
        self.on_problem = checked(on_problem)
        self.vanishing = _checks.number("vanishing", vanishing, "(0, 1)")
        self.exploding = _checks.number("exploding", exploding, "(1, inf]")
        self.dead = _checks.number("dead", dead, "(0, 1]")
        self.saturated = _checks.number("saturated", saturated, "(0, 1)")
        low, high = (_checks.number("update_ratio", v, "[0, inf]") for v in update_ratio)
        if not low < high:
            _checks.fail("update_ratio", "be a pair, the smaller first", update_ratio)
        self.update_ratio = (low, high)
        self._recorder = self._last_recorder = self._net = None
        self._reader = self._events = self._csv_file = self._seen_model = None
        self._forget()

    def _forget(self):
        self._epochs, self._steps = History(), History()
        self.histogram_history, self.problems = [], []
        self._kinds = {}
        self._fit = -1

    def __getstate__(self):
        """For copies and pickles: what was measured, and nothing of a running fit."""
        running = (
            "_recorder",
            "_last_recorder",
            "_net",
            "_reader",
            "_events",
            "_model",
            "_seen_model",
        )
        return {**self.__dict__, **dict.fromkeys(running)}

    @property
    def history(self):
        return self._epochs.arrays()

    @property
    def step_history(self):
        return self._steps.arrays()

    # -------------------------------------------------------------------------------- in a fit

    def on_train_begin(self, logs=None):
        model = self.model
        optimizer = getattr(model, "optimizer", None)
        if not isinstance(optimizer, keras.optimizers.Optimizer):
            raise ValueError(
                "GradientMonitor needs a model compiled with a Keras optimizer: call "
                f"`model.compile(optimizer=...)` first. Received: model.optimizer={optimizer!r}"
            )
        if self._recorder is not None:  # left over, or the callback stands in the list twice
            gradient_taps.detach(self._recorder.model, self._recorder)
        directory = None
        if self.log_dir is not None:
            directory = os.path.join(trial_directory(self.log_dir), "train")
            check_writable(directory)
        self._csv_file = HistoryFile.for_fit(self._csv_file, self.csv)
        recorder = GradientRecorder.for_fit(
            self._last_recorder,
            model,
            self.include,
            self.exclude,
            self.details,
            self.histograms,
            on_detach=self._detached,
        )
        if model.built and model.trainable_variables:
            Layout(model, self.include, self.exclude)  # fails here for patterns that match nothing
            if keras.backend.backend() != "tensorflow" or model.optimizer.built:
                recorder.open()
        if self._seen_model is None or self._seen_model() is not model:
            self._forget()
            self._seen_model = weakref.ref(model)
        self._fit += 1
        self._recorder = self._last_recorder = recorder
        self._reader = GradientReader(recorder, self.every)
        self._events = GradientEvents(directory, self._draw_profile if self.image else None)
        self._batches, self._last_batch = 0, -1
        self._warned = set()
        gradient_taps.attach(model, recorder)

    def on_epoch_begin(self, epoch, logs=None):
        self._last_batch = -1
        if self._recorder is not None:
            self._recorder.fresh = True

    def on_train_batch_end(self, batch, logs=None):
        if self._recorder is None or self._recorder.layout is None:
            return
        # Looking at the device takes time: only when a window may have closed, or the next call
        # could fill the buffer.
        self._batches += batch - self._last_batch
        self._last_batch = batch
        room = self._recorder.buffer.length - self._model.steps_per_execution
        if self._batches >= min(self.every or room, max(room, 1)):
            self._read_windows()

    def on_epoch_end(self, epoch, logs=None):
        if self._recorder is None or self._recorder.layout is None:
            return
        self._read_windows()
        record = self._reader.close_epoch()
        if record is None:
            return  # the callback stands in the list twice
        single = {"fit": self._fit, "epoch": epoch, **self._counts(record)}
        self._add(self._epochs, single, record)
        if self.histograms:
            self.histogram_history.append(self._histograms({"epoch": epoch}, record))
        if self._net is None or self._net.layout is not self._recorder.layout:
            self._net = NetState(self._recorder.layout)
        loss = float((logs or {}).get("loss", 0.0))
        self.problems = diagnose(
            self._net.layers(record), self.thresholds, record["norms"][0, MAX, -1], loss
        )
        self._events.write("epoch", epoch, self._recorder.layout, record, single)
        self._events.picture(epoch)
        if self._csv_file is not None:
            self._csv_file.write(self._epochs, self._kinds)
        announce(self.problems, self.on_problem, epoch, self._model, self._warned)

    def on_train_end(self, logs=None):
        if self._recorder is not None:
            if self._recorder.layout is not None and self._epochs.rows:
                self._events.picture(self._epochs.rows[-1][0]["epoch"], last=True)
            gradient_taps.detach(self._model, self._recorder)

    def _detached(self):
        """The fit is over, in whichever way."""
        self._recorder = None
        self._events.close()

    # ---------------------------------------------------------------------------- what was seen

    def _read_windows(self):
        _ = self.model  # on JAX this brings the state back from the train loop
        self._batches = 0
        for step, record in self._reader.windows():
            single = {"fit": self._fit, "step": step, **self._counts(record)}
            self._add(self._steps, single, record)
            if self.histograms:
                self.histogram_history.append(self._histograms({"step": step}, record))
            self._events.write("batch", step, self._recorder.layout, record, single)

    def _counts(self, record):
        scales = (getattr(o, "dynamic_scale", None) for o in chain(self._model.optimizer))
        scale = next((scale for scale in scales if scale is not None), np.nan)
        scale = float(keras.ops.convert_to_numpy(scale))
        return {"steps": record["steps"], "skipped": record["skipped"], "loss_scale": scale}

    def _add(self, history, single, record):
        layout = self._recorder.layout
        history.add(single, layout.names, record)
        kinds = ["variable"] * len(layout.variable_names) + ["layer"] * len(layout.layer_names)
        self._kinds |= dict(zip(layout.names, [*kinds, "global"], strict=True))

    def _histograms(self, single, record):
        names = self._recorder.layout.variable_names
        counts = zip(HISTOGRAMS, record["histograms"], strict=True)
        return {**single, **{kind: dict(zip(names, c, strict=True)) for kind, c in counts}}

    @property
    def thresholds(self):
        names = ("vanishing", "exploding", "dead", "saturated", "update_ratio")
        return Thresholds(**{name: getattr(self, name) for name in names})

    def layer_norms(self):
        """``{layer: mean gradient norm of each epoch}``, for the layers of the last epoch."""
        norms = self.history.get("gradient_norm", {})
        now = self._epochs.rows[-1][1]["gradient_norm"] if self._epochs.rows else {}
        return {name: norms[name] for name in now if self._kinds[name] == "layer"}

    def report(self):
        """The last epoch as a table, layers in order from input to output, and the diagnosis."""
        return gradient_report(self)

    def _draw_profile(self, ax):
        from keras_dlnotes import plots

        plots.gradient_profile(self, ax)

    def plot(self, ax=None):
        """Norms of the layers over epochs, and the last epoch's profile; see `plots.gradients`."""
        from keras_dlnotes import plots

        return plots.gradients(self, ax)
