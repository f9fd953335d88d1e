"""The outcome of a learning-rate sweep, and the rates it suggests."""

from dataclasses import dataclass

import numpy as np


def smooth(losses, smoothing):
    """Exponential average, divided by the weight it has gathered so far.

    Without the division the first values would be pulled towards zero.
    """
    average, result = 0.0, []
    for count, loss in enumerate(losses, start=1):
        average = smoothing * average + (1 - smoothing) * loss
        result.append(average / (1 - smoothing**count))
    return np.array(result)


def steepest(rates, losses):
    """The rate at which the loss falls fastest on a logarithmic axis; None if it never falls.

    Slopes are taken across a tenth of the points, for between two neighbours is mostly noise.
    """
    reach = max(len(losses) // 20, 1)
    if len(losses) < 2 * reach + 1:
        return None
    fall = losses[: -2 * reach] - losses[2 * reach :]
    slopes = fall / np.log(rates[2 * reach :] / rates[: -2 * reach])
    return float(rates[reach + np.argmax(slopes)]) if slopes.max() > 0 else None


def minimum_tenth(rates, losses):
    """A tenth of the rate with the lowest loss; None without a loss."""
    return float(rates[np.argmin(losses)]) / 10 if len(losses) else None


def valley(rates, losses):
    """The middle of the longest descent; None if the loss never falls.

    The descent is the longest subsequence of ever lower losses, so bumps on the way down do not
    break it. It ends where that subsequence ends and is taken as long as that has members; the
    suggestion lies half-way, rounded down: well on the slope, clear of both its ends.
    """
    if not len(losses):
        return None
    lengths = np.ones(len(losses), int)
    for i in range(1, len(losses)):
        lengths[i] += np.max(lengths[:i], where=losses[i] < losses[:i], initial=0)
    end, length = int(np.argmax(lengths)), int(np.max(lengths))
    if length < 2:
        return None
    # A third and half a third, each cut to a whole number of points.
    return float(rates[max(end - length + int(length / 3) + int(length / 6), 0)])


@dataclass
class LearningRateCurve:
    """Loss against learning rate, as a sweep found it.

    Attributes:
        learning_rates: Array. The rates that were tried, ascending.
        losses: Array. The true loss of the batch (or of the batches of one update, averaged) at
            each rate.
        smoothed: Array. The losses as an exponential average; suggestions and stopping go by it.
        stop_reason: "finished", "diverged", "not finite" (the loss became NaN or infinite),
            "data ended" or "interrupted".
    """

    learning_rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    stop_reason: str

    @property
    def _settled(self):
        """The points but for the first tenth, where the average has few losses behind it."""
        first = len(self.smoothed) // 10
        return self.learning_rates[first:], self.smoothed[first:]

    @property
    def steepest(self):
        """The rate at which the loss falls fastest; None if it never falls."""
        return steepest(*self._settled)

    @property
    def minimum_tenth(self):
        """A tenth of the rate with the lowest loss; None without a loss."""
        return minimum_tenth(*self._settled)

    @property
    def valley(self):
        """The middle of the longest descent; None if the loss never falls."""
        return valley(*self._settled)

    @property
    def suggestions(self):
        """The three by name, each a float or None."""
        return {
            "steepest": self.steepest,
            "minimum_tenth": self.minimum_tenth,
            "valley": self.valley,
        }

    def plot(self, ax=None):
        """Draws the curve with its suggestions and returns the Matplotlib axes."""
        from keras_dlnotes import plots

        return plots.learning_rate_finder(self, ax=ax)

    def __str__(self):
        named = ", ".join(
            f"{name} {'none' if rate is None else format(rate, '.2e')}"
            for name, rate in self.suggestions.items()
        )
        return f"{len(self.losses)} learning rates tried ({self.stop_reason}): {named}"
