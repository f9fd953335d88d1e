"""From the numbers of single variables to those of layers and of the whole, in NumPy."""

import numpy as np


class Groups:
    """Appends, to columns of variables, those of their layers and one of the whole."""

    def __init__(self, layout, absent_is_unknown):
        watched = np.arange(len(layout.variables))
        self.sizes = layout.sizes.astype("float64")
        layers = [watched[layout.layer_ids == i] for i in range(len(layout.layers))]
        self.members = [*layers, watched]
        #: ``x @ self.sums`` adds up the members of each group.
        self.sums = np.zeros((len(watched), len(self.members)))
        for i, members in enumerate(self.members):
            self.sums[members, i] = 1.0
        self.absent_is_unknown = absent_is_unknown

    def norms(self, rows):
        """Norms ``(times, variables)`` -> with those of the groups; NaN is no such gradient."""
        finite = np.isfinite(rows)
        squares = np.square(np.where(finite, rows, 0.0))
        groups = np.sqrt(squares @ self.sums)
        groups[(np.isinf(rows) @ self.sums) > 0] = np.inf
        if self.absent_is_unknown:
            groups[(~np.isnan(rows) @ self.sums) == 0] = np.nan
        return np.concatenate([rows, groups], 1)

    def counts(self, rows):
        rows = np.nan_to_num(rows)
        return np.concatenate([rows, rows @ self.sums], 1)

    def details(self, rows):
        """Seven rows as the device measures them -> the six of ``DETAILS``, with the groups."""
        mean, std, most, zeros, weight, update, old = rows.transpose(1, 0, 2)
        sizes = np.where(np.isfinite(mean), self.sizes, 0.0)
        total = np.maximum(sizes @ self.sums, 1.0)

        def average(x, like=slice(None)):
            return (np.where(sizes > 0, x, 0.0) * sizes) @ self.sums[:, like] / total[:, like]

        means = average(mean)
        spreads = np.empty_like(means)
        for i in range(len(self.members)):
            around = np.square(std) + np.square(mean - means[:, i : i + 1])
            spreads[:, i] = average(around, slice(i, i + 1))[:, 0]
        known = np.where(sizes > 0, most, 0.0)
        largest = np.stack([known[:, members].max(1) for members in self.members], 1)
        update, old = self.norms(update), self.norms(old)
        ratio = np.divide(update, old, out=np.full_like(old, np.nan), where=old > 0)
        return np.stack(
            [
                np.concatenate([mean, means], 1),
                np.concatenate([std, np.sqrt(spreads)], 1),
                np.concatenate([most, largest], 1),
                np.concatenate([zeros, average(zeros)], 1),
                self.norms(weight),
                ratio,
            ],
            axis=1,
        )
