import numpy as np
import pytest

from llmopt_core.sampling.auto.candidates import PointSource
from llmopt_core.sampling.auto.pools import Pools
from llmopt_core.sampling.auto.tried import Tried
from llmopt_core.sampling.observations import Observation, ObservedState, Problem
from llmopt_core.search.spaces import FloatDimension, IntDimension, SearchSpace, SpaceParameter
from llmopt_core.storage.records import ObjectiveDefinition

PROBLEM = Problem(
    SearchSpace(
        (
            SpaceParameter("engine.parallel", IntDimension(1, 16)),
            SpaceParameter("sampling.temperature", FloatDimension(0.0, 1.0)),
        )
    ),
    frozenset({"engine.parallel"}),
    (ObjectiveDefinition("requests_per_second", "maximize"),),
)
OURS, THEIRS = {"engine.parallel": 4}, {"engine.parallel": 9}


def served(engine, trials, *, started=True):
    """Return `trials` of 30 s each on `engine`, before the first of which a start of 60 s."""
    return [
        Observation(
            {**engine, "sampling.temperature": place / 10},
            ObservedState.MEASURED,
            {"requests_per_second": 5.0},
            seconds=30.0,
            start_seconds=60.0 if started and place == 0 else None,
        )
        for place in range(trials)
    ]


@pytest.mark.parametrize(
    ("observations", "repaid"),
    [
        (served(OURS, 1), False),
        (served(OURS, 2), True),
        ([*served(OURS, 5), *served(OURS, 1)], False),
        ([*served(OURS, 1), *served(THEIRS, 5)], False),
        ([*served(OURS, 1), *served(THEIRS, 5), *served(OURS, 1, started=False)], True),
        (served(THEIRS, 1), True),
        ([], True),
    ],
    ids=["first", "as long", "started again", "other runner", "with other runner", "not measured", "nothing"],
)
def test_trials_since_its_last_start_repay_an_engine(observations, repaid):
    """Neither trials on other runners' engines nor those before an earlier end of this one count."""
    source = PointSource(PROBLEM.space, {}, np.random.default_rng(0))
    pools = Pools(PROBLEM, source, Tried.of(PROBLEM, observations), OURS)
    assert pools.start_is_repaid(observations) is repaid


def test_where_no_engine_runs_there_is_nothing_to_repay():
    """A runner that has just begun may start any engine."""
    source = PointSource(PROBLEM.space, {}, np.random.default_rng(0))
    observations = served(OURS, 1)
    assert Pools(PROBLEM, source, Tried.of(PROBLEM, observations), None).start_is_repaid(observations)
