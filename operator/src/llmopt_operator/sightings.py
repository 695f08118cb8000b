"""What the watches told: the resources, their Jobs and their pods, as last seen."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from llmopt_operator.domain.observed import JobSeen, PodSeen
from llmopt_operator.domain.sights import job_seen, pod_seen
from llmopt_operator.specs.naming import KIND_LABEL, PLURALS, RESOURCE_LABEL, Key

_KINDS: Mapping[str, str] = {kind.lower(): kind for kind in PLURALS}
_KEPT_METADATA = ("name", "namespace", "uid", "generation", "resourceVersion", "deletionTimestamp")


@dataclass
class Sighting:
    """One resource and what belongs to it. `document` is None once it is gone."""

    document: Mapping[str, Any] | None = None
    jobs: dict[str, JobSeen] = field(default_factory=dict)
    pods: dict[str, PodSeen] = field(default_factory=dict)


class Sightings:
    """All resources that are watched. Each method that takes an object returns whom it concerns."""

    def __init__(self) -> None:
        self._known: dict[Key, Sighting] = {}
        self._bereaved: set[str] = set()

    def take_bereaved(self) -> frozenset[str]:
        """Return the namespaces in which a resource was deleted since this was last asked."""
        bereaved, self._bereaved = frozenset(self._bereaved), set()
        return bereaved

    def __iter__(self) -> Iterator[Key]:
        """Give the keys of all resources that are there."""
        return (key for key, sighting in self._known.items() if sighting.document is not None)

    def of(self, key: Key) -> Sighting:
        """Return what was seen of `key`; an empty sighting where nothing was."""
        return self._known.get(key) or Sighting()

    def running(self) -> Mapping[Key, str]:
        """Return the resources of which a runner runs, and their identity."""
        return {
            key: sighting.document["metadata"]["uid"]
            for key, sighting in self._known.items()
            if sighting.document is not None and any(pod.phase == "Running" for pod in sighting.pods.values())
        }

    def phases(self) -> Mapping[tuple[str, str], int]:
        """Return how many resources there are by kind and phase."""
        documents = (sighting.document for sighting in self._known.values())
        return Counter(
            (document["kind"], str((document.get("status") or {}).get("phase", "Pending")))
            for document in documents
            if document is not None
        )

    def resource(self, document: Mapping[str, Any], *, gone: bool = False) -> Key:
        """Take a resource as the API server has it; older versions than the one known are passed over."""
        key = Key(document["kind"], document["metadata"]["namespace"], document["metadata"]["name"])
        sighting = self._known.setdefault(key, Sighting())
        if gone:
            sighting.document = None
            self._bereaved.add(key.namespace)
            if not sighting.jobs and not sighting.pods:
                del self._known[key]
        elif _is_newer(document, sighting.document):
            sighting.document = _slim(document)
        return key

    def job(self, body: Mapping[str, Any], *, gone: bool = False) -> Key | None:
        """Take a Job; None where it is of no resource of ours."""
        if (key := _owner(body)) is None:
            return None
        seen = job_seen(body)
        jobs = self._known.setdefault(key, Sighting()).jobs
        if gone:
            jobs.pop(seen.name, None)
        else:
            jobs[seen.name] = seen
        return key

    def pod(self, body: Mapping[str, Any], *, gone: bool = False) -> Key | None:
        """Take a pod; None where it is of no resource of ours, or nothing changed that matters."""
        if (key := _owner(body)) is None:
            return None
        seen = pod_seen(body)
        pods = self._known.setdefault(key, Sighting()).pods
        before = pods.pop(seen.name, None)
        if not gone:
            pods[seen.name] = seen
        return None if before == seen and not gone else key


def _owner(body: Mapping[str, Any]) -> Key | None:
    labels = body["metadata"].get("labels") or {}
    kind = _KINDS.get(labels.get(KIND_LABEL, ""))
    name = labels.get(RESOURCE_LABEL)
    return Key(kind, body["metadata"]["namespace"], name) if kind and name else None


def _is_newer(document: Mapping[str, Any], known: Mapping[str, Any] | None) -> bool:
    if known is None or known["metadata"]["uid"] != document["metadata"]["uid"]:
        return True
    mine, theirs = known["metadata"]["resourceVersion"], document["metadata"]["resourceVersion"]
    # Resource versions of one kind can be compared as numbers (KEP-5504).
    return int(theirs) >= int(mine)


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
