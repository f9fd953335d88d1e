"""What the pictures of schedules, sweeps and comparisons show."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest

from keras_dlnotes import plots, schedules
from keras_dlnotes.callbacks.learning_rate_curve import LearningRateCurve


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_schedule():
    cycle = schedules.OneCycle(0.1, 20)
    ax = plots.schedule(cycle, 20)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), cycle.curve(20))
    assert ax.get_xlabel() == "step"
    _, mine = plt.subplots()
    assert cycle.plot([0, 5, 10], ax=mine) is mine
    np.testing.assert_array_equal(mine.lines[0].get_xdata(), [0, 5, 10])


def test_learning_rate_finder():
    rates = np.geomspace(1e-6, 1.0, 121)
    smoothed = 1 / (1 + np.exp(4 * (np.log10(rates) + 2.5)))
    smoothed[100:] += np.linspace(0, 50, 21)
    curve = LearningRateCurve(rates, smoothed + 0.01, smoothed, "diverged")
    ax = curve.plot()
    assert ax.get_xscale() == "log"
    batches, line, *marks = ax.lines
    np.testing.assert_array_equal(batches.get_ydata(), curve.losses)
    np.testing.assert_array_equal(line.get_ydata(), smoothed)
    assert [mark.get_xdata()[0] for mark in marks] == list(curve.suggestions.values())
    assert ax.get_ylim()[1] < 3  # The explosion at the end does not flatten the rest.
    assert plots.learning_rate_finder(curve, ax=ax) is ax
    empty = LearningRateCurve(rates[:0], rates[:0], rates[:0], "not finite")
    plots.learning_rate_finder(empty)


def test_optimizer_comparison():
    histories = {
        "a": {"loss": np.array([1.0, 0.5]), "mae": np.array([1.0, 0.9])},
        "b": {"loss": np.array([2.0, np.nan]), "mae": np.array([2.0, 0.0])},
    }
    ax = plots.optimizer_comparison(histories)
    assert [line.get_label() for line in ax.lines] == ["a", "b"]
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [1, 2])
    assert ax.get_yscale() == "log"
    assert plots.optimizer_comparison(histories, metric="mae").get_yscale() == "linear"


def test_matplotlib_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "keras-dlnotes\[plots\]"'):
        schedules.StepDecay(0.1, 3).plot(10)
