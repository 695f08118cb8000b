"""How long `auto` thinks: the processor time of a proposal after many trials with many parameters."""

import statistics
import time
from collections.abc import Mapping

import numpy as np

from llmopt_core.sampling.auto import AutoSampler
from llmopt_core.sampling.observations import Observation, ObservedState, Problem
from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import (
    ChoiceDimension,
    FloatDimension,
    IntDimension,
    SearchSpace,
    SpaceParameter,
)
from llmopt_core.storage.records import ConstraintDefinition, ObjectiveDefinition
from surfaces.chance import draw

# Of ten parameters, five are of the engine; kinds alternate, as in the spaces of engines.
_KINDS = (
    ChoiceDimension((False, True)),
    IntDimension(1, 512, log=True),
    FloatDimension(0.1, 1.0),
    ChoiceDimension(("16", "32", "64", "128")),
    IntDimension(256, 8192),
    ChoiceDimension(("fcfs", "priority", "lpm")),
)
_BROKEN_SHARE = 0.1
_ENGINES = 60


def proposal_seconds(trials: int, parameters: int, repeats: int) -> tuple[float, float]:
    """Return the median and the longest processor time of a proposal, over `repeats` studies.

    A study has one objective and one constraint, both with noise, on about as many engines as a search with
    starts would use; a tenth of its trials failed to start.
    """
    times = [_seconds(trials, parameters, seed) for seed in range(repeats)]
    return statistics.median(times), max(times)


def _seconds(trials: int, parameters: int, seed: int) -> float:
    problem = _problem(parameters)
    chance = np.random.default_rng(seed)
    engines = [draw(problem.space, chance) for _ in range(_ENGINES)]
    seen = [_observation(problem, engines[place % _ENGINES], chance) for place in range(trials)]
    running = {name: engines[0][name] for name in problem.engine_parameters}
    sampler = AutoSampler(problem, seed)
    began = time.process_time()
    assert sampler.propose(seen, running) is not None
    return time.process_time() - began


def _problem(parameters: int) -> Problem:
    made = [
        SpaceParameter(f"{'engine' if place % 2 else 'sampling'}.p{place}", _KINDS[place % len(_KINDS)])
        for place in range(parameters)
    ]
    return Problem(
        SearchSpace(tuple(made)),
        frozenset(each.name for each in made if each.name.startswith("engine.")),
        (ObjectiveDefinition("requests_per_second", "maximize"),),
        (ConstraintDefinition("ttft_ms_p95", maximum=900.0),),
    )


def _observation(problem: Problem, engine: Mapping[str, Value], chance: np.random.Generator) -> Observation:
    drawn = draw(problem.space, chance)
    point = {name: engine[name] if name in problem.engine_parameters else drawn[name] for name in drawn}
    if chance.random() < _BROKEN_SHARE:
        return Observation(point, ObservedState.INFEASIBLE, start_seconds=60.0)
    size = sum(float(value) for value in point.values() if not isinstance(value, str | bool))
    noise = chance.standard_normal(2)
    metrics = {
        "requests_per_second": 20.0 + size / 2000 + noise[0],
        "ttft_ms_p95": 500.0 + size / 20 + 20 * noise[1],
    }
    return Observation(point, ObservedState.MEASURED, metrics, seconds=30.0 + size / 1000)
