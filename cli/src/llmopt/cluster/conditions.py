"""How a resource stands, by its conditions: whether it has ended, and if it does not run, why. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from llmopt.cluster.kinds import BENCHMARK, kind_of
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources.status import (
    BenchmarkStatus,
    Condition,
    ConditionType,
    DisplayPhase,
    OptimizationStatus,
)

Document = Mapping[str, Any]
Status = OptimizationStatus | BenchmarkStatus
_PHASES: TypeAdapter[Any] = TypeAdapter(DisplayPhase)
_CONDITION_TYPES: TypeAdapter[Any] = TypeAdapter(ConditionType)
# Reasons of Running=False that pass by themselves within seconds.
_PASSING = frozenset({"Starting", "Replacing", "Suspended", "NotAccepted"})
# What to do, where the operator's own sentence does not say it.
_ADVICE = {
    "InvalidSpec": "correct the manifest (`llmopt validate FILE` names the lines) and apply it again",
    "PolicyDenied": "change the field, or ask the cluster's administrator to allow it in the chart's"
    " settings.policy",
    "Unschedulable": "wait for such a node, or ask for less in spec.runners.resources; which nodes are meant"
    " is said by spec.runners.template",
    "ContainerFailed": "`kubectl describe pod` tells its events",
    "QueueInadmissible": "`kubectl get workloads` tells its place; it starts by itself when it is admitted",
    "StorageUnavailable": "it goes on by itself once the database answers; its address is in the Secret"
    " llmopt-storage",
    "StorageUnusable": "the Secret llmopt-storage must name a PostgreSQL database of its own",
}
_SUSPENDED = "it goes on where it stopped once spec.suspend is false"


class StatusUnreadable(LlmoptError):
    """The status was written by an operator whose words this version does not know."""


@dataclass(frozen=True)
class Problem:
    """Why a resource does not run, and what to do about it. `hopeless`: not before it is changed."""

    reason: str
    message: str
    advice: str = ""
    hopeless: bool = False

    def __str__(self) -> str:
        """Return it in two lines, as errors of trials are told."""
        told = f"{self.reason}: {self.message}" if self.message else self.reason
        return f"{told}\n  -> {self.advice}" if self.advice else told


@dataclass(frozen=True)
class End:
    """How a resource ended."""

    reason: str
    message: str
    failed: bool


def status_of(document: Document) -> Status:
    """Return the status of a resource, empty while nobody has looked at it; raises StatusUnreadable.

    What a newer operator says beside, in fields, phases or conditions, is passed over.
    """
    type_ = BenchmarkStatus if kind_of(document) is BENCHMARK else OptimizationStatus
    try:
        return type_.model_validate(_known_part(document.get("status") or {}), extra="ignore")
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise StatusUnreadable(
            f"status.{place}: {first['msg']}: the cluster's operator is of another version than this "
            "program; install the same"
        ) from error


def _known_part(status: Document) -> Document:
    """Return `status` without the phase and the conditions that this version has no name for."""
    listed = [
        each for each in status.get("conditions") or () if _is_known(_CONDITION_TYPES, each.get("type"))
    ]
    unknown = () if _is_known(_PHASES, status.get("phase")) else ("phase",)
    return {field: value for field, value in {**status, "conditions": listed}.items() if field not in unknown}


def _is_known(names: TypeAdapter[Any], name: object) -> bool:
    try:
        names.validate_python(name)
    except ValidationError:
        return False
    return True


def is_current(document: Document, status: Status) -> bool:
    """Say whether the status speaks of the resource as it is now, and not as it was before it was changed."""
    return (status.observed_generation or 0) >= int(document["metadata"].get("generation", 1))


def end_of(status: Status) -> End | None:
    """Return how it ended, None while it can go on."""
    for name in ("Failed", "Complete"):
        condition = _held(status, name)
        if condition is not None:
            return End(condition.reason, condition.message, failed=name == "Failed")
    return None


def problem_of(status: Status) -> Problem | None:
    """Return why it does not run, None while it does or soon will."""
    conditions = {condition.type: condition for condition in status.conditions}
    if end_of(status) is not None:
        return None
    accepted, suspended = conditions.get("Accepted"), conditions.get("Suspended")
    if accepted is not None and accepted.status == "False":
        return _problem(accepted, hopeless=True)
    if suspended is not None and suspended.status == "True":
        return Problem("Suspended", suspended.message, _SUSPENDED)
    for name in ("StudyReady", "Running"):
        condition = conditions.get(name)
        if condition is not None and condition.status == "False" and condition.reason not in _PASSING:
            return _problem(condition)
    return None


def warning_of(status: Status) -> str | None:
    """Return what is worth a word although it runs."""
    guard = next((each for each in status.conditions if each.type == "MemoryGuardPassed"), None)
    return f"memory guard: {guard.message}" if guard is not None and guard.status == "False" else None


def _held(status: Status, name: str) -> Condition | None:
    return next((each for each in status.conditions if each.type == name and each.status == "True"), None)


def _problem(condition: Condition, *, hopeless: bool = False) -> Problem:
    advice = _ADVICE.get(condition.reason, "")
    return Problem(condition.reason, condition.message, advice, hopeless=hopeless)
