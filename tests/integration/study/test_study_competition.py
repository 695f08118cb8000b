"""Sixteen processes at one study, some of them killed: the budget stays exact and nothing is lost."""

import os
import signal
import time
from collections import Counter

import pytest
from fakes.studies import definition
from fakes.study_workers import CONTEXT, confirm, create, hold, search, start, sweep

from llmopt_core.analysis.summary import summarise
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.storage.reaper import Reaper
from llmopt_core.storage.records import ConfirmPlan, OutcomeKind, Phase

pytestmark = pytest.mark.slow
RUNNERS = 16


def _join(processes):
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * len(processes)


@pytest.mark.parametrize("sampler", ["tpe", "qmc"])
def test_budget_is_exact_among_sixteen(storage, url, sampler):
    """Sixteen competing processes finish exactly the budget, each trial once."""
    study = storage.create_study(definition(sampler=sampler))
    _join([start(search, url, "study", f"runner-{index}", 50) for index in range(RUNNERS)])
    trials = study.trials()
    assert [trial.number for trial in trials] == list(range(50))
    assert {trial.outcome.kind for trial in trials} == {OutcomeKind.MEASURED}


def test_sixteen_repeat_the_plan_once(storage, url):
    """Each repeat of a plan is run once, whichever process plans and claims."""
    study = storage.create_study(definition())
    study.plan_confirm(ConfirmPlan(({}, {"engine.n_parallel": 3}), (0, 1), repeats=10))
    _join([start(confirm, url, "study", f"runner-{index}") for index in range(RUNNERS)])
    runs = Counter(
        (trial.candidate, trial.repeat) for trial in study.trials() if trial.phase is Phase.CONFIRM
    )
    assert set(runs.values()) == {1}
    assert len(runs) == 20


def test_processes_that_start_together_create_one_study(empty_url):
    """Eight processes that open an empty database at once create one study with one default."""
    ready = CONTEXT.Barrier(8)
    _join([start(create, empty_url, definition(), ready) for _ in range(8)])
    with open_for_search(empty_url) as storage:
        assert [trial.phase for trial in storage.open_study("study").trials()] == [Phase.BASELINE]


def test_killed_runners_cost_no_budget(storage, url):
    """Killed: half of the runners, in the middle of their trials. Survives: the exact budget."""
    budget = 40
    study = storage.create_study(definition())
    doomed = [start(search, url, "study", f"doomed-{index}", budget, 0.4) for index in range(8)]
    lasting = [start(search, url, "study", f"lasting-{index}", budget, 0.1) for index in range(8)]
    reaper = Reaper(study, 5.0)
    _wait_for(lambda: len(_running_of(study, "doomed")) >= 4)
    for process in doomed:
        os.kill(process.pid, signal.SIGKILL)
    left = len(_running_of(study, "doomed"))
    _join(lasting)
    _wait_for(lambda: reaper.sweep() is not None and not _running_of(study, "doomed"))
    last = [start(search, url, "study", "last", budget)]
    _join(last)
    summary = summarise(study)
    assert summary.counts[OutcomeKind.MEASURED] == budget == summary.budget_used
    assert summary.counts[OutcomeKind.RETURNED] >= left > 0
    assert (summary.running, summary.waiting) == (0, 0)


def test_killed_trial_is_run_again_once_however_many_sweep(storage, url):
    """Killed: a runner that holds a trial. Survives: its trial, run again once with its parameters."""
    study = storage.create_study(definition())
    study.claim("first", budget=9)  # so that the killed one holds a trial of the search
    claimed, swept = CONTEXT.Queue(), CONTEXT.Queue()
    holder = start(hold, url, "study", "holder", 9, claimed)
    number, parameters, pid = claimed.get(timeout=60)
    os.kill(pid, signal.SIGKILL)
    holder.join()
    reapers = [start(sweep, url, "study", 1.0, swept) for _ in range(4)]
    _join(reapers)
    taken = [number for _ in reapers for number in swept.get(timeout=10)]
    assert sorted(taken) == [0, number]  # the first runner never had a heartbeat: it counts as dead as well
    again = [study.claim("other", budget=9) for _ in range(2)]
    assert again[1].parameters == parameters
    assert [claim.attempt for claim in again] == [1, 1]
    assert sum(trial.state == "waiting" for trial in study.trials()) == 0


def test_study_goes_on_after_every_process_was_killed(storage, url):
    """Killed: all runners. Survives: what was measured, and the rest of the budget."""
    study = storage.create_study(definition(sampler="tpe"))
    runners = [start(search, url, "study", f"runner-{index}", 60, 0.05) for index in range(4)]
    _wait_for(lambda: summarise(study).counts.get(OutcomeKind.MEASURED, 0) >= 10)
    for process in runners:
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    before = {trial.number: trial.outcome for trial in study.trials() if trial.outcome is not None}
    with open_for_search(url) as fresh:
        resumed = fresh.open_study("study")
        reaper = Reaper(resumed, 0.2)
        reaper.sweep()
        time.sleep(0.3)
        reaper.sweep()
        _join([start(search, url, "study", "runner-0", 60)])
        after = {trial.number: trial.outcome for trial in resumed.trials()}
        assert before.items() <= after.items()
        assert summarise(resumed).counts[OutcomeKind.MEASURED] == 60


def _running_of(study, prefix):
    return [trial for trial in study.trials() if trial.state == "running" and trial.runner.startswith(prefix)]


def _wait_for(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
