import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt_core.sampling.racing.evidence import Level, LogRatio, is_below, log_ratio, upper_quantile

LEVEL = Level(0.05, looks=3)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_mean_that_holds_is_seldom_called_lower(share):
    """Looked at after each of 200 values, a true mean is called lower in at most the stated share of runs."""
    chance, wrong = np.random.default_rng(1), 0
    for _ in range(200):
        values = (chance.random(200) < share).astype(float)
        wrong += any(is_below(values[:count], share, LEVEL) for count in range(1, 201))
    assert wrong <= 200 * LEVEL.rate + 6


def test_a_mean_of_all_values_that_holds_is_seldom_called_lower():
    """The same where the mean of the whole is asked and values are drawn from it without replacement."""
    chance, wrong = np.random.default_rng(2), 0
    everything = np.array([1.0] * 30 + [0.0] * 10)
    for _ in range(200):
        values = chance.permutation(everything)
        wrong += any(is_below(values[:count], 0.75, LEVEL, 40) for count in range(1, 41))
    assert wrong <= 200 * LEVEL.rate + 6


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=40), st.floats(-0.5, 0.9))
@settings(max_examples=200)
def test_what_cannot_be_reached_any_more_is_below(values, mean):
    """Where all values left at their most do not bring the mean so high, the answer is yes."""
    total = len(values) + 3
    if (sum(values) + 3) / total < mean - 1e-9:
        assert is_below(np.array([*values, 1.0]), mean, LEVEL, total)


def test_clearly_lower_values_need_few():
    """Of nothing but zeros ten are enough to exclude a mean of one half."""
    assert not is_below(np.zeros(3), 0.5, LEVEL)
    assert is_below(np.zeros(10), 0.5, LEVEL)


@given(st.floats(0.1, 10.0), st.integers(3, 20))
def test_a_ratio_of_proportional_requests_is_exact(factor, units):
    """Every request slower by one factor: its logarithm, without an error."""
    times = np.arange(1.0, units + 1)
    ratio = log_ratio((np.ones(units), factor * times), (np.ones(units), times), left=0.5)
    assert ratio.value == pytest.approx(-math.log(factor), abs=1e-9)
    assert ratio.error == pytest.approx(0.0, abs=1e-9)


def test_no_ratio_of_nothing():
    """A sum that is zero has no logarithm."""
    assert log_ratio((np.zeros(4), np.ones(4)), (np.ones(4), np.ones(4)), left=0.5) is None
    assert log_ratio((np.array([]), np.array([])), (np.ones(4), np.ones(4)), left=0.5) is None


@pytest.mark.parametrize(
    ("value", "error", "units", "surely", "stays"),
    [
        (-0.7, 0.02, 10, True, True),
        (-0.7, 0.02, 2, False, False),  # too few units
        (-0.1, 0.001, 10, False, True),  # as much as two starts differ
        (-0.7, 0.5, 10, False, False),
        (0.0, 0.001, 10, False, True),
        (0.1, 0.001, 10, False, False),
    ],
)
def test_what_a_ratio_says(value, error, units, surely, stays):
    """Starts differ, so a small difference is not surely one; this measurement stays what it is."""
    ratio = LogRatio(value, error, units, left=0.5)
    assert ratio.surely_below(0.0, LEVEL) is surely
    assert ratio.will_stay_below(0.02, LEVEL) is stays


def test_an_upper_quantile_is_not_below_the_quantile():
    """It exceeds the true quantile in all but the stated share of samples."""
    chance = np.random.default_rng(1)
    above = [upper_quantile(chance.random(100), 0.5, LEVEL) >= 0.5 for _ in range(200)]
    assert np.mean(above) >= 1 - LEVEL.rate - 0.03
