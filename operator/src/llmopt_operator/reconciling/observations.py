"""What the watches reported: the resources, their Jobs and their pods, as last seen."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, cast

import msgspec

from llmopt_core.api.conditions import Phase
from llmopt_core.api.kinds import API_VERSION, Kind
from llmopt_core.api.objects import Label
from llmopt_operator.domain.kubernetes_objects import job_seen, pod_seen
from llmopt_operator.domain.observed import JobSeen, PodSeen
from llmopt_operator.specs.names import Key

_KINDS: Mapping[str, Kind] = {kind.singular: kind for kind in Kind}
_KEPT_METADATA = ("name", "namespace", "uid", "generation", "resourceVersion", "deletionTimestamp")
_ENDED = frozenset({Phase.COMPLETE, Phase.FAILED})


class Watched(Enum):
    """What is watched: its API version and its plural name."""

    OPTIMIZATIONS = (API_VERSION, Kind.OPTIMIZATION.plural)
    BENCHMARKS = (API_VERSION, Kind.BENCHMARK.plural)
    JOBS = ("batch/v1", "jobs")
    PODS = ("v1", "pods")


_RESOURCES: Mapping[str, Watched] = {
    Kind.OPTIMIZATION: Watched.OPTIMIZATIONS,
    Kind.BENCHMARK: Watched.BENCHMARKS,
}


@dataclass(frozen=True, slots=True)
class Remembered:
    """One object that was reported, and the key of the resource that it is, or belongs to."""

    what: Watched
    key: Key
    name: str
    uid: str

    @classmethod
    def resource(cls, key: Key, uid: str) -> "Remembered":
        """Return the resource that is called `key` and has `uid`."""
        return cls(_RESOURCES[key.kind], key, key.name, uid)


@dataclass
class Observation:
    """One resource and what belongs to it. `metadata` is None before it was seen.

    The whole document is kept as text: as Python's own objects it would take ten times the memory.
    """

    metadata: Mapping[str, Any] | None = None
    gone: bool = False
    text: bytes = b""
    phase: str = "Pending"
    jobs: dict[str, JobSeen] = field(default_factory=dict)
    pods: dict[str, PodSeen] = field(default_factory=dict)

    @property
    def document(self) -> Mapping[str, Any] | None:
        """The resource as the API server had it last, None once it is gone."""
        return cast("Mapping[str, Any]", msgspec.json.decode(self.text)) if self.there else None

    @property
    def there(self) -> bool:
        """Whether the resource exists, as far as is known."""
        return self.metadata is not None and not self.gone

    @property
    def runs(self) -> bool:
        """Whether one of its runners runs."""
        return self.there and any(pod.phase == "Running" for pod in self.pods.values())

    def take(self, document: Mapping[str, Any]) -> None:
        """Remember a newer `document`."""
        slim, self.gone = _slim(document), False
        self.metadata = {field: slim["metadata"][field] for field in ("uid", "resourceVersion")}
        self.text = msgspec.json.encode(slim)
        self.phase = str(slim["status"].get("phase", "Pending"))


class Observations:
    """All resources that are watched. Each method that takes an object returns whom it concerns."""

    def __init__(self) -> None:
        self._known: dict[Key, Observation] = {}
        self._bereaved: set[str] = set()

    def take_bereaved(self) -> frozenset[str]:
        """Return the namespaces in which a resource was deleted since this was last asked."""
        bereaved, self._bereaved = frozenset(self._bereaved), set()
        return bereaved

    def __iter__(self) -> Iterator[Key]:
        """Give the keys of all resources that are there."""
        return (key for key, observation in self._known.items() if observation.there)

    def of(self, key: Key) -> Observation:
        """Return what was seen of `key`; an empty observation where nothing was."""
        return self._known.get(key) or Observation()

    def forget(self, key: Key) -> None:
        """Drop what is known of a resource that is gone, with all that belonged to it."""
        observation = self._known.get(key)
        if observation is not None and not (observation.there or observation.jobs or observation.pods):
            del self._known[key]

    def running(self) -> Mapping[str, Mapping[str, Key]]:
        """Return, by namespace and identity, the resources of which a runner runs."""
        found: dict[str, dict[str, Key]] = {}
        for key, observation in self._known.items():
            if observation.metadata is not None and observation.runs:
                found.setdefault(key.namespace, {})[observation.metadata["uid"]] = key
        return found

    def phases(self) -> Mapping[tuple[str, str], int]:
        """Return how many resources there are by kind and phase."""
        return Counter(
            (key.kind, observation.phase) for key, observation in self._known.items() if observation.there
        )

    def remembered(self) -> Iterator[Remembered]:
        """Give what was reported and is not known to be gone; of what has ended the resource alone.

        Nothing is decided by the Jobs and pods of what has ended.
        """
        for key, observation in self._known.items():
            if observation.metadata is not None and observation.there:
                yield Remembered.resource(key, observation.metadata["uid"])
            if observation.there and observation.phase in _ENDED:
                continue
            for job in observation.jobs.values():
                yield Remembered(Watched.JOBS, key, job.name, job.uid)
            for pod in observation.pods.values():
                yield Remembered(Watched.PODS, key, pod.name, pod.uid)

    def lose(self, lost: Remembered) -> Key | None:
        """Take an object as deleted; None where it is not remembered: another one may have its name."""
        observation = self.of(lost.key)
        if lost.what in _RESOURCES.values():
            self._bereaved.add(lost.key.namespace)
            if observation.metadata is None or observation.metadata["uid"] != lost.uid:
                return None
            observation.gone = True
            return lost.key
        parts: dict[str, Any] = observation.jobs if lost.what is Watched.JOBS else observation.pods
        if lost.name not in parts or parts[lost.name].uid != lost.uid:
            return None
        del parts[lost.name]
        return lost.key

    def resource(self, document: Mapping[str, Any], *, gone: bool = False) -> Key | None:
        """Take a resource as the API server has it; None where this version, or a newer one, is known.

        What the operator writes itself it knows from the answer, before the watch reports it. The end of an
        earlier resource of this name may be reported after the beginning of the one that took its name.
        """
        metadata = document["metadata"]
        key = Key(document["kind"], metadata["namespace"], metadata["name"])
        if gone:
            return self.lose(Remembered.resource(key, metadata["uid"]))
        observation = self._known.setdefault(key, Observation())
        if not _is_newer(metadata, observation.metadata):
            return None
        observation.take(document)
        return key

    def job(self, body: Mapping[str, Any], *, gone: bool = False) -> Key | None:
        """Take a Job; None where it is of no resource of ours, or nothing changed that matters."""
        if (key := _owner(body)) is None:
            return None
        seen = job_seen(body)
        if gone:
            return self.lose(Remembered(Watched.JOBS, key, seen.name, seen.uid))
        jobs = self._known.setdefault(key, Observation()).jobs
        before = jobs.pop(seen.name, None)
        jobs[seen.name] = seen
        return None if before == seen else key

    def pod(self, body: Mapping[str, Any], *, gone: bool = False) -> Key | None:
        """Take a pod; None where it is of no resource of ours, or nothing changed that matters."""
        if (key := _owner(body)) is None:
            return None
        seen = pod_seen(body)
        if gone:
            return self.lose(Remembered(Watched.PODS, key, seen.name, seen.uid))
        pods = self._known.setdefault(key, Observation()).pods
        before = pods.pop(seen.name, None)
        pods[seen.name] = seen
        return None if before == seen else key


def _owner(body: Mapping[str, Any]) -> Key | None:
    labels = body["metadata"].get("labels") or {}
    kind = _KINDS.get(labels.get(Label.KIND, ""))
    name = labels.get(Label.RESOURCE)
    return Key(kind, body["metadata"]["namespace"], name) if kind and name else None


def _is_newer(reported: Mapping[str, Any], known: Mapping[str, Any] | None) -> bool:
    if known is None or known["uid"] != reported["uid"]:
        return True
    # Resource versions of one kind can be compared as numbers (KEP-5504).
    return int(reported["resourceVersion"]) > int(known["resourceVersion"])


def _slim(document: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = document["metadata"]
    kept = {field: metadata[field] for field in _KEPT_METADATA if field in metadata}
    return {
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "metadata": {**kept, "annotations": metadata.get("annotations") or {}},
        "spec": document["spec"],
        "status": document.get("status") or {},
    }
