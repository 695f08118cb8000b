"""Intervals of percentiles: they hold as often as they say, and say when they do not exist."""

import numpy as np
import pytest

from llmopt_runner.load.precision import effective_number, percentile_spread

GENERATOR = np.random.default_rng


@pytest.mark.parametrize(("share", "true"), [(0.5, np.log(2)), (0.95, -np.log(0.05))])
def test_the_interval_holds_the_percentile_in_95_of_100_runs(share, true):
    """Of exponential latencies, whatever their distribution."""
    held = 0
    for seed in range(400):
        spread = percentile_spread(np.sort(GENERATOR(seed).exponential(size=200)), share, 200)
        held += spread.low <= true <= spread.high
    assert held / 400 >= 0.93


def test_a_percentile_beyond_the_requests_has_no_upper_end():
    """Of 100 requests none need be as slow as the 99.9th percentile."""
    spread = percentile_spread(np.arange(100.0), 0.999, 100)
    assert spread.high is None
    assert spread.low == 98.0


def test_independent_latencies_are_worth_their_number():
    """Noise alone loses little."""
    assert effective_number(GENERATOR(0).normal(size=2000)) > 1500


def test_latencies_in_waves_are_worth_fewer():
    """Where each value is nearly its predecessor, about (1 - 0.9) / (1 + 0.9) of them are independent."""
    generator, values = GENERATOR(1), [0.0]
    for noise in generator.normal(size=4000):
        values.append(0.9 * values[-1] + noise)
    expected = 4000 * (1 - 0.9) / (1 + 0.9)
    assert effective_number(np.array(values)) == pytest.approx(expected, rel=0.5)


def test_equal_latencies_are_worth_their_number():
    """Nothing varies, so nothing repeats."""
    assert effective_number(np.ones(50)) == 50.0
