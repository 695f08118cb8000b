import pytest
from fakes.studies import heartbeat

from llmopt_core.storage.documents import Assignment, Heartbeat
from llmopt_core.storage.leases import Leases
from llmopt_core.storage.records import Phase, TrialRecord
from llmopt_core.storage.snapshot import StoredTrial


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def _held(number, runner="runner", session="s"):
    assignment = Assignment(Phase.SEARCH, runner=runner, session=session)
    return StoredTrial(
        number, assignment, None, TrialRecord(number, Phase.SEARCH, "running", {}, runner, None, 0, None)
    )


def _heartbeats(count, session="s", **more):
    return {"runner": Heartbeat(session, heartbeat("runner", count, **more))}


@pytest.mark.parametrize(
    ("story", "over"),
    [
        ([(0, 1), (29, 1)], False),  # stood still, not yet too long
        ([(0, 1), (30, 1)], True),
        ([(0, 1), (29, 2), (58, 2)], False),  # moved in between
        ([(0, 1), (29, 2), (59, 2)], True),
        ([(1000, 7)], False),  # the first look judges nothing, whatever the clock says
        ([(0, 9), (29, 1), (58, 1)], False),  # another count is a living runner, even a lower one
        ([(0, None), (30, None)], True),  # it never heartbeat
        ([(0, None), (29, 1), (58, 1)], False),
    ],
)
def test_lease_follows_the_readers_clock(story, over):
    """A lease is over when the heartbeat stood still for its seconds of the reader's own clock."""
    clock, held = Clock(), _held(3)
    leases = Leases(30.0, clock)
    for clock.now, count in story:
        result = leases.over((held,), {} if count is None else _heartbeats(count))
    assert result == ((held,) if over else ())


def test_another_process_of_the_name_keeps_nothing():
    """The heartbeat of a namesake's process counts as none."""
    clock, held = Clock(), _held(3, session="old")
    leases = Leases(30.0, clock)
    for clock.now in (0.0, 15.0, 30.0):
        result = leases.over((held,), _heartbeats(int(clock.now), session="new"))
    assert result == (held,)


def test_ended_runner_holds_nothing():
    """A runner that said it ended loses its trial at the first look."""
    held = _held(3)
    assert Leases(30.0, Clock()).over((held,), _heartbeats(1, ended="done")) == (held,)
    assert Leases(30.0, Clock()).over((held,), _heartbeats(1, session="new", ended="done")) == ()


def test_new_trial_of_a_silent_runner_has_its_own_lease():
    """A trial claimed later is judged from when it was first seen."""
    clock = Clock()
    leases = Leases(30.0, clock)
    leases.over((_held(3),), _heartbeats(1))
    clock.now = 30.0
    assert [trial.number for trial in leases.over((_held(3), _held(4)), _heartbeats(1))] == [3]
