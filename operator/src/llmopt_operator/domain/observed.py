"""What was seen of one resource at one moment: all that a decision may rest on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from llmopt_core.api.conditions import ConditionType
from llmopt_core.api.explanations import comes_back
from llmopt_core.api.reasons import ConditionReason, reason_called
from llmopt_core.engines.arguments import ServeArguments
from llmopt_core.storage.documents import EndReason

# The parts of a status that a study fills.
FIGURES = frozenset(
    {
        "study", "studyMark", "progress", "errors", "warnings", "runners",
        "objectives", "baseline", "baselineFailure", "best", "choices", "notes", "variances", "top", "pareto",
        "objective", "metrics", "repeats", "confidencePercent", "results", "winner", "verdict", "learned",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """Why something cannot go on, as a condition says it: a reason for programs, a message for people.

    `retry_seconds` is when to look again, where that is known.
    """

    reason: ConditionReason
    message: str
    retry_seconds: float | None = field(default=None, compare=False)


class JobEnd(StrEnum):
    """How a Job ended, by its own conditions."""

    COMPLETE = "Complete"
    FAILED = "Failed"


@dataclass(frozen=True)
class JobSeen:
    """A Job of the resource. `ended_at` is in Unix seconds, by the API server's clock.

    `pods_refused` is why its pods are not created, where somebody asked.
    """

    name: str
    manifest_hash: str
    queued: bool = False
    suspended: bool = False
    deleting: bool = False
    active: int = 0
    ready: int = 0
    end: JobEnd | None = None
    ended_at: float | None = None
    message: str = ""
    pods_refused: Problem | None = None
    uid: str = ""


@dataclass(frozen=True)
class PodSeen:
    """One runner's pod.

    `waiting` and `unschedulable` are why it does not run; `exit_code`, `oom_killed` and `last_words` are of
    a runner that ended.
    """

    name: str
    job: str
    index: int
    phase: str
    deleting: bool = False
    disrupted: bool = False
    waiting: Problem | None = None
    unschedulable: str | None = None
    exit_code: int | None = None
    oom_killed: bool = False
    last_words: str = ""
    uid: str = ""


@dataclass(frozen=True)
class Winner:
    """What an ended study recommends. `proven`: repeats showed a significant gain over the baseline.

    `arguments` is None where the engine has no command line of ours.
    """

    trial: int
    proven: bool
    arguments: ServeArguments | None


@dataclass(frozen=True)
class StudySeen:
    """A study as the storage has it now. `figures` are the parts of the status that it fills.

    `distrust` is why its best trial is not used.
    """

    ended: EndReason | None
    active_seconds: float
    figures: Mapping[str, Any] = field(default_factory=dict)
    winner: Winner | None = None
    distrust: Problem | None = None


@dataclass(frozen=True)
class RolloutNote:
    """What stands in a Deployment about the last winner that was written into it.

    `started_at` is in Unix seconds. `failure` is why it was taken back, "" where it was not.
    """

    uid: str
    manifest_hash: str
    trial: int
    container: str
    former: tuple[str, ...]
    arguments: tuple[str, ...]
    started_at: float
    failure: str = ""

    @property
    def given(self) -> tuple[str, ...]:
        """The arguments that the container has by this."""
        return self.former if self.failure else self.arguments


class Availability(StrEnum):
    """How far a Deployment is with its newest pods."""

    WAITING = "Waiting"
    AVAILABLE = "Available"
    FAILED = "Failed"


@dataclass(frozen=True)
class DeploymentSeen:
    """A Deployment as the API server has it. `containers` has command and arguments by name."""

    name: str
    version: str
    containers: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    availability: Availability
    message: str = ""
    note: RolloutNote | None = None


@dataclass(frozen=True)
class RolloutTarget:
    """The Deployment that a winner is written into. `container` None: its first one."""

    deployment: str
    container: str | None = None


@dataclass(frozen=True)
class Target:
    """What the resource asks for, as far as a decision needs to know.

    `longest_seconds` is when runners that do not end by themselves are ended, of the study's own active time.
    `caution` says what of it is valid and probably not meant.
    """

    generation: int
    manifest_hash: str
    suspend: bool = False
    runners: int = 0
    queue: str | None = None
    ttl_seconds: int | None = None
    longest_seconds: float | None = None
    uid: str = ""
    rollout: RolloutTarget | None = None
    caution: str = ""


@dataclass(frozen=True)
class Observed:
    """One resource, whole. `status` is as it was last written, `study` None where there is none (yet)."""

    target: Target
    status: Mapping[str, Any]
    rejection: Problem | None = None
    jobs: tuple[JobSeen, ...] = ()
    pods: tuple[PodSeen, ...] = ()
    storage: Problem | None = None
    study: StudySeen | None = None
    deployment: DeploymentSeen | Problem | None = None

    @property
    def job(self) -> JobSeen | None:
        """The Job that runs what the resource asks for now."""
        return next((job for job in self.jobs if job.manifest_hash == self.target.manifest_hash), None)

    @property
    def was_ended(self) -> bool:
        """Whether the status says that what is asked for now has ended."""
        return self.status.get("manifestHash") == self.target.manifest_hash and (
            self._holds(ConditionType.COMPLETE) or self._holds(ConditionType.FAILED)
        )

    @property
    def rolls_out(self) -> bool:
        """Whether what has ended is still to be written into a Deployment, or to be watched there."""
        if self.target.rollout is None or not self.was_ended or self._holds(ConditionType.FAILED):
            return False
        said = self.condition(ConditionType.ROLLED_OUT)
        return (
            said is None
            or _comes_back(said["reason"])
            or said["observedGeneration"] != self.target.generation
        )

    @property
    def lacks_pods(self) -> bool:
        """Whether the Job should have pods, and none was seen."""
        job = self.job
        if job is None or job.suspended or job.deleting or job.end is not None or job.active:
            return False
        return not any(pod.job == job.name for pod in self.pods)

    @property
    def is_blocked(self) -> bool:
        """Whether something was refused when the status was last written."""
        return self._holds(ConditionType.BLOCKED)

    def condition(self, type_: ConditionType) -> Mapping[str, Any] | None:
        """Return the condition of this type as it was last written, None where it was not."""
        return next((each for each in self.status.get("conditions", ()) if each["type"] == type_), None)

    def _holds(self, type_: ConditionType) -> bool:
        said = self.condition(type_)
        return said is not None and said["status"] == "True"


def _comes_back(text: str) -> bool:
    """Whether what a stored reason says can end without a change; one of another version may."""
    reason = reason_called(text)
    return reason is None or comes_back(reason)
