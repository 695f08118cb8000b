from dataclasses import replace

from fakes.records import outcome, trial

from llmopt_core.analysis.contenders import finalists
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage.records import ConstraintDefinition, ObjectiveDefinition, StudyDefinition

OBJECTIVES = (
    ObjectiveDefinition("good_answers_per_second", "maximize"),
    ObjectiveDefinition("accuracy", "maximize"),
)
DEFINITION = StudyDefinition("study", "f", SearchSpace(()), OBJECTIVES)


def _trial(number, speed, right, items=40, ttft_ms=900.0):
    scores = {str(place): float(place < right) for place in range(items)}
    metrics = {"good_answers_per_second": speed, "accuracy": right / items, "ttft_ms_p95": ttft_ms}
    made = outcome(metrics=metrics, samples=scores, parameters={"engine.n_parallel": number})
    return trial(number, made)


def _chosen(*rivals, most=3, constraints=()):
    reference, definition = _trial(0, 1.0, 8), replace(DEFINITION, constraints=constraints)
    able = [*rivals, reference]
    return [each.number for each in finalists(able, reference, definition, most=most, smallest_gain=0.02)]


def test_near_identical_configurations_take_one_place():
    """Of three that differ by noise only the best is verified, and the other places go to others."""
    same = [_trial(1, 2.0, 30), _trial(2, 1.98, 30), _trial(3, 2.02, 29)]
    assert _chosen(*same, _trial(4, 3.0, 9)) == [1, 4]


def test_what_gains_nothing_is_not_verified():
    """Slower and less accurate than the baseline, or the baseline itself: there is nothing to verify."""
    assert _chosen(_trial(1, 0.5, 4)) == []


def test_where_the_baseline_breaks_a_constraint_what_keeps_it_need_not_gain():
    """It is what can be served at all: the best of it is verified, slower than the baseline or not."""
    quick = ConstraintDefinition("ttft_ms_p95", maximum=500.0)
    slower = _trial(1, 0.9, 7, ttft_ms=300.0), _trial(2, 0.5, 6, ttft_ms=200.0)
    assert _chosen(*slower, constraints=(quick,)) == [1]
    assert _chosen(*slower) == []


def test_no_more_are_verified_than_asked():
    """The places go to the best by the weights, then to the best of each objective."""
    found = _chosen(_trial(1, 4.0, 4), _trial(2, 1.0, 38), _trial(3, 2.5, 24), most=2)
    assert len(found) == 2
