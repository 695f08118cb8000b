"""When a benchmark has cost enough, or has nothing left to compare."""

from fakes.comparisons import comparison, measured
from fakes.records import outcome

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.resources.benchmark import BenchmarkBudget
from llmopt_core.storage.records import OutcomeKind, RunnerRecord
from llmopt_runner.loop.budgets import comparison_ending, comparison_exhausted

BENCHMARK = comparison("default", "a", "b", repeats=2)
MISSING = outcome(OutcomeKind.FAILED, error=ErrorClass.MODEL_NOT_FOUND)
CRASHED = outcome(OutcomeKind.FAILED, error=ErrorClass.ENGINE_CRASHED)
AWAY = outcome(OutcomeKind.FAILED, error=ErrorClass.ENDPOINT_UNREACHABLE)


def ending_of(trials, runners=(), **budget):
    return comparison_ending(BenchmarkBudget(**budget), BENCHMARK, trials, runners)


def test_a_benchmark_goes_on_while_there_is_something_to_compare():
    """Neither a candidate that is lost nor a crash or two ends the comparison of the others."""
    assert ending_of(measured([50, 51], [60], [MISSING])) is None
    assert ending_of(measured([50, 51], [60], [CRASHED]), max_failed_trials=2) is None


def test_the_loss_of_the_baseline_ends_a_benchmark():
    """It failed, by the class of what was lost."""
    ending = ending_of(measured([MISSING], [60], [70]))
    assert ending.failed
    assert ending.reason == "ModelNotFound"
    assert ending.message.startswith("the baseline default cannot be measured, so nothing can be compared; ")


def test_the_loss_of_all_others_ends_a_benchmark():
    """The baseline alone is no comparison; a benchmark of a single candidate never was one."""
    ending = ending_of(measured([50], [MISSING], [MISSING]))
    assert ending.failed
    assert "no candidate is left to compare with default; a: " in ending.message
    single = comparison("default", repeats=2)
    assert comparison_ending(BenchmarkBudget(), single, measured([50]), ()) is None


def test_failures_of_a_lost_candidate_are_no_failed_trials():
    """Each repeat of a missing model or server fails, but it is one thing to fix, not one for each."""
    for lost in (MISSING, AWAY):
        assert ending_of(measured([50, 51], [60, 61], [lost, lost]), max_failed_trials=1) is None
    ending = ending_of(measured([50, 51], [60, 61], [CRASHED]), max_failed_trials=1)
    assert (ending.reason, ending.failed) == ("TooManyFailures", True)


def test_the_duration_of_a_benchmark_is_its_runners_own():
    """When it is spent, it is said how much was measured until then."""
    runners = (RunnerRecord("one", 0, 3, active_seconds=61.0),)
    assert ending_of(measured([50], [60]), runners, duration="2m") is None
    ending = ending_of(measured([50], [60]), runners, duration="1m")
    assert not ending.failed
    assert ending.message == "spec.budget.duration of 60 s is spent after 2 of 6 repeats"


def test_the_end_says_which_candidates_are_missing():
    """A user who reads only the end learns what could not be measured, why, and what to do."""
    assert comparison_exhausted(BENCHMARK, measured([50], [60], [70])).message == "all 6 repeats are done"
    lost = comparison_exhausted(BENCHMARK, measured([50], [60], [MISSING])).message
    assert lost.endswith("; b could not be measured: ModelNotFound: it failed - fix it")
