"""Central differences of a number with respect to single entries of arrays.

(f(w + h) - f(w - h)) / 2h is wrong by about h^2 from the third derivative and by about noise / h
from rounding, so h is near the cube root of the noise, which is measured and not assumed: a
function that rounds to float32 somewhere inside shows by it.
"""

import numpy as np


class Differences:
    """Differences of ``value(arrays)`` around ``arrays``.

    Args:
        value: Function of a list of float64 arrays that returns one number.
        arrays: The point.
        step: Distance h, relative to the entry where that is larger than 1. Defaults to None,
            which fits it to the noise measured.
        seed: Seed of the direction in which noise is measured.
    """

    def __init__(self, value, arrays, step=None, seed=0):
        self.value = value
        self.arrays = [np.array(a, "float64") for a in arrays]
        self.center = value(self.arrays)
        self.noise, slope = self._measure(seed)
        #: Size of the numbers that are rounded, where the value itself happens to be near zero.
        self.scale = max(abs(self.center), slope, np.finfo("float64").tiny)
        self.step = step or float(np.clip((self.noise / self.scale) ** (1 / 3), 6e-6, 1e-2))

    def _measure(self, seed):
        """``(noise, slope)``: medians over three directions.

        The noise is the spread of sixth differences, which nothing smooth has over such short
        steps. Rounding has, and float32 numbers are moved far enough to show theirs. So has a way
        past kinks, and a large net of ReLUs has some on every way; but a thousandth of it leads to
        the same slope and seldom past one, where float32 numbers hardly move, or jump.
        """
        generator = np.random.default_rng(seed)
        size = np.sqrt(max(1, sum(a.size for a in self.arrays)))
        far, near = zip(
            *(
                (self._along(directions, 3e-5), self._along(directions, 3e-8))
                for directions in (
                    [generator.choice([-1.0, 1.0], a.shape) / size for a in self.arrays]
                    for _ in range(3)
                )
            ),
            strict=True,
        )
        (far, slopes), (near, same) = np.transpose(far), np.transpose(near)
        exact = np.median(np.abs(same - slopes) - 1e-2 * np.abs(slopes)) <= 0
        floor = np.finfo("float64").eps * abs(self.center)
        noise = float(np.median(near if exact else far))
        return max(noise, floor), float(np.median(np.abs(slopes)))

    def _along(self, directions, step):
        """Spread and slope of twelve values, all about the same middle."""
        ways = 1.65e-4 + (np.arange(12) - 5.5) * step
        values = [
            self.value([a + way * d for a, d in zip(self.arrays, directions, strict=True)])
            for way in ways
        ]
        # 924 = the sum of the squared binomial coefficients of a sixth difference.
        spread = np.median(np.abs(np.diff(values, 6))) / np.sqrt(924)
        return spread, (values[-1] - values[0]) / (ways[-1] - ways[0])

    def at(self, which, index, step):
        """``(central, backward, forward)`` differences for one entry."""
        array = self.arrays[which]
        old = array[index]
        h = step * max(1.0, abs(old))
        try:
            array[index] = old + h
            up, above = self.value(self.arrays), array[index]
            array[index] = old - h
            down, below = self.value(self.arrays), array[index]
        finally:
            array[index] = old
        return (
            (up - down) / (above - below),
            (self.center - down) / (old - below),
            (up - self.center) / (above - old),
        )

    def compare(self, which, index, analytic, tolerance):
        """``(numeric, error, is_kink)`` of one entry's analytic derivative.

        The error is relative to the larger of the two, or to what rounding lets a difference
        resolve where both are smaller than that.
        """

        def error_of(numeric, step):
            resolution = 10 * self.noise / step / tolerance
            return abs(analytic - numeric) / max(abs(analytic), abs(numeric), resolution)

        if not np.isfinite(analytic):
            return self.at(which, index, self.step)[0], np.inf, False
        numeric, *_ = far = self.at(which, index, self.step)
        error = error_of(numeric, self.step)
        if error <= tolerance:
            return numeric, error, False
        # A kink within reach spoils the difference: come nearer, as far as rounding allows.
        for step in (self.step / 16, self.step / 256):
            if 10 * self.noise / step > 1e-4 * max(abs(analytic), abs(numeric)):
                break
            near = self.at(which, index, step)
            nearer = error_of(near[0], step)
            if nearer <= tolerance:
                return near[0], nearer, False
            # Slopes left and right that differ as much as before, with the analytic one between
            # them: the point lies on the kink, where each of them is a right answer.
            jump, before = abs(near[2] - near[1]), abs(far[2] - far[1])
            low, high = sorted(near[1:])
            slack = 1e-3 * jump
            if (
                0.5 * before < jump < 2 * before
                and jump > 1e-3 * max(abs(analytic), abs(near[0]))
                and low - slack <= analytic <= high + slack
            ):
                return near[0], error, True
        return numeric, error, False
