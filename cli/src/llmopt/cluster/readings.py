"""What a resource's status says, in the words of local runs: progress, end, and why nothing runs. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from llmopt.cluster.kinds import BENCHMARK, kind_of
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.resources.status import BenchmarkStatus, Condition, Gain, OptimizationStatus, RunnerStatus
from llmopt_core.study.progress import Progress
from llmopt_core.study.records import ObjectiveDefinition, OutcomeKind
from llmopt_core.study.results import Comparison, compare

Document = Mapping[str, Any]
Status = OptimizationStatus | BenchmarkStatus
# Reasons of Running=False that pass by themselves within seconds.
_PASSING = frozenset({"Starting", "Replacing", "Suspended", "NotAccepted"})
_PHASES = {
    "Pending": "pending", "Confirming": "confirm", "Suspended": "suspended",
    "Complete": "ended", "Failed": "ended",
}  # fmt: skip
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

    What a newer operator says beside is passed over.
    """
    type_ = BenchmarkStatus if kind_of(document) is BENCHMARK else OptimizationStatus
    try:
        return type_.model_validate(document.get("status") or {}, extra="ignore")
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise StatusUnreadable(
            f"status.{place}: {first['msg']}: the cluster's operator is of another version than this "
            "program; install the same"
        ) from error


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


def progress_of(document: Document, status: Status) -> Progress:
    """Return how far the study of `document` is."""
    counts, best = status.progress, getattr(status, "best", None)
    alive = [runner for runner in status.runners if runner.ended is None]
    gains = tuple(_gains(document, status)) if isinstance(status, OptimizationStatus) else ()
    return Progress(
        phase=_phase(status),
        finished=counts.finished,
        running=counts.running,
        budget=counts.budget,
        repeats=counts.confirm_finished,
        repeats_planned=counts.confirm_planned,
        elapsed_seconds=counts.elapsed_seconds,
        left_seconds=counts.eta_seconds,
        best_trial=best.trial if best else None,
        gains=gains,
        memory_mib=sum(each.memory_mib or 0 for each in alive) or None,
        memory_total_mib=max((each.memory_total_mib or 0 for each in alive), default=0) or None,
        outcomes=_outcomes(status),
        errors=tuple((error.class_, error.count) for error in status.errors),
        runners=len(alive),
        stages=_stages(alive),
    )


def comparison_of(gain: Gain, objective: ObjectiveDefinition) -> Comparison:
    """Return a status's gain as the study itself tells it: relative on a ratio scale."""
    bare = compare(gain.metric, float(gain.baseline), float(gain.best), objective=objective)
    if gain.interval is None:
        return bare
    low, high = float(gain.interval.low), float(gain.interval.high)
    better, worse = (low > 0, high < 0) if objective.direction == "maximize" else (high < 0, low > 0)
    return Comparison(**{**vars(bare), "low": low, "high": high, "significant": better, "worse": worse})


def objectives_of(document: Document) -> Mapping[str, ObjectiveDefinition]:
    """Return the objectives of an optimization by metric, with the direction that holds."""
    return {
        str(asked["metric"]): ObjectiveDefinition(
            str(asked["metric"]), asked.get("goal") or find_metric(asked["metric"]).direction
        )
        for asked in document["spec"].get("objectives", ())
    }


def _gains(document: Document, status: OptimizationStatus) -> Iterator[Comparison]:
    objectives = objectives_of(document)
    for gain in status.best.gain if status.best else ():
        if gain.metric in objectives:
            yield comparison_of(gain, objectives[gain.metric])


def _held(status: Status, name: str) -> Condition | None:
    return next((each for each in status.conditions if each.type == name and each.status == "True"), None)


def _problem(condition: Condition, *, hopeless: bool = False) -> Problem:
    advice = _ADVICE.get(condition.reason, "")
    return Problem(condition.reason, condition.message, advice, hopeless=hopeless)


def _phase(status: Status) -> str:
    """Return the phase as a local run calls it; what a cluster adds keeps the cluster's word."""
    counts = status.progress
    if status.phase != "Running":
        return _PHASES.get(status.phase or "Pending", "pending")
    if counts.confirm_finished:
        return "confirm"
    return "search" if counts.finished else "baseline"


def _outcomes(status: Status) -> tuple[tuple[str, int], ...]:
    counts = status.progress.model_dump()
    kinds = Counter({kind.value: counts.get(kind.value, 0) for kind in OutcomeKind})
    return tuple((kind, count) for kind, count in kinds.most_common() if count)


def _stages(alive: list[RunnerStatus]) -> tuple[str, ...]:
    return tuple(runner.stage for runner in alive if runner.stage)
