import itertools
import statistics
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt_core.sampling.auto import AutoSampler
from llmopt_core.sampling.observations import Observation, ObservedState, Problem
from llmopt_core.search.spaces import (
    ChoiceDimension,
    Condition,
    FloatDimension,
    IntDimension,
    SearchSpace,
    SpaceParameter,
)
from llmopt_core.storage.points import identity
from llmopt_core.storage.records import ConstraintDefinition, ObjectiveDefinition

SPACE = SearchSpace(
    (
        SpaceParameter("engine.kv", ChoiceDimension(("f16", "q8_0", "q4_0"))),
        SpaceParameter("engine.parallel", IntDimension(1, 16)),
        SpaceParameter("sampling.temperature", FloatDimension(0.0, 1.0, step=0.1)),
        SpaceParameter(
            "sampling.top_p", FloatDimension(0.1, 1.0), (Condition("sampling.temperature", above=0.5),)
        ),
    )
)
ENGINE = frozenset({"engine.kv", "engine.parallel"})
SPEED = (ObjectiveDefinition("requests_per_second", "maximize"),)


def problem(space=SPACE, engine=ENGINE, objectives=SPEED, constraints=()):
    return Problem(space, engine, objectives, constraints)


def engine_of(point):
    return {name: value for name, value in point.items() if name in ENGINE}


def metrics(point):
    """Speed is best at 11 streams and f16, accuracy at a temperature of 0.3; latency grows with streams."""
    speed = 10 - abs(point["engine.parallel"] - 11) * 0.5 - 2.0 * (point["engine.kv"] != "f16")
    return {
        "requests_per_second": speed + 0.1 * point["sampling.temperature"],
        "accuracy": 0.9 - abs(point["sampling.temperature"] - 0.3),
        "ttft_ms_p95": 50.0 * point["engine.parallel"],
    }


def study(
    sampler,
    trials,
    seconds=10.0,
    start_seconds=10.0,
    state=lambda _: ObservedState.MEASURED,
    measured=metrics,
):
    """Return the observations of a study that one runner measures alone."""
    observations, running = [], None
    for _ in range(trials):
        advice = sampler.propose(observations, running)
        if advice is None:
            break
        point = advice.parameters
        started = engine_of(point) != running
        how = state(point)
        served = how is ObservedState.MEASURED
        observations.append(
            Observation(
                point,
                how,
                measured(point) if served else {},
                seconds=seconds if served else 0.0,
                start_seconds=start_seconds if started else None,
            )
        )
        running = engine_of(point) if served else None
    return observations


@settings(max_examples=6)
@given(st.integers(0, 10_000), st.integers(0, 12))
def test_proposals_lie_in_the_space_and_keep_what_is_known(seed, trials):
    """Each proposal is a complete point of the space that has the known values and was not tried."""
    sampler = AutoSampler(problem(), seed)
    observations = study(sampler, trials)
    known = {"engine.kv": "q8_0", "sampling.temperature": 0.8}
    advice = sampler.propose(observations, None, known)
    assert advice is not None
    point = advice.parameters
    assert SPACE.settled(point) == point
    assert set(point) == {each.name for each in SPACE.parameters if each.active(point)}
    assert {name: point[name] for name in known} == known
    assert identity(point) not in {identity(each.parameters) for each in observations}


def test_a_finite_space_is_exhausted_once():
    """Every point is proposed once, then nothing is left; what must have known values is proposed again."""
    space = SearchSpace(
        (
            SpaceParameter("engine.kv", ChoiceDimension(("f16", "q8_0"))),
            SpaceParameter("engine.parallel", IntDimension(1, 4)),
            SpaceParameter("sampling.temperature", ChoiceDimension((0.0, 0.5))),
        )
    )
    sampler = AutoSampler(problem(space), 0)
    observations = study(sampler, 50)
    assert len({identity(each.parameters) for each in observations}) == len(observations) == 16
    assert sampler.propose(observations, None) is None
    half = [each for each in observations if each.parameters["engine.kv"] == "f16"]
    again = sampler.propose(half, None, {"engine.kv": "f16"})
    assert again is not None
    assert again.parameters["engine.kv"] == "f16"
    assert sampler.propose(half, None) is not None


def test_the_same_seed_and_observations_give_the_same_proposal():
    """A runner that starts again continues as the first would have: nothing is kept in the sampler."""
    observations = study(AutoSampler(problem(), 3), 9)
    again = [AutoSampler(problem(), 3).propose(observations, None) for _ in range(2)]
    assert again[0] == again[1]
    assert AutoSampler(problem(), 4).propose([], None) != AutoSampler(problem(), 3).propose([], None)


def test_it_finds_the_best_engine():
    """Of 48 engines and many requests, the best engine is found within 20 trials."""
    for seed in range(3):
        observations = study(AutoSampler(problem(), seed), 20)
        assert max(each.metrics["requests_per_second"] for each in observations) > 9.4


def test_constraints_are_kept():
    """Half of the proposals keep a bound that the best configuration without it breaks."""
    bounded = problem(constraints=(ConstraintDefinition("ttft_ms_p95", maximum=420.0),))
    observations = study(AutoSampler(bounded, 0), 24)
    kept = [each for each in observations[8:] if each.metrics["ttft_ms_p95"] <= 420]
    assert len(kept) >= 8
    assert max(each.metrics["requests_per_second"] for each in kept) > 8.4


def test_it_steers_away_from_engines_that_fail():
    """After a few failures of one region, the others are searched."""

    def state(point):
        works = point["engine.kv"] == "f16" or point["engine.parallel"] <= 4
        return ObservedState.MEASURED if works else ObservedState.INFEASIBLE

    observations = study(AutoSampler(problem(), 1), 30, state=state)
    later = [each.state for each in observations[12:]]
    assert later.count(ObservedState.INFEASIBLE) <= 4


def limited_study(seed):
    """Return 40 observations where the nearer to the memory's limit the faster; starts beyond it hang."""
    space = SearchSpace(
        (
            SpaceParameter("engine.kv", ChoiceDimension(("f16", "q8_0", "q4_0"))),
            SpaceParameter("engine.parallel", IntDimension(1, 64, log=True)),
            SpaceParameter("engine.context", ChoiceDimension((1024, 2048, 4096, 8192, 16384))),
            SpaceParameter("engine.flash", ChoiceDimension((True, False))),
            SpaceParameter("engine.threads", IntDimension(1, 8)),
            SpaceParameter("sampling.temperature", FloatDimension(0.0, 1.0)),
        )
    )
    engine = frozenset(name for name in space.names() if name.startswith("engine."))
    size = {"f16": 2.0, "q8_0": 1.0, "q4_0": 0.5}
    sampler = AutoSampler(problem(space, engine), seed)
    observations, running = [], None
    for _ in range(40):
        advice = sampler.propose(observations, running)
        assert advice is not None
        point = advice.parameters
        asked = {name: point[name] for name in engine}
        fits = point["engine.parallel"] * point["engine.context"] * size[point["engine.kv"]] <= 65_536
        speed = 1 + point["engine.parallel"] ** 0.5 + point["engine.threads"] / 8
        speed += point["engine.kv"] == "f16"
        observations.append(
            Observation(
                point,
                ObservedState.MEASURED if fits else ObservedState.FAILED,
                {"requests_per_second": speed} if fits else {},
                seconds=10.0 if fits else 0.0,
                start_seconds=None if asked == running else 10.0 if fits else 300.0,
            )
        )
        running = asked if fits else None
    return observations


def test_what_hangs_beyond_a_limit_is_left_although_it_promises_most():
    """A quarter of the starts may hang, where half of the space does; the best is found all the same."""
    studies = [limited_study(seed) for seed in range(4)]
    hung = sum(each.state is ObservedState.FAILED for observations in studies for each in observations)
    assert hung <= 40
    best = [max(each.metrics.get("requests_per_second", 0.0) for each in study) for study in studies]
    assert sorted(best)[1] > 9


def test_an_engine_that_failed_is_not_started_again():
    """A start that hangs costs its time once, whatever the request parameters are."""
    failed = {"engine.kv": "f16", "engine.parallel": 11}
    observations = study(
        AutoSampler(problem(), 2),
        25,
        state=lambda point: ObservedState.FAILED if engine_of(point) == failed else ObservedState.MEASURED,
    )
    assert sum(engine_of(each.parameters) == failed for each in observations) <= 1


def test_known_values_are_completed_on_an_engine_that_failed():
    """Who gave them waits for an outcome, though it is known already."""
    engine = {"engine.kv": "f16", "engine.parallel": 11}
    failed = Observation(
        {**engine, "sampling.temperature": 0.5}, ObservedState.FAILED, start_seconds=5.0, seconds=0.0
    )
    advice = AutoSampler(problem(), 0).propose([failed], None, {**engine, "sampling.temperature": 0.2})
    assert advice is not None
    assert advice.parameters == {**engine, "sampling.temperature": 0.2}


def test_an_engine_on_which_requests_failed_is_tried_again():
    """Too many examples, or a value that the server refuses, say nothing of the engine."""
    space = SearchSpace(
        (
            SpaceParameter("engine.parallel", IntDimension(1, 2)),
            SpaceParameter("prompt.few_shot", IntDimension(0, 3)),
        )
    )
    observations = [
        Observation(
            {"engine.parallel": engine, "prompt.few_shot": 3},
            ObservedState.INFEASIBLE,
            of_requests=engine == 1,
        )
        for engine in (1, 2)
    ]
    sampler, tried = AutoSampler(problem(space, frozenset({"engine.parallel"})), 0), observations
    while (advice := sampler.propose(tried, None)) is not None:
        measured = {"requests_per_second": 1.0 + len(tried)}
        tried = [*tried, Observation(advice.parameters, ObservedState.MEASURED, measured, seconds=1.0)]
    assert [each.parameters["engine.parallel"] for each in tried[2:]] == [1, 1, 1]


def _starts(observations):
    return sum(each.start_seconds is not None for each in observations)


def test_expensive_starts_are_rarer_but_do_happen():
    """The dearer a start, the more trials an engine serves; several engines are tried all the same."""
    both = (*SPEED, ObjectiveDefinition("accuracy", "maximize"))
    cheap = study(AutoSampler(problem(objectives=both), 0), 24, start_seconds=0.1)
    dear = study(AutoSampler(problem(objectives=both), 0), 24, start_seconds=200.0)
    assert 5 <= _starts(dear) < _starts(cheap)


def sessions(observations):
    """Return how many trials follow each start, without the last, which may go on."""
    starts = [place for place, each in enumerate(observations) if each.start_seconds is not None]
    return [after - before for before, after in itertools.pairwise(starts)]


def unforeseeable(point):
    """Speed that no model predicts, so that something may be gained everywhere."""
    chance = np.random.default_rng(zlib.crc32(repr(sorted(point.items())).encode()))
    return {"requests_per_second": float(chance.lognormal(sigma=3.0))}


@pytest.mark.parametrize("seed", range(3))
def test_an_engine_serves_for_as_long_as_its_start_took(seed):
    """A start that takes five measurements is followed by about five: fewer where models expect nothing."""
    sampler = AutoSampler(problem(), seed)
    dear = study(sampler, 24, seconds=10.0, start_seconds=50.0, measured=unforeseeable)
    assert min(sessions(dear)) > 1
    assert statistics.median(sessions(dear)) >= 4
    cheap = study(sampler, 24, seconds=10.0, start_seconds=5.0, measured=unforeseeable)
    assert 1 in sessions(cheap)


def test_an_engine_without_anything_to_gain_is_left_before_it_is_repaid():
    """Where requests change nothing, the models say so, and a long start is not sat out."""
    observations = study(
        AutoSampler(problem(), 0),
        30,
        seconds=10.0,
        start_seconds=200.0,
        measured=lambda point: {"requests_per_second": float(point["engine.parallel"])},
    )
    assert min(sessions(observations)) < 20


def test_running_trials_are_not_duplicated():
    """Runners that ask one after another while nothing ends are given different, distant points."""
    sampler = AutoSampler(problem(), 0)
    observations = study(sampler, 8)
    proposed = []
    for _ in range(4):
        advice = sampler.propose(observations, None)
        assert advice is not None
        proposed.append(advice.parameters)
        observations.append(Observation(advice.parameters, ObservedState.RUNNING))
    assert len({identity(point) for point in proposed}) == 4
    assert len({identity(engine_of(point)) for point in proposed}) >= 2


def test_several_objectives_are_explored_along_the_front():
    """With two objectives both ends of the front are found, and a point between."""
    conflicting = problem(
        objectives=(*SPEED, ObjectiveDefinition("ttft_ms_p95", "minimize")),
    )
    observations = study(AutoSampler(conflicting, 0), 30)
    parallel = {each.parameters["engine.parallel"] for each in observations}
    assert parallel & {10, 11, 12}
    assert parallel & {1, 2}
    assert parallel & {4, 5, 6, 7, 8}


def test_the_bound_is_unknown_at_first_and_then_falls():
    """Too few trials give no bound; a searched space leaves less to gain than a new one."""
    sampler = AutoSampler(problem(), 0)
    observations = study(sampler, 40)
    early = sampler.propose(observations[:5], None)
    middle = sampler.propose(observations[:12], None)
    late = sampler.propose(observations, None)
    assert early is not None
    assert middle is not None
    assert late is not None
    assert early.bound is None
    assert late.bound is not None
    assert middle.bound is not None
    assert 0 <= late.bound <= middle.bound
    assert late.bound < 0.2


def test_advice_says_what_it_expects():
    """The expected time holds the start of another engine only where one is needed."""
    sampler = AutoSampler(problem(), 0)
    observations = study(sampler, 12, seconds=10.0, start_seconds=40.0)
    known = engine_of(observations[-1].parameters)
    here = sampler.propose(observations, known, known)
    there = sampler.propose(observations, None, known)
    assert here is not None
    assert there is not None
    assert here.seconds == pytest.approx(10.0, rel=0.2)
    assert there.seconds == pytest.approx(50.0, rel=0.2)
    assert here.expected_gain is not None
    assert here.expected_gain >= 0


def test_missing_and_constant_metrics_are_no_obstacle():
    """A trial without the metric, and a metric that never changes, still give a proposal."""
    sampler = AutoSampler(problem(constraints=(ConstraintDefinition("accuracy", minimum=0.1),)), 0)
    chance = np.random.default_rng(0)
    observations = [
        Observation(
            {"engine.kv": "f16", "engine.parallel": int(parallel), "sampling.temperature": 0.0},
            ObservedState.MEASURED,
            {"requests_per_second": 3.0, **({"accuracy": 0.5} if parallel % 2 else {})},
            {"accuracy": 0.1},
            seconds=1.0,
        )
        for parallel in chance.permutation(10) + 1
    ]
    assert sampler.propose(observations, None) is not None


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        ("accuracy", [0.0]),
        ("good_answers_per_second", [0.0]),
        ("accuracy", [0.0, 0.0, 0.0, 0.0, 0.0, 0.05]),
        ("metric_of_a_plug_in", [-40.0, 40.0, -0.001, 0.001]),
    ],
)
def test_values_about_zero_are_no_obstacle(metric, values):
    """Where no answer is right yet, a gain has no value to be a share of: the search goes on all the same."""
    asked = problem(objectives=(ObjectiveDefinition(metric, "maximize"),))
    sampler = AutoSampler(asked, 0)
    observations = [
        Observation(
            {"engine.kv": "f16", "engine.parallel": parallel, "sampling.temperature": 0.0},
            ObservedState.MEASURED,
            {metric: values[parallel % len(values)]},
            seconds=1.0,
        )
        for parallel in range(1, 13)
    ]
    advice = sampler.propose(observations, None)
    assert advice is not None
    assert advice.expected_gain is not None
    assert advice.bound is not None
    assert 0 <= advice.expected_gain < 100
    assert 0 <= advice.bound < 100
