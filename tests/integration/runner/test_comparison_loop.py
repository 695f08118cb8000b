"""The loop of a benchmark on a real study; the trials only say how they end."""

import errno
import math
from dataclasses import replace

import pytest
from fakes.comparisons import FASTER, SPEED, comparison
from fakes.records import outcome
from fakes.studies import definition

from llmopt_core.analysis.comparison import compare_candidates
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.storage.errors import StorageUnavailable, TrialLost
from llmopt_core.storage.records import Answer, Outcome, OutcomeKind
from llmopt_core.storage.storages import open_storage
from llmopt_runner.loop.comparison import ComparisonLoop
from llmopt_runner.models.resolution import ModelNotFound
from llmopt_runner.stopping import Interrupted, StopSignal
from llmopt_runner.trial.progress import Progress

SPEC = BenchmarkSpec.model_validate(
    {
        "model": {"source": "file:///model.gguf"},
        "engine": {"name": "llamacpp"},
        "workload": {"dataset": {"name": "arithmetic"}},
        "candidates": [{"name": "default"}],
        "objective": {"metric": SPEED},
    }
)
CLASSES = {
    "missing": (OutcomeKind.FAILED, ErrorClass.MODEL_NOT_FOUND),
    "too large": (OutcomeKind.INFEASIBLE, ErrorClass.HOST_OUT_OF_MEMORY),
    "crashed": (OutcomeKind.FAILED, ErrorClass.ENGINE_CRASHED),
    "disk full": (OutcomeKind.FAILED, ErrorClass.DISK_FULL),
    "away": (OutcomeKind.FAILED, ErrorClass.ENDPOINT_UNREACHABLE),
}


class Trials:
    """Ends each trial of a candidate as it is asked to; remembers which were really run."""

    def __init__(self, **fates):
        self.fates = fates
        self.run_candidates = []
        self.closed = 0
        self.stopping, self.progress = StopSignal(), Progress()

    def run(self, claim):
        self.run_candidates.append(claim.candidate)
        fate = self.fates.get(f"c{claim.candidate}")
        if isinstance(fate, list):
            fate = fate.pop(0)
        if fate == "stop":
            self.stopping.set()
            raise Interrupted("asked to stop")
        if isinstance(fate, Exception):
            raise fate
        if isinstance(fate, Outcome):
            return fate
        if fate is None:
            return outcome(metrics={SPEED: 50.0 + claim.number}, parameters=claim.parameters)
        if fate == "without speed":
            return outcome(parameters=claim.parameters)
        kind, error = CLASSES[fate]
        return outcome(kind, error=error)

    def close(self):
        """Count how often the engine is given up."""
        self.closed += 1


@pytest.fixture
def study(tmp_path):
    made = definition(objectives=(FASTER,), comparison=comparison("c0", "c1", "c2", repeats=3))
    with open_storage(f"sqlite:///{tmp_path}/study.db") as storage:
        yield storage.create_study(made)


def run(study, trials):
    return ComparisonLoop(SPEC, study, study.comparison, trials, "runner").run()


def test_a_candidate_that_can_never_work_costs_one_start(study):
    """Its other repeats fail with the same class and are not started; the rest is measured."""
    trials = Trials(c1="missing")
    ending = run(study, trials)
    assert (ending.reason, ending.failed) == ("TrialsExhausted", False)
    assert trials.run_candidates.count(1) == 1
    kinds = [trial.outcome.kind for trial in study.trials() if trial.candidate == 1]
    assert kinds == [OutcomeKind.FAILED] * 3
    assert [each.repeats for each in compare_candidates(study).candidates] == [3, 0, 3]


def test_a_candidate_that_does_not_fit_costs_one_start(study):
    """It stays infeasible in all its repeats: that is no failure of the benchmark."""
    trials = Trials(c2="too large")
    assert not run(study, trials).failed
    assert trials.run_candidates.count(2) == 1
    kinds = {trial.outcome.kind for trial in study.trials() if trial.candidate == 2}
    assert kinds == {OutcomeKind.INFEASIBLE}


def test_what_may_pass_is_tried_again_in_each_repeat(study):
    """A crash is no proof that the next start crashes too: each repeat is tried twice."""
    trials = Trials(c1="crashed")
    run(study, trials)
    assert trials.run_candidates.count(1) == 3 * 2


def test_a_full_disk_is_everyones(study):
    """The benchmark ends at once as failed, and the repeat is given back: the disk can be fixed."""
    trials = Trials(c1="disk full")
    ending = run(study, trials)
    assert (ending.reason, ending.failed) == ("DiskFull", True)
    assert trials.run_candidates == [0, 1]
    assert study.ended.failed
    assert sum(trial.state == "waiting" for trial in study.trials()) == 8


def test_a_server_that_was_never_there_costs_its_candidate_two_tries(study):
    """Its other repeats are not started, and the rest is measured."""
    trials = Trials(c1="away")
    ending = run(study, trials)
    assert (ending.reason, ending.failed) == ("TrialsExhausted", False)
    assert trials.run_candidates.count(1) == 2
    assert "c1 could not be measured: EndpointUnreachable" in ending.message
    assert [each.repeats for each in compare_candidates(study).candidates] == [3, 0, 3]


def test_a_server_that_is_away_for_one_try_costs_nothing(study):
    """It restarts, and its repeat is measured."""
    assert not run(study, Trials(c1=[None, "away", None, "away", None])).failed
    assert [each.repeats for each in compare_candidates(study).candidates] == [3, 3, 3]


def test_a_server_that_does_not_come_back_ends_the_benchmark_which_goes_on_later(study):
    """What was measured of its candidate is not given up: the benchmark is continued once it is there."""
    ending = run(study, Trials(c1=[None, "away", "away"]))
    assert (ending.reason, ending.failed) == ("EndpointUnreachable", True)
    study.reopen()
    assert not run(study, Trials()).failed
    assert [each.repeats for each in compare_candidates(study).candidates] == [3, 3, 3]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ModelNotFound("no such model"), ErrorClass.MODEL_NOT_FOUND),
        (KeyError("choices"), ErrorClass.UNKNOWN),
        (PermissionError(13, "Permission denied", "/weights"), ErrorClass.ACCESS_DENIED),
        (MemoryError(), ErrorClass.HOST_OUT_OF_MEMORY),
    ],
)
def test_an_error_inside_a_trial_ends_the_trial_with_its_own_class(study, error, expected):
    """Whatever a trial raises is its outcome: the runner lives on, and gives up the engine it may hold."""
    trials = Trials(c1=error)
    assert not run(study, trials).failed
    failures = {trial.outcome.failure for trial in study.trials() if trial.candidate == 1}
    assert {failure.error_class for failure in failures} == {expected}
    assert trials.closed
    assert [each.repeats for each in compare_candidates(study).candidates] == [3, 0, 3]


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("error", [FULL, ExceptionGroup("unhandled errors in a TaskGroup", [FULL])])
def test_a_full_disk_inside_a_trial_ends_the_study(study, error):
    """An error that no other trial can avoid ends the study with its class, also where tasks raised it."""
    ending = run(study, Trials(c1=error))
    assert (ending.reason, ending.failed) == ("DiskFull", True)


def test_an_outcome_that_the_study_cannot_take_is_a_failed_trial(study):
    """A measurement without a metric that the study needs fails its trial, not its runner."""
    trials = Trials(c1="without speed")
    assert not run(study, trials).failed
    lost = [trial.outcome for trial in study.trials() if trial.candidate == 1]
    assert {each.kind for each in lost} == {OutcomeKind.FAILED, OutcomeKind.RETURNED}  # it is tried twice
    assert all("output_tokens_per_second" in each.failure.message for each in lost)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"metrics": {SPEED: 50.0, "score": math.nan}}, "metrics.score is nan"),
        ({"samples": {"q1": math.nan}}, "samples.q1 is nan"),
        ({"facts": {"draft_tokens": math.inf}}, "facts.draft_tokens is inf"),
        ({"facts": {"devices": ({1, 2},)}}, "facts.devices.0 is {1, 2}"),
        ({"answers": (Answer("q1", "2", -math.inf),)}, "answers.0.score is -inf"),
    ],
)
def test_an_outcome_that_cannot_be_stored_is_a_failed_trial(study, changes, said):
    """A number of a plug-in or a server that JSON does not hold fails its trial, not its runner."""
    spoilt = replace(outcome(metrics={SPEED: 50.0}), **changes)
    assert not run(study, Trials(c1=spoilt)).failed
    lost = [trial.outcome for trial in study.trials() if trial.candidate == 1]
    assert {each.kind for each in lost} == {OutcomeKind.FAILED, OutcomeKind.RETURNED}  # it is tried twice
    assert all(said in each.failure.message for each in lost)
    assert [each.repeats for each in compare_candidates(study).candidates] == [3, 0, 3]


def test_a_stopped_runner_whose_trial_was_taken_away_is_still_interrupted(study, monkeypatch):
    """That another runs the trial already changes nothing of how the runner ends."""

    def taken(*_arguments):
        raise TrialLost("it was taken away")

    monkeypatch.setattr(study, "give_back", taken)
    with pytest.raises(Interrupted):
        run(study, Trials(c1="stop"))


def test_a_stop_gives_the_repeat_back(study):
    """Stopping the runner loses no measurement."""
    with pytest.raises(Interrupted):
        run(study, Trials(c1="stop"))
    assert study.ended is None
    assert [trial.outcome.kind for trial in study.trials() if trial.outcome] == ["measured", "returned"]


def test_a_benchmark_that_another_ended_is_not_gone_on_with(study):
    """The first end stays, whichever runner recorded it."""
    study.end("DeadlineExceeded", "another runner said so")
    trials = Trials()
    assert run(study, trials).reason == "DeadlineExceeded"
    assert trials.run_candidates == []


def test_a_storage_that_is_away_for_a_moment_costs_nothing(study, monkeypatch):
    """The loop asks again, and every repeat is measured once."""
    claim, away = study.claim_confirm, [True, False, True]

    def flaky(runner):
        if away and away.pop():
            raise StorageUnavailable("the database is restarting")
        return claim(runner)

    monkeypatch.setattr(study, "claim_confirm", flaky)
    trials = Trials()
    monkeypatch.setattr(trials.stopping, "wait", lambda _seconds: False)
    assert not run(study, trials).failed
    assert compare_candidates(study).measured == 9
    assert len(study.trials()) == 9
