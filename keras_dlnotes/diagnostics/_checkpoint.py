"""What is known of a landscape so far, in memory and, given a path, on disk."""

import hashlib
import os

import numpy as np


class GridCheckpoint:
    """The losses at the points of a grid, those not done yet being NaN.

    On disk it is written anew with each `save`; a file of another grid is refused.
    """

    def __init__(self, path, grid, directions, rows, center, batch_norm):
        self.path = None if path is None else os.fspath(path)
        self.losses, self.done = np.full(len(grid), np.nan), np.zeros(len(grid), bool)
        if self.path is None:
            return
        digest = hashlib.sha256(grid.tobytes())
        for direction in directions.arrays:
            for array in direction:
                digest.update(np.ascontiguousarray(array).tobytes())
        digest.update(f"{rows} {center:.5g} {batch_norm}".encode())
        self.key = digest.hexdigest()
        if not os.path.exists(self.path):
            self.save()  # A place that cannot be written to shows now and not after an hour.
            return
        key, losses, done = self._stored()
        if str(key) != self.key:
            raise ValueError(
                f"The checkpoint {self.path} belongs to another landscape (other weights, "
                "data, directions or points). Delete it or name another file."
            )
        self.losses, self.done = losses, done

    def _stored(self):
        try:
            # NumPy leaves open what it cannot read.
            with open(self.path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
                return [file[name] for name in ("key", "losses", "done")]
        except Exception as error:  # A damaged file makes NumPy raise whatever.
            raise ValueError(
                f"{self.path} is no checkpoint of a landscape, or is damaged: {error}. Delete it "
                "or name another file."
            ) from error

    def save(self):
        if self.path is None:
            return
        temporary = self.path + ".part"
        with open(temporary, "wb") as file:
            np.savez(file, key=self.key, losses=self.losses, done=self.done)
        os.replace(temporary, self.path)
