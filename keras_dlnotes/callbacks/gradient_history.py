"""The host side of ``GradientMonitor``: tables merged over time and kept as plain arrays."""

import csv

import numpy as np

from keras_dlnotes.callbacks.gradient_recorder import COUNT, LAST, MAX, MEAN, MIN, NORMS
from keras_dlnotes.callbacks.gradient_statistics import DETAILS

PARTS = {"norms": NORMS, "details": DETAILS}

KINDS = {"": MEAN, "_min": MIN, "_max": MAX, "_last": LAST}


def merge(a, b):
    """Two tables over successive times -> one over both, in double precision."""
    if a is None:
        return b.astype("float64")
    count = a[:, COUNT] + b[:, COUNT]
    share = b[:, COUNT] / np.maximum(count, 1)
    result = np.empty(a.shape)
    result[:, COUNT] = count
    result[:, MEAN] = a[:, MEAN] * (1 - share) + b[:, MEAN] * share
    result[:, MIN] = np.minimum(a[:, MIN], b[:, MIN])
    result[:, MAX] = np.maximum(a[:, MAX], b[:, MAX])
    result[:, LAST] = np.where(b[:, COUNT] > 0, b[:, LAST], a[:, LAST])
    return result


class History:
    """Rows of (epoch or step) -> ``{statistic: {name: array}}``, one number a row.

    Names that were not watched at a time (a layer frozen then) hold NaN there.
    """

    def __init__(self):
        self.rows = []

    def add(self, single, names, record):
        values = {}
        for part, statistics in PARTS.items():
            table = np.array(record[part], "float64")
            table[np.broadcast_to(table[:, :1] == 0, table.shape)] = np.nan  # never measured
            for i, statistic in enumerate(statistics):
                for suffix, kind in KINDS.items():
                    values[statistic + suffix] = dict(zip(names, table[i, kind], strict=True))
        values["nonfinite"] = dict(zip(names, record["bad"], strict=True))
        values["first_nonfinite"] = dict(zip(names, record["first_bad"], strict=True))
        self.rows.append((single, values))

    def arrays(self):
        if not self.rows:
            return {}
        result = {key: np.array([row[0][key] for row in self.rows]) for key in self.rows[0][0]}
        for statistic in self.rows[-1][1]:
            names = dict.fromkeys(name for _, row in self.rows for name in row[statistic])
            result[statistic] = {
                name: np.array([row[statistic].get(name, np.nan) for _, row in self.rows])
                for name in names
            }
        return result


def write_csv(path, history, kinds):
    """One line for each row and name; ``kinds`` says of each name what it is."""
    arrays = history.arrays()
    singles = [key for key, value in arrays.items() if not isinstance(value, dict)]
    tables = [key for key, value in arrays.items() if isinstance(value, dict)]
    names = list(arrays[tables[0]]) if tables else []
    with open(path, "w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow([*singles, "kind", "name", *tables])
        for i in range(len(history.rows)):
            for name in names:
                values = [f"{arrays[table][name][i]:.9g}" for table in tables]
                lines.writerow([*(arrays[key][i] for key in singles), kinds[name], name, *values])
