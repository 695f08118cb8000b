"""What the watches reported: the resources, their Jobs and their pods, as last seen."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from llmopt_core.api.kinds import Kind
from llmopt_core.api.objects import Label
from llmopt_operator.domain.kubernetes_objects import job_seen, pod_seen
from llmopt_operator.domain.observed import JobSeen, PodSeen
from llmopt_operator.specs.names import Key

_KINDS: Mapping[str, Kind] = {kind.singular: kind for kind in Kind}
_KEPT_METADATA = ("name", "namespace", "uid", "generation", "resourceVersion", "deletionTimestamp")


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

    def resource(self, document: Mapping[str, Any], *, gone: bool = False) -> Key | None:
        """Take a resource as the API server has it; None where this version, or a newer one, is known.

        What the operator writes itself it knows from the answer, before the watch reports it.
        """
        key = Key(document["kind"], document["metadata"]["namespace"], document["metadata"]["name"])
        observation = self._known.setdefault(key, Observation())
        if gone:
            observation.gone = True
            self._bereaved.add(key.namespace)
        elif _is_newer(document["metadata"], observation.metadata):
            observation.take(document)
        else:
            return None
        return key

    def job(self, body: Mapping[str, Any], *, gone: bool = False) -> Key | None:
        """Take a Job; None where it is of no resource of ours, or nothing changed that matters."""
        if (key := _owner(body)) is None:
            return None
        seen = job_seen(body)
        jobs = self._known.setdefault(key, Observation()).jobs
        before = jobs.pop(seen.name, None)
        if not gone:
            jobs[seen.name] = seen
        return None if before == seen and not gone else key

    def pod(self, body: Mapping[str, Any], *, gone: bool = False) -> Key | None:
        """Take a pod; None where it is of no resource of ours, or nothing changed that matters."""
        if (key := _owner(body)) is None:
            return None
        seen = pod_seen(body)
        pods = self._known.setdefault(key, Observation()).pods
        before = pods.pop(seen.name, None)
        if not gone:
            pods[seen.name] = seen
        return None if before == seen and not gone else key


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
