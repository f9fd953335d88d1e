"""What ``GradientMonitor`` has seen, kept as plain arrays."""

import numpy as np

from keras_dlnotes.callbacks.gradient_statistics import DETAILS, NORMS
from keras_dlnotes.callbacks.running_tables import LAST, MAX, MEAN, MIN

PARTS = {"norms": NORMS, "details": DETAILS}

KINDS = {"": MEAN, "_min": MIN, "_max": MAX, "_last": LAST}


class History:
    """Rows of (epoch or step) -> ``{statistic: {name: array}}``, one number a row.

    Names that were not watched at a time (a layer frozen then) hold NaN there.
    """

    def __init__(self):
        self.rows = []

    def append(self, single, values):
        """One row: ``single`` numbers, and ``{statistic: {name: number}}``."""
        self.rows.append((single, values))

    def add(self, single, names, record):
        """One row made of a record of the reader."""
        values = {}
        for part, statistics in PARTS.items():
            table = np.array(record[part], "float64")
            table[np.broadcast_to(table[:, :1] == 0, table.shape)] = np.nan  # never measured
            for i, statistic in enumerate(statistics):
                for suffix, kind in KINDS.items():
                    values[statistic + suffix] = dict(zip(names, table[i, kind], strict=True))
        values["nonfinite"] = dict(zip(names, record["bad"], strict=True))
        values["first_nonfinite"] = dict(zip(names, record["first_bad"], strict=True))
        self.append(single, values)

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
