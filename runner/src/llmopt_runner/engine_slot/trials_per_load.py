"""How many trials one engine load serves, from what loading and measuring cost and what may be spent."""

import math

from llmopt_core.resources.base import duration_seconds
from llmopt_core.resources.optimization import Budget

# A load may cost at most this share of the time of the trials it serves.
_LOAD_SHARE = 0.2
# Where the budget is too small for that, at least so many loads are explored, the default's among them.
_LEAST_LOADS = 5


def trials_per_load(load_seconds: float, trial_seconds: float, budget: Budget) -> int:
    """Return how many trials of `trial_seconds` one load of `load_seconds` should serve, at least one."""
    if load_seconds <= 0 or trial_seconds <= 0:
        return 1
    wanted = math.ceil(load_seconds / (_LOAD_SHARE * trial_seconds))
    return max(1, min(wanted, _most_trials(trial_seconds, budget)))


def _most_trials(trial_seconds: float, budget: Budget) -> int:
    """How many leave the load-time parameters explored: the default has a load, which serves it alone."""
    searched = budget.trials - 1
    if budget.duration is not None:
        searched = min(searched, int(duration_seconds(budget.duration) / trial_seconds))
    return searched // (_LEAST_LOADS - 1)
