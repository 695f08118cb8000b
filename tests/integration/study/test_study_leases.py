"""What holds for the runners of a study on every database: heartbeats, leases, lost trials."""

import pytest
from fakes.studies import definition, heartbeat, measured

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.storage.errors import (
    TrialLost,
)
from llmopt_core.storage.reaper import Reaper
from llmopt_core.storage.records import INTERRUPTED, OutcomeKind


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_heartbeats_are_read_back(storage):
    """Each runner's last word is kept, by name."""
    study = storage.create_study(definition())
    for count in (1, 2):
        study.heartbeat(heartbeat("runner-1", count, trial=3, stage="measure", memory_mib=12.5))
    study.heartbeat(heartbeat("runner-0", 9))
    assert [record.name for record in study.runners()] == ["runner-0", "runner-1"]
    assert study.runners()[1] == heartbeat("runner-1", 2, trial=3, stage="measure", memory_mib=12.5)


def test_living_runner_keeps_its_trial(storage):
    """A trial whose runner's heartbeat moves is left alone, however long it takes."""
    study, clock = storage.create_study(definition()), Clock()
    study.claim("runner", budget=9)
    reaper = Reaper(study, 30.0, clock)
    for count in range(10):
        study.heartbeat(heartbeat("runner", count))
        assert reaper.sweep() == ()
        clock.now += 29.0


def test_silent_runner_loses_its_trial(storage, url):
    """A trial whose runner's heartbeat stands still is run again with the same parameters, by anyone."""
    study, clock = storage.create_study(definition()), Clock()
    study.claim("other", budget=9)
    with open_for_search(url) as dying:
        claim = dying.open_study("study").claim("runner", budget=9)
        dying.open_study("study").heartbeat(heartbeat("runner", 1))
    reapers = [Reaper(study, 30.0, clock) for _ in range(3)]
    study.heartbeat(heartbeat("other", 1))
    assert [reaper.sweep() for reaper in reapers] == [()] * 3
    clock.now += 30.0
    study.heartbeat(heartbeat("other", 2))
    assert [reaper.sweep() for reaper in reapers] == [(1,), (), ()]
    again = study.claim("other", budget=9)
    assert (again.parameters, again.attempt) == (claim.parameters, 1)
    assert sum(trial.state == "waiting" for trial in study.trials()) == 0


def test_runner_that_never_sent_a_heartbeat_loses_its_trial(storage):
    """A runner that claimed and died before its first heartbeat is found too."""
    study, clock = storage.create_study(definition()), Clock()
    study.claim("runner", budget=9)
    reaper = Reaper(study, 30.0, clock)
    reaper.sweep()
    clock.now += 30.0
    assert reaper.sweep() == (0,)


def test_heartbeats_of_a_namesake_do_not_keep_a_dead_process_alive(storage, url):
    """A replacement of the same name does not keep the trial of the process before it."""
    with open_for_search(url) as dying:
        dying.create_study(definition()).claim("runner", budget=9)
    study, clock = storage.open_study("study"), Clock()
    reaper = Reaper(study, 30.0, clock)
    for count in range(4):
        study.heartbeat(heartbeat("runner", count))
        taken = reaper.sweep()
        clock.now += 10.0
    assert taken == (0,)


def test_runner_that_ended_loses_its_trial_at_once(storage):
    """A runner that said it ended holds no trial any more."""
    study = storage.create_study(definition())
    study.claim("runner", budget=9)
    study.heartbeat(heartbeat("runner", 1, ended="stopped"))
    assert Reaper(study, 30.0, Clock()).sweep() == (0,)


@pytest.mark.parametrize(
    ("ended", "error_class", "words"),
    [
        ("KeyError: 'choices'", ErrorClass.RUNNER_LOST, "runner ended (KeyError: 'choices')"),
        ("replaced", ErrorClass.RUNNER_LOST, "runner ended (replaced)"),
        (INTERRUPTED, ErrorClass.PREEMPTED, "asked to stop"),
    ],
)
def test_only_a_runner_that_was_asked_to_stop_is_preempted(storage, ended, error_class, words):
    """A runner that ended by itself loses its trial under a class of its own, with what it said last."""
    study = storage.create_study(definition())
    study.claim("runner", budget=9)
    study.heartbeat(heartbeat("runner", 1, ended=ended))
    Reaper(study, 30.0, Clock()).sweep()
    failure = study.trials()[0].outcome.failure
    assert failure.error_class is error_class
    assert words in failure.message


def test_a_silent_runner_is_not_preempted(storage):
    """Of a runner that stopped answering nobody knows why."""
    study, clock = storage.create_study(definition()), Clock()
    study.claim("runner", budget=9)
    reaper = Reaper(study, 30.0, clock)
    reaper.sweep()
    clock.now = 30.0
    assert reaper.sweep() == (0,)
    failure = study.trials()[0].outcome.failure
    assert failure.error_class is ErrorClass.RUNNER_LOST
    assert "stopped answering" in failure.message


def test_zombie_is_refused(storage):
    """What a runner reports after its trial was taken away is dropped."""
    study = storage.create_study(definition())
    claim = study.claim("runner", budget=9)
    study.heartbeat(heartbeat("runner", 1, ended="stopped"))
    Reaper(study, 30.0, Clock()).sweep()
    with pytest.raises(TrialLost, match="taken away"):
        study.finish(claim, measured(claim))
    with pytest.raises(TrialLost, match="taken away"):
        study.give_back(claim, "asked to stop")
    again = study.claim("other", budget=9)
    study.finish(again, measured(again))
    assert [trial.outcome.kind for trial in study.trials()] == [OutcomeKind.RETURNED, OutcomeKind.MEASURED]


def test_trial_that_kills_its_runners_is_given_up(storage):
    """A configuration whose runner dies each time fails in the end, and then counts."""
    study = storage.create_study(definition())
    for attempt in range(3):
        assert study.claim(f"runner-{attempt}", budget=1).attempt == attempt
        study.heartbeat(heartbeat(f"runner-{attempt}", 1, ended="killed"))
        assert Reaper(study, 30.0, Clock(), max_losses=3).sweep() == (attempt,)
    assert study.claim("runner-3", budget=1) is None
    assert "died each of the 3 times" in study.trials()[-1].outcome.failure.message
