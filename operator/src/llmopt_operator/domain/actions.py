"""What a decision may ask for. Each can be carried out again without harm."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmopt_core.api.reasons import ConditionReason
from llmopt_operator.domain.observed import Problem, RolloutNote


@dataclass(frozen=True)
class MakeStudy:
    """Create the study, or open it where it exists."""


@dataclass(frozen=True)
class ReopenStudy:
    """Let a study go on that had ended: its budget was raised, or the cause of its failure was fixed."""


@dataclass(frozen=True)
class EndStudy:
    """End the study, unless it ended already."""

    reason: ConditionReason
    message: str
    failed: bool


@dataclass(frozen=True)
class StartRunners:
    """Create the manifest's ConfigMap and the Job."""


@dataclass(frozen=True)
class StopRunners:
    """Delete the Job `name`; its pods are asked to give their trials back."""

    name: str


@dataclass(frozen=True)
class WriteBest:
    """Write the best parameters into their ConfigMap."""


@dataclass(frozen=True)
class WriteArguments:
    """Give a container of the Deployment `deployment` the arguments that `note` says, and note it.

    `version` is the Deployment that was decided upon: where it was changed since, it is looked at again.
    """

    deployment: str
    version: str
    note: RolloutNote


@dataclass(frozen=True)
class DeleteResource:
    """Delete the resource itself: it ended long enough ago."""


Action = (
    MakeStudy
    | ReopenStudy
    | EndStudy
    | StartRunners
    | StopRunners
    | WriteBest
    | WriteArguments
    | DeleteResource
)


@dataclass(frozen=True)
class Refused:
    """An action that was just tried and that the API server refused."""

    action: type[Action]
    problem: Problem


@dataclass(frozen=True)
class Event:
    """Something a person would want to know: an event."""

    reason: ConditionReason
    message: str
    warning: bool = False


@dataclass(frozen=True)
class Plan:
    """What must change so that the cluster comes nearer to what is asked for.

    Actions come first, in their sequence. A plan with a status is the last one for now; after one without,
    everything is looked at again. `recheck_seconds` is when to look again though nothing is heard.
    """

    actions: tuple[Action, ...] = ()
    status: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    recheck_seconds: float | None = None
