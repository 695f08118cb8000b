"""What the audit makes of a difference between the API server's lists and what the watches reported."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmopt_operator.adapters.kubernetes import ApiError, Identity
from llmopt_operator.liveness import Pulse
from llmopt_operator.loops.watch_audit import PART, Audit
from llmopt_operator.reconciling.observations import Observations
from llmopt_operator.specs.names import Key

KEY = Key("LLMOptimization", "team", "small")
_LABELS = {"llmopt.dev/kind": "llmoptimization", "llmopt.dev/resource": "small"}
_RESOURCES = "/apis/llmopt.dev/v1alpha1/namespaces/team/llmoptimizations"
_JOBS = "/apis/batch/v1/namespaces/team/jobs"
_PODS = "/api/v1/namespaces/team/pods"


def _resource(uid: str = "u1", version: int = 5, **status: Any) -> dict[str, Any]:
    metadata = {"name": "small", "namespace": "team", "uid": uid, "resourceVersion": str(version)}
    head = {"apiVersion": "llmopt.dev/v1alpha1", "kind": "LLMOptimization", "metadata": metadata}
    return {**head, "spec": {}, "status": status}


def _part(name: str, uid: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "team", "uid": uid, "labels": _LABELS}
    return {"metadata": metadata, "spec": {}, "status": {"phase": "Running"}}


@dataclass
class Server:
    """An API server whose cache lists `listed`, and that has `there` (identities by path)."""

    listed: dict[str, list[Identity]] = field(default_factory=dict)
    there: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    lists: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    fails: bool = False

    async def identities(self, path: str, query: Mapping[str, str]) -> tuple[Identity, ...]:
        self.lists.append((path, query))
        return tuple(self.listed.get(path, ()))

    async def is_there(self, path: str, uid: str) -> bool:
        self.asked.append(path)
        if self.fails:
            raise ApiError("GET", path, 503, "etcd is away")
        return self.there.get(path) == uid


@dataclass
class World:
    """Observations that are audited against a server, and whom that concerns."""

    server: Server = field(default_factory=Server)
    observations: Observations = field(default_factory=Observations)
    pulse: Pulse = field(default_factory=Pulse)
    added: list[Key] = field(default_factory=list)
    freed: list[str] = field(default_factory=list)

    def audit(self, *namespaces: str) -> None:
        audit = Audit(
            self.server,  # type: ignore[arg-type]
            self.observations,
            namespaces,
            self.pulse,
            self.added.append,
            self.freed.append,
        )
        asyncio.run(audit.once(0.0))


def _world() -> World:
    """Return a running resource with a Job and a pod, all of them listed."""
    world = World()
    world.observations.resource(_resource(phase="Running"))
    world.observations.job(_part("job", "j1"))
    world.observations.pod(_part("pod", "p1"))
    world.server.listed = {
        _RESOURCES: [Identity("small", "u1", "5", "team")],
        _JOBS: [Identity("job", "j1", "6", "team")],
        _PODS: [Identity("pod", "p1", "7", "team")],
    }
    return world


def test_what_is_listed_is_left_alone() -> None:
    """Where all is as it was reported nothing is asked for by name, and all lists come from the cache."""
    world = _world()
    world.audit("team")
    assert (world.added, world.server.asked, world.pulse.problems()) == ([], [], ())
    assert {query["resourceVersion"] for _, query in world.server.lists} == {"0"}
    selectors = {path: query.get("labelSelector", "") for path, query in world.server.lists}
    assert "app.kubernetes.io/managed-by" in selectors[_PODS]
    assert selectors[_RESOURCES] == ""


def test_a_resource_that_was_deleted_unnoticed_is_gone() -> None:
    """No list has it and the API server says so: it is reconciled as deleted, and its study is swept."""
    world = _world()
    world.server.listed[_RESOURCES] = []
    world.audit("team")
    assert world.observations.of(KEY).document is None
    assert world.observations.take_bereaved() == {"team"}
    assert (world.added, world.freed) == ([KEY], [])
    assert world.pulse.problems() == ()


def test_a_job_and_a_pod_that_were_deleted_unnoticed_are_gone() -> None:
    """What they left free is used, and their resource is looked at again."""
    world = _world()
    world.server.listed |= {_JOBS: [], _PODS: []}
    world.audit("team")
    known = world.observations.of(KEY)
    assert (known.jobs, known.pods) == ({}, {})
    assert (world.added, world.freed) == ([KEY, KEY], ["team", "team"])


def test_a_job_that_was_replaced_unnoticed_is_gone() -> None:
    """One of the same name is another one."""
    world = _world()
    world.server.listed[_JOBS] = [Identity("job", "j2", "9", "team")]
    world.server.there[f"{_JOBS}/job"] = "j2"
    world.audit("team")
    assert world.observations.of(KEY).jobs == {}


def test_a_list_that_is_late_takes_nothing_away() -> None:
    """What the cache does not have yet is asked for by name, and stays where it is there."""
    world = _world()
    world.server.listed = {}
    world.server.there = {f"{_RESOURCES}/small": "u1", f"{_JOBS}/job": "j1", f"{_PODS}/pod": "p1"}
    world.audit("team")
    assert len(world.server.asked) == 3
    assert world.added == []
    assert world.observations.of(KEY).there


def test_without_an_answer_nothing_is_taken_for_gone() -> None:
    """An API server that fails is asked no more, and is no reason to restart."""
    world = _world()
    world.server.listed, world.server.fails = {}, True
    world.audit("team")
    assert (len(world.server.asked), world.added, world.pulse.problems()) == (1, [], ())
    assert world.observations.of(KEY).there


def test_what_was_not_reported_is_unhealthy_whatever_else_fails() -> None:
    """A resource that is listed and that no watch has reported makes health fail."""
    world = _world()
    world.server.listed[_RESOURCES].append(Identity("unheard", "u9", "8", "team"))
    world.server.listed[_JOBS], world.server.fails = [], True
    world.audit("team")
    (problem,) = world.pulse.problems()
    assert PART in problem
    assert "team/unheard" in problem


def test_jobs_and_pods_are_listed_only_where_some_run() -> None:
    """An operator at rest costs two lists; one of the whole cluster asks for all namespaces at once."""
    world = World()
    world.observations.resource(_resource(phase="Complete"))
    world.observations.job(_part("job", "j1"))
    path = "/apis/llmopt.dev/v1alpha1/llmoptimizations"
    world.server.listed[path] = [Identity("small", "u1", "5", "team")]
    world.audit()
    assert [path for path, _ in world.server.lists] == [path, path.replace("optimizations", "benchmarks")]
    world.observations.resource(_resource(version=6, phase="Running"))
    world.audit()
    assert "/apis/batch/v1/jobs" in {path for path, _ in world.server.lists}


def test_one_audit_asks_for_a_limited_number() -> None:
    """Where thousands of pods were deleted unnoticed, a hundred are asked for at a time."""
    world = _world()
    for number in range(300):
        world.observations.pod(_part(f"pod-{number}", f"p-{number}"))
    world.audit("team")
    assert len(world.server.asked) == 100
    world.audit("team")
    world.audit("team")
    assert list(world.observations.of(KEY).pods) == ["pod"]
