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
        with np.load(self.path) as stored:
            if str(stored["key"]) != self.key:
                raise ValueError(
                    f"The checkpoint {self.path} belongs to another landscape (other weights, "
                    "data, directions or points). Delete it or name another file."
                )
            self.losses, self.done = stored["losses"].copy(), stored["done"].copy()

    def save(self):
        if self.path is None:
            return
        temporary = self.path + ".part"
        with open(temporary, "wb") as file:
            np.savez(file, key=self.key, losses=self.losses, done=self.done)
        os.replace(temporary, self.path)
