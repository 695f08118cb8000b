"""One pass over one resource, beside an API server and studies that a test makes refuse or hang."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from fakes.manifests import changed, optimization

from llmopt_core.api.reasons import Reason
from llmopt_operator.adapters.kubernetes import AlreadyExists, ApiError, Forbidden, NotFound
from llmopt_operator.adapters.owned_objects import NotOurs
from llmopt_operator.domain.conditions import timestamp
from llmopt_operator.domain.observed import Problem, StudySeen
from llmopt_operator.metrics import OperatorMetrics
from llmopt_operator.reconciling import reconciler as module
from llmopt_operator.reconciling.observations import Observations
from llmopt_operator.reconciling.reconciler import ActionRefused, Reconciler
from llmopt_operator.settings import OperatorSettings
from llmopt_operator.specs.names import Key, manifest_hash

KEY = Key("LLMOptimization", "team", "small")
PATH = "/apis/llmopt.dev/v1alpha1/namespaces/team/llmoptimizations/small"
JOBS = "/apis/batch/v1/namespaces/team/jobs"
_SECRETS = "/api/v1/namespaces/team/secrets"
_DEFINITION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/llmoptimizations.llmopt.dev"
_QUOTA = "exceeded quota: small, requested: count/jobs.batch=1, used: count/jobs.batch=0, limited: 0"
_NO_RIGHT = (
    'forbidden: User "llmopt" cannot get resource "customresourcedefinitions" in API group'
    ' "apiextensions.k8s.io" at the cluster scope'
)
WITH_BEST = StudySeen(None, 1.0, {"study": "u1", "best": {"trial": 2}})
TAKEN = NotOurs(Problem(Reason.NAME_TAKEN, "ConfigMap team/small-best exists"), passing=False)


def _resource(uid: str = "u1", status: Any = None, **spec: Any) -> dict[str, Any]:
    document = changed(optimization(), "spec.runners", {"queueName": "none"})
    metadata = {"name": "small", "namespace": "team", "uid": uid, "resourceVersion": "5", "generation": 1}
    return {**document, "metadata": metadata, "spec": {**document["spec"], **spec}, "status": status or {}}


class Server:
    """An API server of the objects `there`; what matches one of `refused` raises its error."""

    def __init__(self) -> None:
        self.there: dict[str, Any] = {}
        self.refused: list[tuple[str, Exception]] = []
        self.statuses: list[Any] = []
        self.deleted: list[tuple[str, str]] = []

    def _meet(self, line: str) -> None:
        for pattern, error in self.refused:
            if re.search(pattern, line):
                raise error

    async def get(self, path: str, _query: Any = None) -> Any:
        self._meet(f"GET {path}")
        if path not in self.there:
            raise NotFound("GET", path, 404, "none")
        return self.there[path]

    async def metadata(self, path: str) -> Any:
        return (await self.get(path))["metadata"]

    async def create(self, collection: str, body: Any) -> Any:
        self._meet(f"POST {collection}")
        path = f"{collection}/{body['metadata']['name']}"
        if path in self.there:
            raise AlreadyExists("POST", collection, 409, "there")
        self.there[path] = body
        return body

    async def write_status(self, path: str, uid: str, status: Any) -> Any:
        self._meet(f"PATCH {path}/status")
        if self.there.get(path, {"metadata": {"uid": ""}})["metadata"]["uid"] != uid:
            raise NotFound("PATCH", f"{path}/status", 404, "none with this uid")
        self.statuses.append(status)
        version = str(int(self.there[path]["metadata"]["resourceVersion"]) + 1)
        metadata = {**self.there[path]["metadata"], "resourceVersion": version}
        self.there[path] = {**self.there[path], "metadata": metadata, "status": status}
        return self.there[path]

    async def delete(self, path: str, *, uid: str, **_: str) -> None:
        self.deleted.append((path, uid))
        self.there.pop(path, None)


class StudiesOfOne:
    """The study of one resource; `error` comes in place of a look, `working` while one is made or read."""

    def __init__(self, seen: StudySeen | None) -> None:
        self.seen = seen
        self.error: Exception | None = None
        self.working: Callable[[], Any] = lambda: None

    async def see(self, *_: Any, **__: Any) -> StudySeen | None:
        if self.error is not None:
            raise self.error
        return self.seen

    async def make(self, *_: Any) -> None:
        self.working()
        self.seen = StudySeen(None, 0.0, {"study": "u1"})

    async def result(self, *_: Any) -> Any:
        await asyncio.sleep(0.05)
        raise TAKEN

    def release(self, *_: Any) -> None:
        pass


@dataclass
class World:
    """A reconciler with its server, studies and observations, which know one resource."""

    seen: StudySeen | None = None
    document: dict[str, Any] = field(default_factory=_resource)
    server: Server = field(default_factory=Server)
    observations: Observations = field(default_factory=Observations)

    def __post_init__(self) -> None:
        self.studies = StudiesOfOne(self.seen)
        self.server.there[PATH] = self.document
        self.observations.resource(self.document)
        settings = OperatorSettings(images={"llamacpp": "registry/runner:1"})
        self.reconciler = Reconciler(
            self.server,  # type: ignore[arg-type]
            self.studies,  # type: ignore[arg-type]
            self.observations,
            settings,
            OperatorMetrics(),
        )

    def reconcile(self) -> float | None:
        return asyncio.run(self.reconciler.reconcile(KEY))

    def condition(self, type_: str) -> Any:
        conditions = self.server.there[PATH]["status"].get("conditions", ())
        return next((each for each in conditions if each["type"] == type_), None)


def _quota() -> ApiError:
    return Forbidden("POST", JOBS, 403, _QUOTA)


def test_a_resource_gets_its_job_and_its_status() -> None:
    """Where nothing is refused there are a Job and one write of the status."""
    world = World()
    assert world.reconcile() is None
    assert [path for path in world.server.there if path.startswith(JOBS)]
    assert [each["phase"] for each in world.server.statuses] == ["Pending"]
    assert world.condition("Blocked") is None


def test_two_refusals_of_one_pass_are_both_reported() -> None:
    """Neither hides the other, and none is asked for again before the next pass."""
    world = World(WITH_BEST)
    world.server.refused = [("POST .*/jobs", _quota())]
    for _ in range(2):
        with pytest.raises(ActionRefused, match="waits for quota"):
            world.reconcile()
    blocked = world.condition("Blocked")
    assert blocked["reason"] == "QuotaExceeded"
    assert "ConfigMap team/small-best exists" in blocked["message"]
    assert len(world.server.statuses) == 1
    assert world.reconciler.blocked("team") == {KEY}


def test_what_is_slow_beside_a_refusal_takes_nothing_from_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written while an action is waited for says what was refused before it, and all else."""
    monkeypatch.setattr(module, "_SLOW_SECONDS", 0.01)
    world = World(WITH_BEST)
    world.server.refused = [("POST .*/jobs", _quota())]
    with pytest.raises(ActionRefused):
        world.reconcile()
    assert len(world.server.statuses) == 2
    for status in world.server.statuses:
        assert status["best"] == {"trial": 2}
        assert "QuotaExceeded" in {each["reason"] for each in status["conditions"]}


def test_a_right_that_a_look_needs_is_reported_at_once() -> None:
    """A study that cannot be looked at for lack of a right says so on its resource, until it can be."""
    world = World(WITH_BEST)
    world.studies.error = Forbidden("GET", _DEFINITION, 403, _NO_RIGHT)
    with pytest.raises(Forbidden):
        world.reconcile()
    for type_ in ("Blocked", "Running"):
        assert world.condition(type_)["reason"] == "PermissionMissing"
    assert "customresourcedefinitions.apiextensions.k8s.io" in world.condition("Blocked")["message"]
    assert world.reconciler.blocked("team") == {KEY}
    world.studies.error, world.studies.seen = None, StudySeen(None, 1.0, {"study": "u1"})
    world.reconcile()
    assert world.condition("Blocked") is None
    assert world.condition("Running")["reason"] == "QueueInadmissible"
    assert world.reconciler.blocked("team") == frozenset()


def test_a_server_that_fails_a_look_is_reported_after_three_failures() -> None:
    """What may pass by itself is said once it failed three times in a row, and nothing is done meanwhile."""
    world = World()
    world.studies.error = ApiError("GET", f"{_SECRETS}/llmopt-storage", 503, "etcd is away")
    for _ in range(2):
        with pytest.raises(ApiError):
            world.reconcile()
    assert world.server.statuses == []
    with pytest.raises(ApiError):
        world.reconcile()
    assert world.condition("Blocked")["reason"] == "ApiServerFailing"
    assert "get secrets" in world.condition("Blocked")["message"]
    assert not [path for path in world.server.there if path.startswith(JOBS)]


def test_a_secret_that_cannot_be_asked_for_is_reported() -> None:
    """Labels of Secrets are read before runners start: a failing API server is why they do not."""
    model = {**_resource()["spec"]["model"], "source": "hf://org/name/file.gguf"}
    model["tokenSecretRef"] = {"name": "token", "key": "token"}
    world = World(StudySeen(None, 0.0, {"study": "u1"}), _resource(model=model))
    refusal = ApiError("GET", f"{_SECRETS}/token", 500, "etcd is away")
    world.server.refused = [(f"GET {_SECRETS}/token", refusal)]
    for _ in range(3):
        with pytest.raises(ApiError):
            world.reconcile()
    assert world.condition("Blocked")["reason"] == "ApiServerFailing"


def test_a_resource_that_was_replaced_meanwhile_is_taken_as_deleted() -> None:
    """Its status is not written into the one that took its name, and nothing more is done for it."""
    world = World()
    other = _resource("u2")
    world.studies.working = lambda: world.server.there.update({PATH: other})
    assert world.reconcile() is None
    assert world.server.there[PATH]["status"] == {}
    assert world.observations.of(KEY).document is None
    assert world.observations.take_bereaved() == {"team"}


def test_the_resource_that_took_the_name_stays_and_is_looked_at() -> None:
    """The end of the earlier one, reported late, is not the end of the new one."""
    world = World()
    other = _resource("u2", suspend=True)

    def replaced() -> None:
        world.server.there[PATH] = other
        world.observations.resource(other)

    world.studies.working = replaced
    world.reconcile()
    world.observations.resource(_resource(), gone=True)
    assert world.observations.of(KEY).there
    assert world.server.there[PATH]["metadata"]["uid"] == "u2"
    assert world.condition("Suspended")["status"] == "True"


def test_what_ended_is_deleted_by_its_identity() -> None:
    """A resource that was made again when its time to live was over is not deleted in its place."""
    document = _resource(ttlSecondsAfterFinished=60)
    ended = {
        "type": "Complete",
        "status": "True",
        "reason": "TrialsExhausted",
        "message": "",
        "lastTransitionTime": timestamp(0),
        "observedGeneration": 1,
    }
    mark = {"manifestHash": manifest_hash(document), "observedGeneration": 1, "conditions": [ended]}
    world = World(document={**document, "status": mark})
    world.reconcile()
    assert world.server.deleted == [(PATH, "u1")]


def test_runners_are_stopped_by_their_identity() -> None:
    """Of an earlier manifest the Job itself is deleted, and its ConfigMap where it is this resource's."""
    world = World(StudySeen(None, 1.0, {"study": "u1"}))
    labels = {
        "llmopt.dev/kind": "llmoptimization",
        "llmopt.dev/resource": "small",
        "llmopt.dev/manifest": "0",
    }
    job = {"metadata": {"name": "small-0", "namespace": "team", "uid": "j1", "labels": labels}, "spec": {}}
    config_map = "/api/v1/namespaces/team/configmaps/small-0"
    world.server.there |= {
        f"{JOBS}/small-0": job,
        config_map: {"metadata": {"name": "small-0", "uid": "c1", "ownerReferences": [{"uid": "u1"}]}},
    }
    world.observations.job(job)
    world.reconcile()
    assert world.server.deleted == [(config_map, "c1"), (f"{JOBS}/small-0", "j1")]
    assert "small-0" not in world.observations.of(KEY).jobs
