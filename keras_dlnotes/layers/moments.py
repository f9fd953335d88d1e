"""Moments of data that come in batches: plain NumPy, float64, one pass."""

import numpy as np


class Moments:
    """Count, mean, variance, minimum and maximum of each column, without the NaN.

    Batches are merged by the pairwise formula of Chan, Golub and LeVeque (1983), which does not
    cancel for large means as a sum of squares would:

        delta = mean_b - mean_a
        mean = mean_a + delta * n_b / n,   m2 = m2_a + m2_b + delta^2 * n_a * n_b / n

    Example:
        >>> moments = Moments((1,))
        >>> moments.add(np.array([[1e9], [1e9 + 2]]))
        >>> moments.add(np.array([[1e9 + 4]]))
        >>> float(moments.variance[0])
        2.6666666666666665
    """

    def __init__(self, shape):
        self.shape = tuple(shape)
        self.count = np.zeros(shape)
        self.mean = np.zeros(shape)
        self.m2 = np.zeros(shape)
        self.minimum = np.full(shape, np.inf)
        self.maximum = np.full(shape, -np.inf)
        self.missing = np.zeros(shape, "int64")
        self.infinite = np.zeros(shape, "int64")

    def add(self, rows):
        """Takes rows of shape (count, *shape) into account."""
        missing = np.isnan(rows)
        self.missing += missing.sum(0)
        self.infinite += np.isinf(rows).sum(0)
        present = ~missing
        count = present.sum(0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(present, rows, 0).sum(0) / np.maximum(count, 1)
            m2 = (np.where(present, rows - mean, 0) ** 2).sum(0)
            total = np.maximum(self.count + count, 1)
            delta = np.where(count > 0, mean - self.mean, 0)
            self.m2 += m2 + delta**2 * self.count * count / total
            self.mean += delta * count / total
        self.count += count
        if len(rows):
            self.minimum = np.minimum(self.minimum, np.where(present, rows, np.inf).min(0))
            self.maximum = np.maximum(self.maximum, np.where(present, rows, -np.inf).max(0))

    @property
    def variance(self):
        """Exactly 0 for a constant column, whatever rounding left behind."""
        return np.where(self.minimum == self.maximum, 0.0, self.m2 / np.maximum(self.count, 1))

    def check(self, skip_nan):
        """Raises if a column has infinities, NaN that are not to be skipped, or nothing at all."""
        complaints = [(self.infinite > 0, "infinite values", self.infinite)]
        if not skip_nan:
            complaints.append((self.missing > 0, "NaN", self.missing))
        for bad, what, counts in complaints:
            if bad.any():
                places = np.argwhere(np.atleast_1d(bad))[:10]
                named = ", ".join(
                    f"{'/'.join(map(str, place))} ({np.atleast_1d(counts)[tuple(place)]})"
                    for place in places
                )
                hint = '; nan="skip" leaves them out' if what == "NaN" else ""
                raise ValueError(
                    "Argument `data` must hold finite numbers. "
                    f"Received: {what} in columns {named}{hint}"
                )
        if not self.count.all():
            empty = np.argwhere(np.atleast_1d(self.count == 0))[:10].ravel().tolist()
            raise ValueError(
                "Argument `data` must hold numbers in every column. "
                f"Received: no values at all in columns {empty}"
            )
