"""Which configurations a search has verified, and in which order."""

import pytest
from fakes.records import outcome, trial

from llmopt_core.analysis.summary import summarise_trials
from llmopt_core.engines.registry import declaration_of
from llmopt_core.resources.optimization import Confirm
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage.records import ObjectiveDefinition, Phase, StudyDefinition
from llmopt_runner.loop.verification_plans import confirm_plan

OBJECTIVES = (ObjectiveDefinition("requests_per_second", "maximize"),)
DEFINITION = StudyDefinition("study", "f", SearchSpace(()), OBJECTIVES)
LOAD_PART = declaration_of("llamacpp").load_part


def _trial(number, speed, *, start=2.0, phase=Phase.SEARCH, **parameters):
    metrics = {"requests_per_second": speed, "engine_start_seconds": start}
    full = {name.replace("__", "."): value for name, value in parameters.items()}
    made = outcome(metrics=metrics, seconds={"measure": 10.0, "total": 12.0}, parameters=full)
    return trial(number, made, phase=phase, parameters=full)


def _plan(*trials, **confirm):
    summary = summarise_trials(trials, DEFINITION)
    ordered = sorted(trials, key=lambda each: -each.outcome.metrics["requests_per_second"])
    return confirm_plan(Confirm(**confirm), DEFINITION, summary, ordered, LOAD_PART)


BASELINE = _trial(0, 1.0, phase=Phase.BASELINE, engine__n_parallel=1)


def test_the_baseline_is_the_reference_and_the_best_the_rival():
    """The plan names both, where they come from, and the boundary of repeated looks."""
    plan = _plan(BASELINE, _trial(1, 2.0, engine__n_parallel=8), top=3, repeats=5)
    assert plan.source_trials == (0, 1)
    assert (plan.repeats, plan.basis, plan.smallest_gain) == (5, 2, 0.02)
    assert 0 < plan.level < 0.05
    assert plan.spent[-1] == plan.level < plan.spent[0]
    assert len(set(plan.engines)) == 2


def test_what_shares_an_engine_start_is_run_together():
    """A rival that differs from the baseline by request parameters only follows it, whatever its rank."""
    fast = _trial(1, 4.0, engine__n_parallel=8)
    same_engine = _trial(2, 2.0, engine__n_parallel=1, sampling__temperature=0.5)
    definition = StudyDefinition(
        "study", "f", SearchSpace(()), (*OBJECTIVES, ObjectiveDefinition("engine_start_seconds", "minimize"))
    )
    trials = (BASELINE, fast, _quick_start(same_engine))
    plan = confirm_plan(
        Confirm(top=2), definition, summarise_trials(trials, definition), trials[1:], LOAD_PART
    )
    assert plan.source_trials == (0, 2, 1)
    assert plan.engines[0] == plan.engines[1] != plan.engines[2]


def _quick_start(one):
    one.outcome.metrics["engine_start_seconds"] = 0.5
    return one


@pytest.mark.parametrize("confirm", [{"top": 0}, {"top": 3}])
def test_nothing_is_planned_where_nothing_can_be_proved(confirm):
    """Without a place for a finalist, or where nothing is better than the baseline, there is no plan."""
    trials = [BASELINE, _trial(1, 2.0, engine__n_parallel=8)] if not confirm["top"] else [BASELINE]
    assert _plan(*trials, **confirm) is None


def test_long_starts_limit_the_rounds():
    """Where an engine needs minutes to start, there are few starts, with several repeats on each."""
    slow = [
        _trial(0, 1.0, start=142.0, phase=Phase.BASELINE, engine__n_parallel=1),
        _trial(1, 2.0, start=142.0, engine__n_parallel=8),
    ]
    plan = _plan(*slow, repeats=15)
    assert (plan.repeats, plan.per_start) == (12, 4)


def test_without_a_baseline_the_best_is_the_reference():
    """Where the baseline cannot run, the next best are compared with the best, which may have been lucky."""
    best, other = _trial(1, 2.0, engine__n_parallel=8), _trial(2, 1.0, engine__n_parallel=4)
    assert _plan(best, other).source_trials == (1, 2)
    assert _plan(best) is None
