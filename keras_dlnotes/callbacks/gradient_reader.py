"""Reads the recorder's device tables into records: one for an epoch, one for each window."""

import numpy as np

from keras_dlnotes.callbacks.gradient_history import merge

TABLES = ("norms", "details")
SUMS = ("bad", "histograms", "steps", "skipped")


class GradientReader:
    """Records of successive times, and their sums over epochs and windows of ``every`` steps.

    A record is a dict: ``norms`` and ``details`` (statistics, 5, columns), ``bad`` and
    ``first_bad`` (columns), ``steps``, ``skipped``, and ``histograms`` where there are any.
    """

    def __init__(self, recorder):
        self.recorder = recorder
        self.every = recorder.every
        self._window = 0
        self._open_window = self._epoch = None
        self._steps = self._skipped = 0

    def windows(self):
        """The windows that have closed since last asked, as ``(last step, record)``."""
        recorder = self.recorder
        steps = int(recorder.read("clock")[0])
        if steps // self.every <= self._window:
            return
        tables = self._tables()
        while (self._window + 1) * self.every <= steps:
            end = (self._window + 1) * self.every
            part = self._part(tables, self._window % recorder.slots, end)
            self._epoch = total(self._epoch, part)
            self._window += 1
            whole, self._open_window = total(self._open_window, part), None
            yield end, whole
        if recorder.slots == 1:
            recorder.clear()

    def close_epoch(self):
        """The record of the epoch; the tables are empty afterwards."""
        recorder = self.recorder
        slot = self._window % recorder.slots
        part = self._part(self._tables(), slot, int(recorder.read("clock")[0]))
        recorder.clear()
        if self.every:
            self._open_window = total(self._open_window, part)
        epoch, self._epoch = total(self._epoch, part), None
        return epoch

    def _tables(self):
        return {name: self.recorder.read(name) for name in self.recorder.empty}

    def _part(self, tables, slot, steps):
        """What was recorded up to ``steps`` and not yet read."""
        recorder = self.recorder
        skipped = int(recorder.read("clock")[1])
        part = {name: table[slot].astype("float64") for name, table in tables.items()}
        part["steps"], self._steps = steps - self._steps, steps
        part["skipped"], self._skipped = skipped - self._skipped, skipped
        first = recorder.read("first_bad")
        part["first_bad"] = np.where(part["bad"] > 0, first, 0)
        return part


def total(a, b):
    """Two records over successive times -> one over both."""
    if a is None:
        return b
    both = {name: merge(a[name], b[name]) for name in TABLES}
    both |= {name: a[name] + b[name] for name in SUMS if name in a}
    both["first_bad"] = np.maximum(a["first_bad"], b["first_bad"])
    return both
