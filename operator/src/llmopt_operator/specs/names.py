"""What the operator's objects are called, and how they are found again."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from llmopt_core.api.objects import OPERATOR, RUNNER, Annotation, Label
from llmopt_core.resources.hashed import settled_spec
from llmopt_core.resources.names import LONGEST_NAME, owned_name

RUNNERS_SELECTOR = f"{Label.MANAGED_BY}={OPERATOR},{Label.NAME}={RUNNER}"

# What runners need not know of; a change of it starts nothing anew.
_OPERATORS_OWN = frozenset({"suspend", "ttlSecondsAfterFinished", "studyRetention", "rollout"})
_HASH_LENGTH = 8
# A pod is called after its Job, its index and five letters.
_LONGEST_JOB_NAME = LONGEST_NAME - len("-31-abcde")


@dataclass(frozen=True, order=True)
class Key:
    """Names one resource: what a queue holds and a log line says."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """Return it as a person writes it."""
        return f"{self.kind} {self.namespace}/{self.name}"


def runner_manifest(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what runners are given of a resource's `document`.

    Without later fields that have their default, so that runners of an earlier image can read it.
    """
    metadata = document["metadata"]
    spec = {field: value for field, value in document["spec"].items() if field not in _OPERATORS_OWN}
    return {
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "metadata": {field: metadata[field] for field in ("name", "namespace", "uid")},
        "spec": settled_spec(document["kind"], spec),
    }


def manifest_hash(document: Mapping[str, Any]) -> str:
    """Return a short text that differs when runners must be started anew."""
    restart = (document["metadata"].get("annotations") or {}).get(Annotation.RESTART, "")
    text = msgspec.json.encode([runner_manifest(document)["spec"], restart], order="sorted")
    return hashlib.sha256(text).hexdigest()[:_HASH_LENGTH]


def child_name(document: Mapping[str, Any], hash_: str) -> str:
    """Return the name of the Job and of the manifest's ConfigMap; short enough for the pods' names.

    Jobs of earlier versions, which shortened names without a digest, are found by their labels.
    """
    return owned_name(document, hash_, _LONGEST_JOB_NAME)


def labels_of(kind: str, name: str, hash_: str) -> dict[str, str]:
    """Return the labels of everything that belongs to one resource."""
    return {
        Label.NAME: RUNNER,
        Label.MANAGED_BY: OPERATOR,
        Label.KIND: kind.lower(),
        Label.RESOURCE: name,
        Label.MANIFEST: hash_,
    }


def owner_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the owner reference by which the garbage collector finds what belongs to a resource."""
    return {
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "name": document["metadata"]["name"],
        "uid": document["metadata"]["uid"],
        "controller": True,
    }
