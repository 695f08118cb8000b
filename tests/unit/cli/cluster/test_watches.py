import itertools
import json
from types import SimpleNamespace

import pytest
from fakes.cluster_resources import COMPLETE, FAILED, RUNNING, Directory, condition, resource

from llmopt.cluster.commands.watch import watch
from llmopt.cluster.errors import ClusterUnreachable, ResourceNotFound
from llmopt.cluster.results import read_result
from llmopt.cluster.watches import Clock, Gone, Subject, WaitTimeout, Watch
from llmopt.local.sessions import Audience
from llmopt_core.api.exit_codes import Exit
from llmopt_core.api.kinds import Kind
from llmopt_core.results.best_documents import best_text
from llmopt_core.results.progress import stage_of


class Heard:
    """Remembers what was reported to it."""

    def __init__(self):
        self.looks, self.events = [], []
        self.audience = Audience(self.looks.append, self.events.append)


class Script:
    """A cluster that answers with one thing after the other, and with the last one for ever."""

    def __init__(self, *answers):
        self.answers = itertools.chain(answers, itertools.repeat(answers[-1]))

    def get(self, *_):
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


class FakeTime:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.seconds = 0.0
        self.clock = Clock(lambda: self.seconds, self.sleep)

    def sleep(self, seconds):
        self.seconds += seconds


def watched(*answers, timeout=None):
    """Watch until the end; return the last look, what was heard and how long it took."""
    heard, time = Heard(), FakeTime()
    subject = Subject(Script(*answers), Kind.OPTIMIZATION, "mine", "team-a")
    document = Watch(subject, heard.audience, time.clock, timeout).until_end()
    return document, heard, time.seconds


DOWN = ClusterUnreachable("the API server does not answer")
STUCK = condition("Running", "False", "Unschedulable", "0/3 nodes")


@pytest.mark.parametrize("end", [COMPLETE, FAILED])
def test_it_looks_until_the_end(end):
    """Every look is reported, and the last resource is returned."""
    document, heard, seconds = watched(resource(), resource("mine", RUNNING), resource("mine", end))
    assert document["status"]["conditions"] == [end]
    assert [stage_of(look) for look in heard.looks] == ["pending", "pending"]
    assert seconds == 2.0


def test_an_end_of_an_earlier_generation_does_not_count():
    """A raised budget is waited for although the status still says Complete."""
    stale = resource("mine", COMPLETE)
    stale["metadata"]["generation"] = 2
    document, _, _ = watched(stale, stale, resource("mine", COMPLETE, generation=2))
    assert document["metadata"]["generation"] == 2
    assert document["status"]["observedGeneration"] == 2


def test_what_keeps_it_from_running_is_reported_once_and_again_when_it_comes_back():
    """The same problem twice is one line; one that went and came is two."""
    stuck, runs = resource("mine", STUCK), resource("mine", RUNNING)
    _, heard, _ = watched(stuck, stuck, runs, stuck, resource("mine", COMPLETE))
    assert [event.partition(":")[0] for event in heard.events] == ["Unschedulable", "Unschedulable"]


def test_a_resource_that_cannot_run_as_it_is_ends_the_watching():
    """What the operator refuses will not run before somebody changes it."""
    refused = resource("mine", condition("Accepted", "False", "InvalidSpec", "spec.model: no"))
    document, heard, _ = watched(resource(), refused)
    assert document == refused
    assert heard.events[0].startswith("InvalidSpec: spec.model: no")


def test_an_api_server_that_is_away_is_waited_for():
    """It is reported once that it is away and once that it is back; the pauses grow up to a limit."""
    _, heard, seconds = watched(resource("mine", RUNNING), *[DOWN] * 8, resource("mine", COMPLETE))
    assert heard.events == [f"{DOWN}; trying again", "the API server answers again"]
    assert 40 < seconds < 80


def test_the_first_question_must_be_answered():
    """Who cannot reach the cluster at all hears it at once."""
    with pytest.raises(ClusterUnreachable):
        watched(DOWN)


@pytest.mark.parametrize(
    ("second", "says"),
    [(ResourceNotFound("none"), "deleted while"), (resource("mine", RUNNING, uid="new"), "another made")],
)
def test_a_deleted_resource_ends_the_watching(second, says):
    """Also when another of the same name was made meanwhile."""
    with pytest.raises(Gone, match=says):
        watched(resource("mine", RUNNING), second)


@pytest.mark.parametrize("answers", [[resource("mine", RUNNING)], [resource("mine", RUNNING), DOWN]])
def test_it_waits_no_longer_than_it_was_given(answers):
    """The time is up while it runs, and while the API server is away."""
    with pytest.raises(WaitTimeout, match="within 30 s"):
        watched(*answers, timeout=30.0)
    assert issubclass(WaitTimeout, TimeoutError)


def test_a_resource_that_nobody_attends_to_is_reported_with_what_to_look_at():
    """Without an operator there never is a status: after a while that is said, once."""
    _, heard, seconds = watched(*[resource()] * 30, resource("mine", COMPLETE))
    (event,) = heard.events
    assert event.startswith("NoOperator: no operator has looked at mine")
    assert "helm install" in event
    assert seconds == 30.0


def test_a_tripped_guard_is_reported():
    """It is an event, and the study goes on."""
    tripped = condition("MemoryGuardPassed", "False", "GuardTripped", "3 trials ran out of memory")
    _, heard, _ = watched(resource("mine", RUNNING, tripped), resource("mine", RUNNING, tripped, COMPLETE))
    assert heard.events == ["memory guard: 3 trials ran out of memory"]


@pytest.mark.parametrize(("end", "code"), [(COMPLETE, Exit.FINISHED), (FAILED, Exit.FAILED)])
def test_a_watch_for_programs_prints_the_document_of_best_json_at_the_end(capsys, end, code):
    """With --json standard output is that one document, as of a run here; all else goes to standard error."""
    cluster = Directory(resource("mine", end))
    cluster.access = SimpleNamespace(namespace="team-a")
    assert watch(cluster, ["mine"], as_json=True) == code
    printed = capsys.readouterr()
    assert printed.out == best_text(read_result(resource("mine", end)))
    assert json.loads(printed.out)["failed"] is (code == Exit.FAILED)
    assert "The study " in printed.err
