"""When a search ends because there is nothing more to gain."""

from collections.abc import Sequence

from llmopt_core.sampling.observations import Advice, Observation, ObservedState, Problem

# A search does not end for want of gain before it has measured so many configurations for each parameter.
_MEASURED_PER_PARAMETER = 3
_LEAST_MEASURED = 20
# What no remaining configuration is likely to exceed when a search ends.
SMALLEST_GAIN = 0.03


def nothing_more_to_gain(problem: Problem, observations: Sequence[Observation], advice: Advice) -> bool:
    """Say whether no remaining configuration is likely to be more than SMALLEST_GAIN better."""
    least = max(_LEAST_MEASURED, _MEASURED_PER_PARAMETER * len(problem.space.parameters))
    if advice.bound is None or advice.bound > SMALLEST_GAIN:
        return False
    return measured_count(observations) >= least


def measured_count(observations: Sequence[Observation]) -> int:
    """Return how many configurations were measured whole."""
    return sum(each.state is ObservedState.MEASURED for each in observations)
