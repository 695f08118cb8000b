"""How many trials one engine load serves, from what loading and measuring were seen to cost."""

import math

# A load may cost at most this share of the time of the trials it serves.
_LOAD_SHARE = 0.2
# More trials in one group would leave the load-time parameters too little explored.
_MOST_TRIALS = 8


def trials_per_load(load_seconds: float, trial_seconds: float) -> int:
    """Return how many trials of `trial_seconds` one load of `load_seconds` should serve, at least one."""
    if load_seconds <= 0 or trial_seconds <= 0:
        return 1
    wanted = math.ceil(load_seconds / (_LOAD_SHARE * trial_seconds))
    return max(1, min(_MOST_TRIALS, wanted))
