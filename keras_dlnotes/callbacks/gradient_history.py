"""What ``GradientMonitor`` has seen, kept as plain arrays."""

import csv
import os

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


def write_csv(path, arrays, kinds):
    """One line for each row of a history and name; ``kinds`` says of each name what it is."""
    singles = [key for key, value in arrays.items() if not isinstance(value, dict)]
    tables = [key for key, value in arrays.items() if isinstance(value, dict)]
    names = list(arrays[tables[0]]) if tables else []
    # A disk that fills up must not cost the lines that are there.
    draft = f"{path}.new"
    with open(draft, "w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow([*singles, "kind", "name", *tables])
        for i in range(len(arrays[singles[0]])):
            for name in names:
                found = [arrays[table].get(name) for table in tables]
                values = ["nan" if each is None else f"{each[i]:.9g}" for each in found]
                lines.writerow([*(arrays[key][i] for key in singles), kinds[name], name, *values])
    os.replace(draft, path)
