import pytest

from llmopt_core.sampling.auto.ending import nothing_more_to_gain
from llmopt_core.sampling.observations import Advice, Observation, ObservedState, Problem
from llmopt_core.search.spaces import IntDimension, SearchSpace, SpaceParameter
from llmopt_core.storage.records import ObjectiveDefinition


def _problem(parameters):
    made = tuple(SpaceParameter(f"engine.p{place}", IntDimension(0, 9)) for place in range(parameters))
    return Problem(SearchSpace(made), frozenset(), (ObjectiveDefinition("requests_per_second", "maximize"),))


def _seen(state, count):
    return [Observation({"engine.p0": place}, state) for place in range(count)]


@pytest.mark.parametrize(
    ("bound", "parameters", "measured", "ends"),
    [
        (0.02, 2, 20, True),
        (0.04, 2, 20, False),  # there may be more
        (None, 2, 20, False),  # nothing is known
        (0.02, 2, 19, False),  # too few
        (0.02, 8, 20, False),  # too few for eight parameters
        (0.02, 8, 24, True),
    ],
)
def test_a_search_ends_where_little_is_left_and_enough_was_measured(bound, parameters, measured, ends):
    """A small bound, and as many measured configurations as the space has parameters for."""
    seen = _seen(ObservedState.MEASURED, measured)
    assert nothing_more_to_gain(_problem(parameters), seen, Advice({}, bound=bound)) is ends


def test_only_whole_measurements_count():
    """Trials that were stopped, or failed, say too little."""
    seen = [*_seen(ObservedState.MEASURED, 10), *_seen(ObservedState.STOPPED, 10)]
    assert not nothing_more_to_gain(_problem(1), seen, Advice({}, bound=0.0))
