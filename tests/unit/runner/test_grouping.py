"""How many trials one engine load serves."""

import pytest

from llmopt_runner.grouping import trials_per_load


@pytest.mark.parametrize(
    ("load_seconds", "trial_seconds", "expected"),
    [
        (0.0, 5.0, 1),  # an endpoint that runs already: nothing is saved by grouping
        (0.9, 5.0, 1),  # llama.cpp: the load is under a fifth of a trial
        (2.0, 5.0, 2),
        (4.0, 5.0, 4),
        (30.0, 5.0, 8),  # never more than eight: load-time parameters must be explored too
        (1.0, 0.0, 1),
    ],
)
def test_the_count_keeps_loading_under_a_fifth(load_seconds, trial_seconds, expected):
    """A load costs at most a fifth of the time of the trials it serves, within one to eight trials."""
    assert trials_per_load(load_seconds, trial_seconds) == expected
