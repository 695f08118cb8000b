import dataclasses

import pytest
from fakes.comparisons import FASTER, comparison, repeat
from fakes.local_runs import benchmark_document, document
from fakes.records import outcome, trial

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.resources.loading import resource_of
from llmopt_core.results.endings import End, end_of
from llmopt_core.results.progress import comparison_seconds_left, most_repeats, seconds_left, stage_of
from llmopt_core.results.reading import look
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage.documents import EndReason
from llmopt_core.storage.records import (
    ConfirmPlan,
    ObjectiveDefinition,
    OutcomeKind,
    Phase,
    RunnerRecord,
    StudyDefinition,
)
from llmopt_core.storage.views import StudyPicture

OBJECTIVES = (ObjectiveDefinition("accuracy", "maximize"),)
DEFINITION = StudyDefinition("s", "f", SearchSpace(()), OBJECTIVES)


def test_repeats_are_forecast_until_they_are_planned():
    """Before the plan the manifest's own numbers are the most there can be."""
    spec = resource_of(document(confirm={"top": 3, "repeats": 5})).spec
    assert most_repeats(spec) == (3 + 1) * 5


def test_no_confirmation_has_no_repeats():
    """With confirm.top 0 nothing is repeated."""
    assert most_repeats(resource_of(document(confirm={"top": 0, "repeats": 5})).spec) == 0


def test_time_left_is_shared_by_the_runners():
    """Trials of one second: ten of them take two runners five seconds."""
    trials = [trial(number, outcome()) for number in range(3)]
    assert seconds_left(trials, to_do=10, runners=2) == pytest.approx(5.0)


def test_returned_trials_do_not_count_for_the_forecast():
    """A trial that was given back says nothing about how long one takes."""
    assert seconds_left([trial(0, outcome(OutcomeKind.RETURNED))], to_do=10, runners=1) is None


@pytest.mark.parametrize(
    ("budget", "left"),
    [({"trials": 100}, 97), ({"trials": 100, "duration": "60s"}, 20), ({"trials": 50, "duration": "2h"}, 47)],
    ids=["trials", "time", "whichever comes first"],
)
def test_no_more_time_is_left_than_the_budget_has(budget, left):
    """After 40 seconds, with trials of one second."""
    trials = tuple(trial(number, outcome(metrics={"accuracy": 0.5})) for number in range(3))
    picture = StudyPicture(DEFINITION, None, None, None, None, trials, ())
    spec = resource_of(document(budget=budget, confirm={"top": 0})).spec
    assert look(picture, spec, elapsed_seconds=40.0, runners=1).progress.eta_seconds == left


def test_a_benchmark_ends_with_its_time():
    """What a repeat would take beyond that is not announced."""
    asked = comparison("slow", repeats=3)
    trials = [
        dataclasses.replace(repeat(0, 0, 0, outcome()), started_at=10.0, finished_at=110.0),
        repeat(1, 0, 1),
    ]
    study = StudyPicture(
        StudyDefinition("s", "f", SearchSpace(()), (FASTER,), comparison=asked),
        None, None, asked, "Keep", tuple(trials), (),
    )  # fmt: skip
    spec = resource_of(benchmark_document(budget={"duration": "2m"})).spec
    assert look(study, spec, elapsed_seconds=100.0, runners=1).progress.eta_seconds == 20


def test_a_benchmark_is_as_far_as_its_repeats():
    """Candidate and repeat of what runs are named; what a candidate will take follows from what it took."""
    asked = comparison("slow", "fast", repeats=2)
    trials = [
        dataclasses.replace(repeat(0, 0, 0, outcome()), started_at=10.0, finished_at=110.0),
        dataclasses.replace(repeat(1, 1, 0, outcome()), started_at=110.0, finished_at=112.0),
        repeat(2, 0, 1),
        dataclasses.replace(repeat(3, 1, 1), state="waiting"),
    ]
    study = StudyPicture(
        StudyDefinition("s", "f", SearchSpace(()), (FASTER,), comparison=asked),
        None, None, asked, "Keep", tuple(trials), (RunnerRecord("runner", 0, 1, 0.0),),
    )  # fmt: skip
    seen = look(study, resource_of(benchmark_document()).spec, elapsed_seconds=5.0, runners=1)
    counts = seen.progress
    assert (stage_of(seen), counts.finished, counts.budget, counts.running) == ("comparison", 2, 4, 1)
    assert [each.repeat for each in seen.runners] == ["slow (repeat 2 of 2)"]
    assert (counts.text, counts.eta_seconds, counts.eta) == ("2/4", 102, "1m42s")


def test_a_candidate_that_was_given_up_takes_no_more_time():
    """Repeats that fail without a start are no forecast, and cost none."""
    lost = outcome(OutcomeKind.FAILED, error=ErrorClass.MODEL_NOT_FOUND)
    trials = [
        dataclasses.replace(repeat(0, 0, 0, outcome()), started_at=10.0, finished_at=20.0),
        repeat(1, 1, 0, lost),
        dataclasses.replace(repeat(2, 0, 1), state="waiting"),
        dataclasses.replace(repeat(3, 1, 1), state="waiting"),
    ]
    assert comparison_seconds_left(trials, runners=1) == pytest.approx(10.0)
    assert comparison_seconds_left(trials[1:], runners=1) is None


SCORED = outcome(metrics={"accuracy": 0.5})


def _repeat(number, candidate, repeat, kind=OutcomeKind.MEASURED):
    metrics = {"accuracy": 0.5} if kind is OutcomeKind.MEASURED else {}
    made = outcome(kind, metrics=metrics)
    return trial(number, made, phase=Phase.CONFIRM, candidate=candidate, repeat=repeat)


def _looked(trials, plan, budget=2):
    resource = resource_of(document(trials=budget, confirm={"top": 1, "repeats": 3}))
    picture = StudyPicture(DEFINITION, None, plan, None, "Keep", tuple(trials), ())
    seen = look(picture, resource.spec, elapsed_seconds=1.0, runners=1)
    return stage_of(seen), seen.progress.confirm_finished, seen.progress.confirm_planned


def test_repeats_of_a_plan_that_was_replaced_do_not_count():
    """After a raised budget the search goes on, and the repeats before it are no progress."""
    searched = [trial(0, SCORED, phase=Phase.BASELINE), trial(1, SCORED)]
    repeats = [_repeat(2 + place, place % 2, place // 2) for place in range(6)]
    plan = ConfirmPlan(({}, {}), (0, 1), 3, basis=2)
    assert _looked([*searched, *repeats], plan) == ("verification", 6, 6)
    assert _looked([*searched, *repeats, trial(8)], plan, budget=4) == ("search", 0, 6)


def test_withdrawn_repeats_are_not_planned_any_more():
    """A candidate that was decided early has fewer repeats, and so has the plan."""
    searched = [trial(0, SCORED, phase=Phase.BASELINE), trial(1, SCORED)]
    repeats = [_repeat(2 + place, place % 2, place // 2) for place in range(4)]
    withdrawn = [_repeat(6, 0, 2, OutcomeKind.RETURNED), _repeat(7, 1, 2, OutcomeKind.RETURNED)]
    plan = ConfirmPlan(({}, {}), (0, 1), 3, basis=2)
    assert _looked([*searched, *repeats, *withdrawn], plan) == ("verification", 4, 4)


@pytest.mark.parametrize(
    ("trials", "stage"),
    [
        ([], "starting"),
        ([trial(0, phase=Phase.BASELINE)], "baseline"),
        ([trial(0, SCORED, phase=Phase.BASELINE), trial(1)], "search"),
    ],
)
def test_a_running_study_says_what_it_does(trials, stage):
    """Nothing has begun, the default is measured, the search is on."""
    assert _looked(trials, None)[0] == stage


def test_repeats_of_a_study_that_ended_count():
    """A plan of release 0.1.0 does not say what it was made from; the result rests on its repeats."""
    trials = [trial(0, SCORED, phase=Phase.BASELINE), trial(1, SCORED), _repeat(2, 0, 0), _repeat(3, 1, 0)]
    plan, end = ConfirmPlan(({}, {}), (0, 1), 1), EndReason("TrialsExhausted", "all trials are done")
    picture = StudyPicture(DEFINITION, end, plan, None, "Keep", tuple(trials), ())
    seen = look(picture, resource_of(document()).spec, elapsed_seconds=1.0, runners=0)
    assert (seen.progress.confirm_finished, seen.progress.confirm_planned) == (2, 2)


def test_a_study_that_ended_is_over():
    """It says how, and promises no more time."""
    end = EndReason("ModelNotFound", "no such model", failed=True)
    picture = StudyPicture(DEFINITION, end, None, None, "Keep", (trial(0, SCORED, phase=Phase.BASELINE),), ())
    seen = look(picture, resource_of(document()).spec, elapsed_seconds=1.0, runners=0)
    assert stage_of(seen) == "ended"
    assert end_of(seen) == End("ModelNotFound", "no such model", failed=True)
    assert seen.progress.eta_seconds is None
