"""What the operator's objects are called, and how they are found again."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from llmopt_core.resources.openapi import GROUP

VERSION = "v1alpha1"
PLURALS: Mapping[str, str] = {"LLMOptimization": "llmoptimizations", "LLMBenchmark": "llmbenchmarks"}
NAME_LABEL = "app.kubernetes.io/name"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
KIND_LABEL = f"{GROUP}/kind"
RESOURCE_LABEL = f"{GROUP}/resource"
HASH_LABEL = f"{GROUP}/manifest"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
INDEX_LABEL = "batch.kubernetes.io/job-completion-index"
# Whatever is written here starts what has ended once more.
RESTART_ANNOTATION = f"{GROUP}/restart"
RUNNERS_SELECTOR = f"{MANAGED_BY_LABEL}=llmopt-operator,{NAME_LABEL}=llmopt-runner"

# What runners need not know of; a change of it starts nothing anew.
_OPERATORS_OWN = frozenset({"suspend", "ttlSecondsAfterFinished", "studyRetention", "rollout"})
_LONGEST_NAME = 63
_HASH_LENGTH = 8
# A pod is called after its Job, its index and five letters.
_LONGEST_JOB_NAME = _LONGEST_NAME - len("-31-abcde")


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
    """Return what runners are given of a resource's `document`."""
    metadata = document["metadata"]
    spec = {field: value for field, value in document["spec"].items() if field not in _OPERATORS_OWN}
    return {
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "metadata": {field: metadata[field] for field in ("name", "namespace", "uid")},
        "spec": spec,
    }


def manifest_hash(document: Mapping[str, Any]) -> str:
    """Return a short text that differs when runners must be started anew."""
    restart = (document["metadata"].get("annotations") or {}).get(RESTART_ANNOTATION, "")
    text = msgspec.json.encode([runner_manifest(document)["spec"], restart], order="sorted")
    return hashlib.sha256(text).hexdigest()[:_HASH_LENGTH]


def child_name(name: str, hash_: str) -> str:
    """Return the name of the Job and of the manifest's ConfigMap; short enough for the pods' names."""
    room = _LONGEST_JOB_NAME - len(hash_) - 1
    return f"{name[:room].rstrip('-')}-{hash_}"


def labels_of(kind: str, name: str, hash_: str) -> dict[str, str]:
    """Return the labels of everything that belongs to one resource."""
    return {
        NAME_LABEL: "llmopt-runner",
        MANAGED_BY_LABEL: "llmopt-operator",
        KIND_LABEL: kind.lower(),
        RESOURCE_LABEL: name,
        HASH_LABEL: hash_,
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
