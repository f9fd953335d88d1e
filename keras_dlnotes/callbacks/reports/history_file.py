"""A history as a CSV file that grows with it."""

import contextlib
import csv
import io
import math
import os
import types

from keras_dlnotes.callbacks.reports.forgiving import Forgiving
from keras_dlnotes.callbacks.reports.tuner_trial import csv_path


class HistoryFile:
    """One line for each row of a history and name in it: a layer, a variable, or all of them.

    Only new rows are written, or a long training would spend its time on old ones. A write that
    fails, and be it half way, leaves the lines that were there, and is the last of its fit.
    """

    def __init__(self, path):
        self.path, self._attempts = path, Forgiving(path)
        self._history, self._rows, self._size = None, 0, 0

    @classmethod
    def for_fit(cls, last, path):
        """The file of the last fit if it has the same path, or a new one; None without a path."""
        if path is None:
            return None
        path = csv_path(path)
        file = cls(path) if last is None or last.path != path else last
        file._attempts = Forgiving(path)
        return file

    def write(self, history, kinds=types.MappingProxyType({})):
        """Brings the file up to date; ``kinds`` says of names what they are, if not layers."""
        if not self._attempts.failed:
            with self._attempts.attempt():
                self._write(history, kinds)

    def _write(self, history, kinds):
        goes_on = history is self._history and self._is_ours()
        known = self._rows if goes_on else 0
        text = lines(history.rows[known:], kinds, head=not known).encode()
        if goes_on:
            self._append(text)
        else:
            self._replace(text)
        size = self._size if goes_on else 0
        self._history, self._rows, self._size = history, len(history.rows), size + len(text)

    def _is_ours(self):
        """Whether nobody has changed the file, or taken it away."""
        return os.path.exists(self.path) and os.path.getsize(self.path) == self._size

    def _replace(self, text):
        draft = f"{self.path}.new"
        try:
            with open(draft, "wb") as file:
                file.write(text)
            os.replace(draft, self.path)
        except OSError:
            with contextlib.suppress(OSError):
                os.remove(draft)
            raise

    def _append(self, text):
        with open(self.path, "r+b", buffering=0) as file:
            file.seek(self._size)
            try:
                rest = memoryview(text)
                while rest:
                    rest = rest[file.write(rest) :]
            except OSError:
                file.truncate(self._size)
                raise


def lines(rows, kinds, head):
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if head and rows:
        single, tables = rows[0]
        writer.writerow([*single, "kind", "name", *tables])
    for single, tables in rows:
        found = list(tables.values())
        for name in found[0]:
            numbers = (table.get(name, math.nan) for table in found)
            kind = kinds.get(name, "layer")
            writer.writerow([*single.values(), kind, name, *(f"{n:.9g}" for n in numbers)])
    return text.getvalue()
