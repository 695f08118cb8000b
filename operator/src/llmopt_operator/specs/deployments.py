"""Deployments that winners are written into: how one is read, and what is changed in it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import msgspec

from llmopt_core.api.objects import Annotation
from llmopt_operator.domain.actions import WriteArguments
from llmopt_operator.domain.observed import Availability, DeploymentSeen, RolloutNote


def deployment_seen(body: Mapping[str, Any]) -> DeploymentSeen:
    """Return a Deployment as the API server has it."""
    metadata = body["metadata"]
    availability, message = _availability(body)
    return DeploymentSeen(
        name=metadata["name"],
        version=metadata["resourceVersion"],
        containers={
            each["name"]: (tuple(each.get("command") or ()), tuple(each.get("args") or ()))
            for each in body["spec"]["template"]["spec"]["containers"]
        },
        availability=availability,
        message=message,
        note=_note((metadata.get("annotations") or {}).get(Annotation.ROLLOUT)),
    )


def arguments_patch(action: WriteArguments) -> dict[str, Any]:
    """Return the strategic merge patch that changes one container's arguments, and notes it."""
    container = {"name": action.note.container, "args": list(action.note.given) or None}
    return {
        "metadata": {
            "resourceVersion": action.version,
            "annotations": {Annotation.ROLLOUT: json.dumps(asdict(action.note), sort_keys=True)},
        },
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def _availability(body: Mapping[str, Any]) -> tuple[Availability, str]:
    """As `kubectl rollout status` judges it."""
    spec, status = body["spec"], body.get("status") or {}
    wanted = spec.get("replicas", 1)
    if status.get("observedGeneration", 0) < body["metadata"]["generation"]:
        return Availability.WAITING, "its change was not seen yet"
    for condition in status.get("conditions") or ():
        if condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return Availability.FAILED, condition.get("message", "its progress deadline has passed")
    if spec.get("paused"):
        return Availability.WAITING, "it is paused: kubectl rollout resume"
    if not wanted:
        return Availability.WAITING, "it is scaled to 0: nothing shows that it serves"
    updated = status.get("updatedReplicas", 0)
    ready = updated >= wanted and status.get("availableReplicas", 0) >= updated
    if ready and status.get("replicas", 0) <= updated:
        return Availability.AVAILABLE, ""
    return (
        Availability.WAITING,
        f"{min(updated, status.get('availableReplicas', 0))} of {wanted} new pods are available",
    )


def _note(text: str | None) -> RolloutNote | None:
    """What people wrote into the annotation is as good as nothing."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=RolloutNote)
    except ValueError:
        return None
