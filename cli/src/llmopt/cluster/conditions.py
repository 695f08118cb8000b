"""How a resource stands, by its conditions: whether it has ended, and if it does not run, why. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from llmopt.cluster.kinds import kind_of
from llmopt_core.api.conditions import ConditionType, Phase
from llmopt_core.api.explained import Recovery
from llmopt_core.api.explanations import explanation
from llmopt_core.api.kinds import Kind
from llmopt_core.api.reasons import Reason, reason_called
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources.status import BenchmarkStatus, Condition, OptimizationStatus, Status
from llmopt_core.results.endings import end_of, held

Document = Mapping[str, Any]
_PHASES = frozenset(each.value for each in Phase)
_CONDITION_TYPES = frozenset(each.value for each in ConditionType)


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
        """Return it in two lines, as errors of trials are shown."""
        cause = f"{self.reason}: {self.message}" if self.message else self.reason
        return f"{cause}\n  -> {self.advice}" if self.advice else cause


def status_of(document: Document) -> Status:
    """Return the status of a resource, empty while nobody has looked at it; raises StatusUnreadable.

    What a newer operator says beside, in fields, phases or conditions, is passed over.
    """
    type_ = BenchmarkStatus if kind_of(document) is Kind.BENCHMARK else OptimizationStatus
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
    listed = [each for each in status.get("conditions") or () if each.get("type") in _CONDITION_TYPES]
    unknown = () if status.get("phase") in _PHASES else ("phase",)
    return {field: value for field, value in {**status, "conditions": listed}.items() if field not in unknown}


def is_current(document: Document, status: Status) -> bool:
    """Say whether the status speaks of the resource as it is now, and not as it was before it was changed."""
    return (status.observed_generation or 0) >= int(document["metadata"].get("generation", 1))


def problem_of(status: Status) -> Problem | None:
    """Return why it does not run, None while it does or soon will."""
    conditions = {condition.type: condition for condition in status.conditions}
    if end_of(status) is not None:
        return None
    accepted, suspended = conditions.get(ConditionType.ACCEPTED), conditions.get(ConditionType.SUSPENDED)
    if accepted is not None and accepted.status == "False":
        return _problem(accepted, hopeless=True)
    if suspended is not None and suspended.status == "True":
        return Problem(Reason.SUSPENDED, suspended.message, explanation(Reason.SUSPENDED_BY_USER).action)
    for type_ in (ConditionType.STUDY_READY, ConditionType.RUNNING):
        condition = conditions.get(type_)
        if condition is not None and condition.status == "False" and not _passes(condition.reason):
            return _problem(condition)
    return None


def warning_of(status: Status) -> str | None:
    """Return what is worth a word although it runs."""
    conditions = {each.type: each for each in status.conditions if each.status == "False"}
    guard = conditions.get(ConditionType.MEMORY_GUARD_PASSED)
    baseline = conditions.get(ConditionType.BASELINE_MEASURED)
    blocked = held(status, ConditionType.BLOCKED)
    parts = [
        f"{blocked.reason}: {blocked.message}" if blocked else "",
        f"memory guard: {guard.message}" if guard else "",
        baseline.message if baseline else "",
    ]
    return "; ".join(text for text in parts if text) or None


def _problem(condition: Condition, *, hopeless: bool = False) -> Problem:
    reason = reason_called(condition.reason)
    action = explanation(reason).action if reason is not None else ""
    advice = "" if action in condition.message else action
    return Problem(condition.reason, condition.message, advice, hopeless=hopeless)


def _passes(text: str) -> bool:
    """Whether what a reason says passes by itself before a person could do anything."""
    reason = reason_called(text)
    return reason is not None and explanation(reason).recovery is Recovery.SOON
