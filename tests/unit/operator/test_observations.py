from typing import Any

import pytest

from llmopt_operator.reconciling.observations import Observations
from llmopt_operator.specs.names import Key

KEY = Key("LLMOptimization", "team", "small")


def _resource(version: int, uid: str = "u1", **fields: Any) -> dict[str, Any]:
    metadata = {
        "name": "small", "namespace": "team", "uid": uid, "resourceVersion": str(version),
        "managedFields": ["much"],
    }  # fmt: skip
    return {
        "apiVersion": "llmopt.dev/v1alpha1", "kind": "LLMOptimization", "metadata": metadata, "spec": {},
        **fields,
    }  # fmt: skip


def _pod(name: str, phase: str) -> dict[str, Any]:
    labels = {"llmopt.dev/kind": "llmoptimization", "llmopt.dev/resource": "small"}
    return {
        "metadata": {"name": name, "namespace": "team", "labels": labels},
        "status": {"phase": phase},
    }


def test_an_older_version_changes_nothing() -> None:
    """A watch that is behind what a write returned does not bring the past back."""
    observations = Observations()
    observations.resource(_resource(10, status={"phase": "Running"}))
    observations.resource(_resource(9, status={"phase": "Pending"}))
    assert observations.phases() == {("LLMOptimization", "Running"): 1}


def test_another_of_the_same_name_replaces_it() -> None:
    """A resource made anew under a name is another one, whatever its version."""
    observations = Observations()
    observations.resource(_resource(10))
    observations.resource(_resource(3, uid="u2"))
    document = observations.of(KEY).document
    assert document is not None
    assert document["metadata"]["uid"] == "u2"


def test_only_what_is_needed_is_kept() -> None:
    """Fields that only the API server needs take no space."""
    observations = Observations()
    observations.resource(_resource(1))
    document = observations.of(KEY).document
    assert document is not None
    assert "managedFields" not in document["metadata"]


@pytest.mark.parametrize("label", ["x", "", "-1", "1.5", "٣", "9" * 5000])
def test_a_pod_that_is_only_labelled_as_ours_stops_nothing(label: str) -> None:
    """Whoever may create pods may give them any label: that which counts runners is no number then."""
    observations = Observations()
    observations.resource(_resource(1))
    pod = _pod("p", "Running")
    pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] = label
    assert observations.pod(pod) == KEY
    assert observations.of(KEY).pods["p"].index == 0


def test_what_is_gone_is_forgotten_once_its_pods_are() -> None:
    """A deleted resource is known as gone until nothing of it is left, and its namespace is to be swept."""
    observations = Observations()
    observations.resource(_resource(1))
    observations.pod(_pod("p", "Running"))
    assert observations.running() == {KEY.namespace: {"u1": KEY}}
    observations.resource(_resource(2), gone=True)
    assert observations.of(KEY).document is None
    assert observations.running() == {}
    assert observations.take_bereaved() == {"team"}
    assert observations.take_bereaved() == frozenset()
    observations.forget(KEY)
    assert observations.of(KEY).pods
    observations.pod(_pod("p", "Running"), gone=True)
    observations.forget(KEY)
    assert observations.of(KEY).metadata is None


def test_the_end_of_an_earlier_resource_is_not_the_end_of_the_one_that_took_its_name() -> None:
    """What was deleted is told by its identity; its study is swept all the same."""
    observations = Observations()
    observations.resource(_resource(10))
    observations.resource(_resource(20, uid="u2"))
    assert observations.resource(_resource(19), gone=True) is None
    assert observations.of(KEY).there
    assert observations.take_bereaved() == {"team"}
    assert observations.resource(_resource(30, uid="u2"), gone=True) == KEY


@pytest.mark.parametrize("what", ["job", "pod"])
def test_the_end_of_an_earlier_job_or_pod_is_not_the_end_of_the_next_one(what: str) -> None:
    """A Job that was made again under its name stays, though the end of the first is reported late."""
    observations = Observations()
    take = getattr(observations, what)
    first, second = _pod("name", "Running"), _pod("name", "Running")
    first["metadata"]["uid"], second["metadata"]["uid"] = "1", "2"
    body = {"spec": {}}
    assert take(body | first) == KEY
    assert take(body | second) == KEY
    assert take(body | first, gone=True) is None
    known = observations.of(KEY)
    assert [each.uid for each in (known.jobs or known.pods).values()] == ["2"]
    assert take(body | second, gone=True) == KEY


def test_what_no_watch_reported_as_gone_can_be_lost() -> None:
    """All that was reported is remembered, and lost once; of what has ended only the resource is."""
    observations = Observations()
    observations.resource(_resource(1))
    pod = _pod("p", "Running")
    pod["metadata"]["uid"] = "p1"
    observations.pod(pod)
    observations.job({"spec": {}, **pod})
    remembered = tuple(observations.remembered())
    assert [(each.what.value[1], each.uid) for each in remembered] == [
        ("llmoptimizations", "u1"),
        ("jobs", "p1"),
        ("pods", "p1"),
    ]
    assert [observations.lose(each) for each in (*remembered, *remembered[1:])] == [KEY] * 3 + [None] * 2
    assert tuple(observations.remembered()) == ()
    observations.resource(_resource(2, uid="u2", status={"phase": "Complete"}))
    observations.pod(pod)
    assert [each.uid for each in observations.remembered()] == ["u2"]


def test_a_pod_that_did_not_change_concerns_nobody() -> None:
    """Only what a decision reads is news."""
    observations = Observations()
    assert observations.pod(_pod("p", "Pending")) == KEY
    assert observations.pod(_pod("p", "Pending")) is None
    assert observations.pod(_pod("p", "Running")) == KEY


def test_what_was_known_already_concerns_nobody() -> None:
    """The operator's own writes come back by the watch, and are not looked at again."""
    observations = Observations()
    assert observations.resource(_resource(10)) == KEY
    assert observations.resource(_resource(10)) is None
    assert observations.resource(_resource(9)) is None
    assert observations.resource(_resource(11)) == KEY
    assert observations.resource(_resource(11), gone=True) == KEY


def test_a_job_that_did_not_change_concerns_nobody() -> None:
    """Its creation, reported again by the watch, is no news; its end is."""
    labels = {"llmopt.dev/kind": "llmoptimization", "llmopt.dev/resource": "small"}
    metadata = {"name": "small-1", "namespace": "team", "labels": labels}
    job: dict[str, Any] = {"metadata": metadata, "spec": {"suspend": True}}
    observations = Observations()
    assert observations.job(job) == KEY
    assert observations.job({**job, "status": {"startTime": "2026-01-01T00:00:00Z"}}) is None
    assert observations.job({**job, "status": {"active": 1}}) == KEY
    assert observations.job(job, gone=True) == KEY
