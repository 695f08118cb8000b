"""How a study ended, as its status says it."""

from dataclasses import dataclass

from llmopt_core.api.conditions import ConditionType
from llmopt_core.resources.status import Condition, Status


@dataclass(frozen=True)
class End:
    """How a study ended."""

    reason: str
    message: str
    failed: bool


def end_of(status: Status) -> End | None:
    """Return how it ended, None while it can go on."""
    for type_ in (ConditionType.FAILED, ConditionType.COMPLETE):
        condition = held(status, type_)
        if condition is not None:
            return End(condition.reason, condition.message, failed=type_ is ConditionType.FAILED)
    return None


def held(status: Status, type_: ConditionType) -> Condition | None:
    """Return the condition of `type_` where it is true."""
    return next((each for each in status.conditions if each.type is type_ and each.status == "True"), None)
