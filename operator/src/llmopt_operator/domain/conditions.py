"""Conditions: what a program waits for and a person reads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from llmopt_core.api.conditions import ConditionType
from llmopt_core.api.reasons import ConditionReason

_LONGEST_MESSAGE = 2048


@dataclass(frozen=True)
class Fact:
    """One condition as it should be now, in Kubernetes' words."""

    type: ConditionType
    status: Literal["True", "False"]
    reason: ConditionReason
    message: str = ""


def conditions(
    facts: Iterable[Fact], before: Sequence[Mapping[str, Any]], *, generation: int, now: float
) -> list[dict[str, Any]]:
    """Return `facts` as conditions; the time of transition stays where the status of one did not change."""
    known = {condition["type"]: condition for condition in before}
    return [_condition(fact, known.get(fact.type), generation, now) for fact in facts]


def timestamp(now: float) -> str:
    """Return Unix seconds as Kubernetes writes a moment."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def unix_seconds(moment: str) -> float:
    """Return the Unix seconds of a moment as Kubernetes writes it."""
    return datetime.fromisoformat(moment).timestamp()


def _condition(fact: Fact, before: Mapping[str, Any] | None, generation: int, now: float) -> dict[str, Any]:
    same = before is not None and before["status"] == fact.status
    return {
        "type": fact.type,
        "status": fact.status,
        "reason": fact.reason,
        "message": _shortened(fact.message),
        "lastTransitionTime": before["lastTransitionTime"] if same and before else timestamp(now),
        "observedGeneration": generation,
    }


def _shortened(message: str) -> str:
    return message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 1] + "…"
