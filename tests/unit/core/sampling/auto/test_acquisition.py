import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.sampling.auto.acquisition import expected_improvement, gain_per_second, within


@given(st.floats(-3, 3), st.floats(0.1, 2), st.floats(-3, 3))
def test_expected_improvement_is_that_of_many_draws(mean, spread, best):
    """The closed form agrees with the mean improvement of evenly spaced normal quantiles."""
    quantiles = np.random.default_rng(0).standard_normal(40_000) * spread + mean
    expected = np.maximum(quantiles - best, 0).mean()
    found = expected_improvement(np.array([mean]), np.array([spread]), best)[0]
    assert found == pytest.approx(expected, abs=0.05)


def test_bounds_on_both_sides_leave_the_mass_between_them():
    """One standard deviation on each side keeps 68 %; no bound keeps all, an unreachable one nothing."""
    zero, one = np.zeros(1), np.ones(1)
    assert within(zero, one, -1.0, 1.0)[0] == pytest.approx(0.6827, abs=1e-4)
    assert within(zero, one, None, None)[0] == 1.0
    assert within(zero, one, None, -np.inf)[0] == 0.0


def _rates(start_seconds, most_trials, gains=(1.0, 1.0)):
    running = np.array([True, False])
    return gain_per_second(np.array(gains), np.full(2, 10.0), running, start_seconds, most_trials)


def test_a_start_is_spread_over_the_trials_that_follow():
    """An engine that can serve several trials is worth more per second than one that serves one."""
    assert _rates(50.0, 1)[1] == pytest.approx(1.0 / 60.0)
    assert _rates(50.0, 100)[1] > 1.5 * _rates(50.0, 1)[1]


@given(st.floats(0.0, 1000.0))
def test_the_running_engine_is_never_worth_less_for_the_same_gain_in_one_trial(start_seconds):
    """With one trial per engine, a start only costs."""
    here, there = _rates(start_seconds, 1)
    assert here >= there


def test_another_engine_is_chosen_when_it_promises_enough():
    """A start of five measurements is worth a gain that is several times larger."""
    here, there = _rates(50.0, 100, gains=(0.1, 1.0))
    assert there > here
