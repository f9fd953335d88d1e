"""Smoothing and suggestions on curves whose answers are known."""

import itertools

import numpy as np
import pytest

from keras_dlnotes.callbacks import learning_rate_curve as curves

RATES = np.geomspace(1e-6, 1.0, 121)  # Twenty points a decade.
DECADE = np.log10(RATES)


def test_smoothing_is_an_average_without_bias():
    np.testing.assert_allclose(curves.smooth([5.0] * 7, 0.9), 5.0)
    # Weights 0.1 * 0.9 ** age, divided by their sum.
    losses = np.random.default_rng(0).normal(size=20)
    weights = 0.9 ** np.arange(20)[::-1]
    assert curves.smooth(losses, 0.9)[-1] == pytest.approx(losses @ weights / weights.sum())
    np.testing.assert_allclose(curves.smooth(losses, 0.0), losses)


def test_steepest_is_the_middle_of_a_sigmoid():
    losses = 1 / (1 + np.exp(4 * (DECADE + 2.5)))
    assert curves.steepest(RATES, losses) == pytest.approx(10**-2.5)


def test_steepest_does_not_fall_for_a_wiggle():
    losses = 1 / (1 + np.exp(4 * (DECADE + 2.5)))
    losses[10] -= 0.1  # The largest drop between two neighbours.
    assert np.argmax(losses[:-1] - losses[1:]) == 9
    assert curves.steepest(RATES, losses) == pytest.approx(10**-2.5, rel=0.2)


def test_minimum_tenth():
    losses = (DECADE + 1.5) ** 2
    assert curves.minimum_tenth(RATES, losses) == pytest.approx(10**-2.5)


def longest_descent(losses):
    """By brute force over all subsequences: its length, and where the first such one ends."""
    best = (1, 0)
    for mask in range(1, 2 ** len(losses)):
        chosen = [i for i in range(len(losses)) if mask >> i & 1]
        if all(losses[a] > losses[b] for a, b in itertools.pairwise(chosen)):
            best = max(best, (len(chosen), -chosen[-1]))
    return best[0], -best[1]


@pytest.mark.parametrize("seed", range(20))
def test_valley_lies_half_way_down_the_longest_descent(seed):
    losses = np.random.default_rng(seed).normal(size=10) - 0.3 * np.arange(10)
    length, end = longest_descent(losses)
    third = length / 3
    expected = RATES[max(end - length + int(third) + int(third / 2), 0)]
    assert curves.valley(RATES[:10], losses) == expected


def test_valley_of_a_flat_slope_and_rise():
    # Flat for 40 points, down for 40, up for 41: the descent is points 39 to 79.
    losses = np.concatenate([np.ones(40), np.linspace(1, 0, 41)[1:], np.linspace(0.1, 5, 41)])
    assert curves.valley(RATES, losses) == RATES[79 - 41 + 13 + 6]
    # Bumps on the way down do not break the descent in two.
    bumpy = losses.copy()
    bumpy[45:75:6] += 0.2
    assert curves.valley(RATES, bumpy) == pytest.approx(RATES[59], rel=0.7)


@pytest.mark.parametrize("losses", [[], [1.0], [1.0, 2.0, 3.0, 4.0]])
def test_no_descent_gives_no_suggestion(losses):
    rates = RATES[: len(losses)]
    assert curves.steepest(rates, np.array(losses)) is None
    assert curves.valley(rates, np.array(losses)) is None


def test_curve_speaks():
    losses = 1 / (1 + np.exp(4 * (DECADE + 2.5))) + np.exp(3 * (DECADE + 0.5))
    curve = curves.LearningRateCurve(RATES, losses, losses, "diverged")
    assert curve.suggestions == {
        "steepest": curve.steepest,
        "minimum_tenth": curve.minimum_tenth,
        "valley": curve.valley,
    }
    assert curve.steepest == pytest.approx(10**-2.5, rel=0.2)
    assert "121 learning rates tried (diverged)" in str(curve)
    empty = curves.LearningRateCurve(RATES[:0], losses[:0], losses[:0], "not finite")
    assert set(empty.suggestions.values()) == {None}
    assert "steepest none" in str(empty)
