"""Fetches the recorder's rows, and makes records of them: of an epoch, of each window."""

import numpy as np

from keras_dlnotes.callbacks.measures.gradient_groups import Groups
from keras_dlnotes.callbacks.measures.running_tables import merge, summed_up

TABLES = ("norms", "details")
SUMS = ("bad", "histograms", "steps", "skipped")


class GradientReader:
    """Records of successive times, and their sums over epochs and windows of ``every`` steps.

    A record is a dict: ``norms`` and ``details`` (statistics, 5, columns), ``bad`` and
    ``first_bad`` (columns), ``steps``, ``skipped``, and ``histograms`` where there are any.
    Histograms are not kept apart within one call of the train function: of several windows that
    close in one, the last has them all.
    """

    def __init__(self, recorder, every):
        self.recorder, self.every = recorder, every
        self.steps = 0
        self._epoch = self._window = self._groups = None
        #: Of the rows in the buffer, and of the skipped steps: how many have been read.
        self._read = self._skipped = 0

    def windows(self):
        """Reads what is new. Returns the windows that have closed, as ``(last step, record)``."""
        buffer = self.recorder.buffer
        if self._groups is None:
            self._groups = Groups(self.recorder.layout, self.recorder.group)
            self._first_bad = np.zeros(len(self.recorder.layout.names))
        taken, skipped = (int(n) for n in buffer.read("clock"))
        if (taken, skipped) == (self._read, self._skipped):
            return []
        rows = buffer.read("rows").astype("float64")
        new = np.arange(max(self._read, taken - buffer.length), taken)
        rows, lost = rows[new % buffer.length], taken - self._read - len(new)
        closed, self._read = [], taken
        skipped, self._skipped = skipped - self._skipped, skipped
        self.steps += lost
        while len(rows):
            left = len(rows) if not self.every else self.every - self.steps % self.every
            part, rows = rows[:left], rows[left:]
            record = self._record(part, len(part) + lost, skipped)
            lost = skipped = 0
            self._keep(record)
            if self.every and self.steps % self.every == 0:
                closed.append((self.steps, self._window))
                self._window = None
        if skipped:
            self._keep(self._record(rows, 0, skipped))
        if closed and self.recorder.histograms:
            counts = self._histograms()
            self._epoch["histograms"] = self._epoch["histograms"] + counts
            closed[-1][1]["histograms"] = closed[-1][1]["histograms"] + counts
        return closed

    def close_epoch(self):
        """The record of the epoch, all of which has been read; None if nothing has happened."""
        if self._epoch is not None and self.recorder.histograms:
            counts = self._histograms()
            self._epoch["histograms"] = self._epoch["histograms"] + counts
            if self._window is not None:
                self._window["histograms"] = self._window["histograms"] + counts
        # A float32 counts steps exactly only up to 2^24.
        self.recorder.buffer.clear("clock", "rows")
        self._read = self._skipped = 0
        epoch, self._epoch = self._epoch, None
        return epoch

    def _keep(self, record):
        self._epoch = total(self._epoch, record)
        if self.every:
            self._window = total(self._window, record)

    def _histograms(self):
        counts = self.recorder.buffer.read("histograms").astype("float64")
        self.recorder.buffer.clear("histograms")
        return counts

    def _record(self, rows, steps, skipped):
        groups = self._groups
        bad = groups.counts(rows[:, 2])
        for i in np.flatnonzero(bad.any(1)):
            new = (bad[i] > 0) & (self._first_bad == 0)
            self._first_bad[new] = self.steps + i + 1
        self.steps += len(rows)
        norms = np.stack([groups.norms(rows[:, 0]), groups.norms(rows[:, 1])], 1)
        detailed = rows[~np.isnan(rows[:, 3:]).all((1, 2))]
        record = {
            "norms": summed_up(norms),
            "details": summed_up(groups.details(detailed[:, 3:])),
            "bad": bad.sum(0),
            "first_bad": np.where(bad.sum(0) > 0, self._first_bad, 0),
            "steps": steps,
            "skipped": skipped,
        }
        if self.recorder.histograms:
            record["histograms"] = 0.0 * self.recorder.buffer.empty["histograms"]
        return record


def total(a, b):
    """Two records over successive times -> one over both."""
    if a is None:
        return dict(b)  # an epoch and its first window go different ways from here
    both = {name: merge(a[name], b[name]) for name in TABLES}
    both |= {name: a[name] + b[name] for name in SUMS if name in a}
    both["first_bad"] = np.maximum(a["first_bad"], b["first_bad"])
    return both
