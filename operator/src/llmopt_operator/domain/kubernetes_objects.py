"""From Kubernetes' own objects to what a decision needs of them."""

import re
from collections.abc import Mapping
from typing import Any

from llmopt_core.api.explanations import explanation
from llmopt_core.api.objects import Label
from llmopt_core.api.reasons import Reason
from llmopt_operator.domain.conditions import unix_seconds
from llmopt_operator.domain.observed import JobEnd, JobSeen, PodSeen, Problem

# What the kubelet says of a container that cannot start, in this project's reasons.
_WAITING = {
    "ErrImagePull": Reason.IMAGE_PULL_FAILED,
    "ImagePullBackOff": Reason.IMAGE_PULL_FAILED,
    "InvalidImageName": Reason.IMAGE_PULL_FAILED,
    "ErrImageNeverPull": Reason.IMAGE_PULL_FAILED,
    "CreateContainerConfigError": Reason.REFERENCE_MISSING,
    "CreateContainerError": Reason.CONTAINER_FAILED,
    "RunContainerError": Reason.CONTAINER_FAILED,
}


def job_seen(body: Mapping[str, Any]) -> JobSeen:
    """Return a Job as the API server has it."""
    metadata, spec, status = body["metadata"], body["spec"], body.get("status") or {}
    labels = metadata.get("labels") or {}
    ends = {
        condition["type"]: condition
        for condition in status.get("conditions") or ()
        if condition["status"] == "True" and condition["type"] in set(JobEnd)
    }
    end = next(iter(ends.values()), None)
    return JobSeen(
        name=metadata["name"],
        manifest_hash=labels.get(Label.MANIFEST, ""),
        queued=Label.QUEUE in labels,
        suspended=bool(spec.get("suspend")),
        deleting="deletionTimestamp" in metadata,
        active=status.get("active", 0),
        ready=status.get("ready", 0),
        end=None if end is None else JobEnd(end["type"]),
        ended_at=None if end is None else unix_seconds(end["lastTransitionTime"]),
        message="" if end is None else end.get("message", ""),
        uid=metadata.get("uid", ""),
    )


def pod_seen(body: Mapping[str, Any]) -> PodSeen:
    """Return a runner's pod as the API server has it."""
    metadata, status = body["metadata"], body.get("status") or {}
    labels = metadata.get("labels") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    container: Mapping[str, Any] = next(iter(status.get("containerStatuses") or ()), {})
    state = container.get("state") or {}
    ended = state.get("terminated") or {}
    return PodSeen(
        name=metadata["name"],
        job=labels.get(Label.JOB, ""),
        index=_index(labels.get(Label.INDEX, "")),
        phase=status.get("phase", "Pending"),
        deleting="deletionTimestamp" in metadata,
        disrupted=conditions.get("DisruptionTarget", {}).get("status") == "True",
        waiting=_waiting(state.get("waiting") or {}),
        unschedulable=_unschedulable(conditions.get("PodScheduled", {})),
        exit_code=ended.get("exitCode"),
        oom_killed=ended.get("reason") == "OOMKilled",
        last_words=str(ended.get("message", "")),
        uid=metadata.get("uid", ""),
    )


def _index(label: str) -> int:
    """Return which runner it is; a pod that a tenant labelled as ours may say anything."""
    return int(label) if re.fullmatch("[0-9]{1,9}", label) else 0


def _waiting(state: Mapping[str, Any]) -> Problem | None:
    reason = _WAITING.get(state.get("reason", ""))
    if reason is None:
        return None
    return Problem(reason, f"{state.get('message') or state['reason']}; {explanation(reason).action}")


def _unschedulable(condition: Mapping[str, Any]) -> str | None:
    if condition.get("status") != "False" or condition.get("reason") != Reason.UNSCHEDULABLE:
        return None
    return str(condition.get("message", "no node fits"))
