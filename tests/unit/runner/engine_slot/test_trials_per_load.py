"""How many trials one engine load serves."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.resources.optimization import Budget
from llmopt_runner.engine_slot.trials_per_load import trials_per_load


@pytest.mark.parametrize(
    ("load_seconds", "trial_seconds", "expected"),
    [
        (0.0, 5.0, 1),  # an endpoint that runs already: nothing is saved by grouping
        (0.9, 5.0, 1),  # llama.cpp: the load is under a fifth of a trial
        (2.0, 5.0, 2),
        (4.0, 5.0, 4),
        (9.0, 3.0, 15),
        (142.0, 5.0, 142),  # vLLM on two cores
        (1.0, 0.0, 1),
    ],
)
def test_the_count_keeps_loading_under_a_fifth(load_seconds, trial_seconds, expected):
    """With enough to spend a load costs at most a fifth of the time of the trials it serves."""
    assert trials_per_load(load_seconds, trial_seconds, Budget(trials=1000)) == expected


@pytest.mark.parametrize(
    ("trials", "duration", "expected"),
    [
        (1, None, 1),
        (5, None, 1),  # too few for anything but a load each
        (10, None, 2),
        (40, None, 9),
        (61, None, 15),
        (1000, None, 20),  # what its cost asks for
        (1000, "3m", 15),  # time for 60 trials
        (40, "1h", 9),  # the trials are over before the time is
        (1000, "10s", 1),
    ],
)
def test_a_small_budget_leaves_load_time_parameters_explored(trials, duration, expected):
    """A load of 12 s and trials of 3 s: no more share it than leave five loads in trials or time."""
    assert trials_per_load(12.0, 3.0, Budget(trials=trials, duration=duration)) == expected


@given(load_seconds=st.floats(0.0, 1e4), trial_seconds=st.floats(1e-3, 1e4), trials=st.integers(1, 10_000))
def test_loads_are_shared_no_more_than_explores_and_no_less_than_is_affordable(
    load_seconds, trial_seconds, trials
):
    """Five loads where the budget has five trials; a fifth of the time wherever five loads allow it."""
    served = trials_per_load(load_seconds, trial_seconds, Budget(trials=trials))
    assert 1 + math.ceil((trials - 1) / served) >= min(trials, 5)
    more = served + 1
    affordable = load_seconds <= 0.2 * served * trial_seconds * (1 + 1e-9)
    assert affordable or 1 + math.ceil((trials - 1) / more) < 6
