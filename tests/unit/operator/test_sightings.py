from typing import Any

from llmopt_operator.sightings import Sightings
from llmopt_operator.specs.naming import Key

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
    sightings = Sightings()
    sightings.resource(_resource(10, status={"phase": "Running"}))
    sightings.resource(_resource(9, status={"phase": "Pending"}))
    assert sightings.phases() == {("LLMOptimization", "Running"): 1}


def test_another_of_the_same_name_replaces_it() -> None:
    """A resource made anew under a name is another one, whatever its version."""
    sightings = Sightings()
    sightings.resource(_resource(10))
    sightings.resource(_resource(3, uid="u2"))
    document = sightings.of(KEY).document
    assert document is not None
    assert document["metadata"]["uid"] == "u2"


def test_only_what_is_needed_is_kept() -> None:
    """Fields that only the API server needs take no room."""
    sightings = Sightings()
    sightings.resource(_resource(1))
    document = sightings.of(KEY).document
    assert document is not None
    assert "managedFields" not in document["metadata"]


def test_what_is_gone_is_forgotten_once_its_pods_are() -> None:
    """A deleted resource is known as gone until nothing of it is left, and its namespace is to be swept."""
    sightings = Sightings()
    sightings.resource(_resource(1))
    sightings.pod(_pod("p", "Running"))
    assert sightings.running() == {KEY: "u1"}
    sightings.resource(_resource(2), gone=True)
    assert sightings.of(KEY).document is None
    assert sightings.running() == {}
    assert sightings.take_bereaved() == {"team"}
    assert sightings.take_bereaved() == frozenset()
    sightings.forget(KEY)
    assert sightings.of(KEY).pods
    sightings.pod(_pod("p", "Running"), gone=True)
    sightings.forget(KEY)
    assert sightings.of(KEY).metadata is None


def test_a_pod_that_did_not_change_concerns_nobody() -> None:
    """Only what a decision reads is news."""
    sightings = Sightings()
    assert sightings.pod(_pod("p", "Pending")) == KEY
    assert sightings.pod(_pod("p", "Pending")) is None
    assert sightings.pod(_pod("p", "Running")) == KEY
