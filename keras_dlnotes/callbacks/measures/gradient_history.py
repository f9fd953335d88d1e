"""What ``GradientMonitor`` has seen, kept as plain arrays."""

from collections.abc import Mapping

import numpy as np

from keras_dlnotes.callbacks.measures.gradient_statistics import DETAILS, NORMS
from keras_dlnotes.callbacks.measures.running_tables import LAST, MAX, MEAN, MIN

PARTS = {"norms": NORMS, "details": DETAILS}

KINDS = {"": MEAN, "_min": MIN, "_max": MAX, "_last": LAST}

STATISTICS = (
    *(name + suffix for part in PARTS.values() for name in part for suffix in KINDS),
    *("nonfinite", "first_nonfinite"),
)
#: Statistic -> its place in the table of a row.
PLACES = {name: i for i, name in enumerate(STATISTICS)}


class Row(Mapping):
    """``{statistic: {name: number}}`` in a sixth of the memory: one table, names shared."""

    __slots__ = ("names", "table")

    def __init__(self, names, table):
        self.names, self.table = names, table

    def __getitem__(self, statistic):
        return dict(zip(self.names, self.table[PLACES[statistic]].tolist(), strict=True))

    def __iter__(self):
        return iter(PLACES)

    def __len__(self):
        return len(PLACES)


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
        tables = []
        for part in PARTS:
            table = np.array(record[part], "float64")
            table[np.broadcast_to(table[:, :1] == 0, table.shape)] = np.nan  # never measured
            tables.append(table[:, list(KINDS.values())].reshape(-1, len(names)))
        names, before = tuple(names), self.rows[-1][1].names if self.rows else None
        names = before if names == before else names
        self.append(single, Row(names, np.vstack([*tables, record["bad"], record["first_bad"]])))

    def arrays(self):
        if not self.rows:
            return {}
        result = {key: np.array([row[0][key] for row in self.rows]) for key in self.rows[0][0]}
        rows = [row for _, row in self.rows]
        if isinstance(rows[0], Row) and all(row.names is rows[0].names for row in rows):
            tables = np.stack([row.table for row in rows], axis=-1)
            for statistic, i in PLACES.items():
                result[statistic] = dict(zip(rows[0].names, tables[i], strict=True))
            return result
        for statistic in rows[-1]:
            found = [row[statistic] for row in rows]
            names = dict.fromkeys(name for each in found for name in each)
            result[statistic] = {
                name: np.array([each.get(name, np.nan) for each in found]) for name in names
            }
        return result
