import math
from dataclasses import replace

import pytest
from fakes.records import outcome, trial
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.analysis.ranking import best_of, gain, pareto_front, ranked, weighted_gain
from llmopt_core.analysis.summary import summarise_trials
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.metrics.catalog import MetricNotFound
from llmopt_core.search.spaces import FloatDimension, SearchSpace, SpaceParameter
from llmopt_core.storage.records import (
    ConstraintDefinition,
    ObjectiveDefinition,
    OutcomeKind,
    Phase,
    StudyDefinition,
)

ACCURACY = ObjectiveDefinition("accuracy", "maximize")
LATENCY = ObjectiveDefinition("ttft_ms_p95", "minimize")


def _definition(*objectives, constraints=()):
    return StudyDefinition("study", "abc", SearchSpace(()), objectives or (ACCURACY,), constraints)


def _point(number, accuracy, latency=100.0, *, phase=Phase.SEARCH, kind=OutcomeKind.MEASURED, **more):
    metrics = {"accuracy": accuracy, "ttft_ms_p95": latency}
    return trial(number, outcome(kind, metrics=metrics, parameters={"engine.n": number}, **more), phase=phase)


@pytest.mark.parametrize(
    ("objective", "value", "default", "expected"),
    [
        (ACCURACY, 0.75, 0.5, 0.25),
        (ACCURACY, 0.25, 0.5, -0.25),
        (LATENCY, 50.0, 100.0, math.log(2)),
        (LATENCY, 200.0, 100.0, -math.log(2)),
        (ObjectiveDefinition("output_tokens_per_second", "maximize"), 30.0, 10.0, math.log(3)),
        (ObjectiveDefinition("accuracy", "minimize"), 0.25, 0.5, 0.25),
        (ObjectiveDefinition("peak_memory_mib", "minimize"), 0.0, 0.0, 0.0),
    ],
)
def test_gain_follows_the_catalogues_scale(objective, value, default, expected):
    """A gain is a logarithm of quotients or a difference, by the metric's scale, positive when better."""
    assert gain(objective, value, default) == pytest.approx(expected)


def test_warnings_are_counted_by_their_words():
    """Numbers aside they are one; a trial counts once, and one that failed shows its failure instead."""
    trials = [
        _point(0, 0.5, phase=Phase.BASELINE, warnings=("1 of 8 cut", "9 of 8 cut")),
        _point(1, 0.5, warnings=("12,000.5 of 8 cut", "late")),
        _point(2, 0.5, kind=OutcomeKind.INVALID, error=ErrorClass.MEASUREMENT_INVALID, warnings=("late",)),
    ]
    found = summarise_trials(trials, _definition()).warnings
    assert [(each.count, each.message, each.trial) for each in found] == [
        (2, "12,000.5 of 8 cut", 1),
        (1, "late", 1),
    ]


def test_a_metric_that_nobody_knows_has_no_scale():
    """A plug-in's metric is not compared on a guessed scale where the plug-in is missing."""
    with pytest.raises(MetricNotFound, match="a_plugins_metric"):
        gain(ObjectiveDefinition("a_plugins_metric", "maximize"), 3.0, 1.0)


def test_weights_decide_between_points_of_the_front():
    """Of two points of the front, the objective with more weight decides."""
    base, accurate, quick = _point(0, 0.5, phase=Phase.BASELINE), _point(1, 0.9, 100.0), _point(2, 0.5, 50.0)
    for weights, expected in (((4.0, 1.0), 1), ((1.0, 4.0), 2)):
        objectives = (
            ObjectiveDefinition("accuracy", "maximize", weights[0]),
            ObjectiveDefinition("ttft_ms_p95", "minimize", weights[1]),
        )
        made = _definition(*objectives)
        assert best_of(pareto_front([base, accurate, quick], made), base, made).number == expected


def test_nothing_measured_has_no_best():
    """Without a measured trial that keeps the constraints there is no front and no best."""
    made = _definition(constraints=(ConstraintDefinition("accuracy", minimum=0.9),))
    trials = [_point(0, 0.5), trial(1, outcome(OutcomeKind.PRUNED)), trial(2)]
    summary = summarise_trials(trials, made)
    assert (summary.best, summary.pareto) == (None, ())


def test_pruned_values_and_repeats_are_never_ranked():
    """Only measured trials of the search are ranked, whatever metrics the others carry."""
    trials = [
        _point(0, 0.5, phase=Phase.BASELINE),
        _point(1, 0.99, kind=OutcomeKind.PRUNED),
        _point(2, 0.98, kind=OutcomeKind.INVALID),
        _point(3, 0.97, phase=Phase.CONFIRM),
        _point(4, 0.6),
    ]
    summary = summarise_trials(trials, _definition())
    assert summary.best.number == 4
    assert summary.baseline.number == 0


def test_equal_trials_give_the_first():
    """Of equally good trials the earliest is the best, and a configuration is ranked once."""
    trials = [_point(0, 0.5), _point(1, 0.7), _point(2, 0.7)]
    assert summarise_trials(trials, _definition()).best.number == 1
    copied = trial(3, outcome(OutcomeKind.COPIED, metrics={"accuracy": 0.7}, parameters={"engine.n": 1}))
    assert [each.number for each in ranked([*trials, copied], _definition())] == [1, 2, 0]


def test_summary_counts():
    """Counts, budget, errors and seconds add up, with repeats apart."""
    trials = [
        _point(0, 0.5, phase=Phase.BASELINE, seconds={"load": 1.0, "measure": 2.0}),
        trial(1, outcome(OutcomeKind.FAILED, error=ErrorClass.ENGINE_CRASHED, seconds={"load": 0.5})),
        trial(2, outcome(OutcomeKind.RETURNED, error=ErrorClass.PREEMPTED)),
        trial(3, outcome(OutcomeKind.FAILED, error=ErrorClass.ENGINE_CRASHED)),
        trial(4),
        _point(5, 0.6, phase=Phase.CONFIRM),
        trial(6, phase=Phase.CONFIRM),
    ]
    summary = summarise_trials(trials, _definition())
    assert summary.counts == {OutcomeKind.MEASURED: 1, OutcomeKind.FAILED: 2, OutcomeKind.RETURNED: 1}
    assert (summary.running, summary.waiting, summary.budget_used) == (1, 0, 4)
    assert (summary.confirm_running, summary.confirm_counts) == (1, {OutcomeKind.MEASURED: 1})
    first = summary.errors[0]
    assert (first.error_class, first.count, first.last_trial) == (ErrorClass.ENGINE_CRASHED, 2, 3)
    assert summary.seconds == {"load": 1.5, "measure": 2.0}


_values = st.floats(0.0, 1.0)
_latencies = st.floats(1.0, 1000.0)


@given(st.lists(st.tuples(_values, _latencies), min_size=1, max_size=25))
def test_best_is_never_dominated_and_never_infeasible(points):
    """The best lies on the front, keeps the constraints, and no feasible trial is better in everything."""
    made = _definition(ACCURACY, LATENCY, constraints=(ConstraintDefinition("ttft_ms_p95", maximum=500.0),))
    trials = [_point(number, *point) for number, point in enumerate(points)]
    feasible = [point for point in points if point[1] <= 500.0]
    front = pareto_front(trials, made)
    best = best_of(front, trials[0], made)
    assert (best is None) == (not feasible)
    if best is None:
        return
    accuracy, latency = points[best.number]
    assert latency <= 500.0
    assert best in front
    assert not any(
        (other[0] >= accuracy and other[1] <= latency) and other != (accuracy, latency) for other in feasible
    )


@given(st.lists(st.tuples(_values, _latencies), min_size=1, max_size=25))
def test_front_is_what_the_definition_says(points):
    """The front is exactly the trials that no other dominates."""
    made = _definition(ACCURACY, LATENCY)
    trials = [_point(number, *point) for number, point in enumerate(points)]
    expected = [
        number
        for number, mine in enumerate(points)
        if not any(o[0] >= mine[0] and o[1] <= mine[1] and o != mine for o in points)
    ]
    assert [each.number for each in pareto_front(trials, made)] == expected


@given(st.lists(st.tuples(_values, _latencies), min_size=2, max_size=12))
def test_the_default_never_changes_the_order(points):
    """Which trial gains are taken over does not change which is best."""
    made = _definition(ACCURACY, LATENCY)
    trials = [_point(number, *point) for number, point in enumerate(points)]
    gains = [[weighted_gain(each, base, made) for each in trials] for base in trials[:2]]
    shift = gains[0][0] - gains[1][0]
    assert gains[0] == pytest.approx([value + shift for value in gains[1]], abs=1e-9)


NEARLY_AS_GOOD = ConstraintDefinition("accuracy", minimum=-0.1, relative_to="baseline")
FASTER = ObjectiveDefinition("ttft_ms_p95", "minimize")


def test_the_best_keeps_a_constraint_relative_to_the_baseline():
    """The fastest loses too much accuracy; the front and the ranking leave it out as well."""
    made = _definition(FASTER, constraints=(NEARLY_AS_GOOD,))
    trials = [_point(0, 0.5, 100.0, phase=Phase.BASELINE), _point(1, 0.39, 10.0), _point(2, 0.4, 50.0)]
    summary = summarise_trials(trials, made)
    assert summary.best.number == 2
    assert [each.number for each in summary.pareto] == [2]
    assert [each.number for each in ranked(trials, made)] == [2, 0]
    assert summary.warnings == ()


def test_a_constraint_without_a_measured_baseline_is_said_not_to_have_been_applied():
    """While the baseline may still come nothing is said; once it has failed, it is never silently dropped."""
    made = _definition(FASTER, constraints=(NEARLY_AS_GOOD,))
    running = [trial(0, phase=Phase.BASELINE), _point(1, 0.39, 10.0)]
    assert summarise_trials(running, made).warnings == ()
    failed = outcome(OutcomeKind.FAILED, error=ErrorClass.ENGINE_CRASHED)
    ended = [trial(0, failed, phase=Phase.BASELINE), _point(1, 0.39, 10.0)]
    summary = summarise_trials(ended, made)
    assert summary.best.number == 1
    (warning,) = summary.warnings
    assert warning.trial is None
    assert "accuracy >= baseline - 0.1 was not applied: the baseline was not measured" in warning.message


def _answering(number, tokens, **changes):
    speeds = {"output_tokens_per_second": 2.0 * tokens, "requests_per_second": 2.0}
    parameters = {"sampling.temperature": float(number)}
    return trial(number, outcome(metrics=speeds, parameters=parameters), parameters=parameters, **changes)


def test_a_result_says_that_its_objective_rewards_longer_answers():
    """With how long the answers were; where their length is fixed there is nothing to say."""
    space = SearchSpace((SpaceParameter("sampling.temperature", FloatDimension(0.0, 2.0)),))
    speed = ObjectiveDefinition("output_tokens_per_second", "maximize")
    made = StudyDefinition("study", "f", space, (speed,))
    trials = [_answering(0, 18.2, phase=Phase.BASELINE), _answering(1, 41.0)]
    (warning,) = summarise_trials(trials, made).warnings
    assert warning.message.startswith("output_tokens_per_second is per token, so it rewards longer answers")
    assert warning.message.endswith("(tokens per answer: 18.2 of the baseline, 41.0 of the best)")
    assert summarise_trials(trials, replace(made, output_tokens=32)).warnings == ()
