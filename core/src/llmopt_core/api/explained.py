"""The form of an explanation, and the places where reasons appear."""

from dataclasses import dataclass
from enum import StrEnum

from llmopt_core.api.conditions import ConditionType


class Recovery(StrEnum):
    """When what a reason says is over."""

    NOT_NEEDED = "nothing is wrong"
    SOON = "by itself, within seconds"
    LATER = "by itself, once the cause is removed"
    ON_CHANGE = "when the resource is changed"


@dataclass(frozen=True)
class Place:
    """Where a reason appears: in the condition `type` with `status`; an event where there is no type."""

    type: ConditionType | None = None
    status: bool = True


@dataclass(frozen=True)
class Explanation:
    """What a reason means. `action` is what to do, "" where nothing is to be done."""

    places: tuple[Place, ...]
    recovery: Recovery
    meaning: str
    action: str = ""


EVENT = Place()
ACCEPTED = Place(ConditionType.ACCEPTED)
REFUSED = Place(ConditionType.ACCEPTED, status=False)
READY = Place(ConditionType.STUDY_READY)
NOT_READY = Place(ConditionType.STUDY_READY, status=False)
RUNS = Place(ConditionType.RUNNING)
IDLE = Place(ConditionType.RUNNING, status=False)
COMPLETE = Place(ConditionType.COMPLETE)
FAILED = Place(ConditionType.FAILED)
ROLLED_OUT = Place(ConditionType.ROLLED_OUT)
NOT_ROLLED_OUT = Place(ConditionType.ROLLED_OUT, status=False)
WITHOUT_STUDY = (NOT_READY, IDLE, NOT_ROLLED_OUT, EVENT)
WHERE_REFUSED = (Place(ConditionType.BLOCKED), IDLE, NOT_ROLLED_OUT, EVENT)
RESTART = "correct it, then start the study again with the annotation llmopt.dev/restart"
