"""What time went into."""

from fakes.local_runs import document
from fakes.records import outcome, trial

from llmopt.report.stages import cost_facts, stage_rows
from llmopt_core.resources.loading import resource_of
from llmopt_core.storage.records import Phase, RunnerRecord


def test_time_is_added_up_by_stage_and_phase():
    """Stages that took no time are left out, shares add up to one."""
    trials = [
        trial(0, outcome(seconds={"load": 30, "measure": 60, "total": 90}), phase=Phase.BASELINE),
        trial(1, outcome(seconds={"measure": 60, "total": 60})),
        trial(2, outcome(seconds={"measure": 50, "total": 50}), phase=Phase.CONFIRM),
        trial(3),
    ]
    load, measure = stage_rows(trials)
    assert (load.stage, load.by_phase, load.total) == ("Engine starts", ("30 s", "", ""), "30 s")
    assert (measure.by_phase, measure.total) == (("1 min 00 s", "1 min 00 s", "50 s"), "2 min 50 s")
    assert load.share + measure.share == 1.0
    assert stage_rows([]) == ()


def test_a_price_makes_a_cost():
    """Runners side by side cost each their own time; GPU hours are theirs times their GPUs."""
    spec = resource_of(document()).spec
    workload = spec.workload.model_copy(update={"hourly_price": "2.50"})
    runners = [
        RunnerRecord("a", 0, 1, active_seconds=3600.0, gpus=2),
        RunnerRecord("b", 1, 1, active_seconds=1800.0, gpus=2),
    ]
    assert list(cost_facts(runners, workload)) == [
        ("Duration", "1 h 00 min"), ("GPU hours", "3"), ("Cost", "3.75 (at 2.50 an hour)")
    ]  # fmt: skip
    assert list(cost_facts([], spec.workload)) == []
