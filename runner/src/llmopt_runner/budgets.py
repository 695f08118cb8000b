"""When a study has cost enough: pure decisions from what the study shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self

from llmopt_core.errors.classes import Failure
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.resources.base import duration_seconds
from llmopt_core.resources.optimization import Budget, Confirm, Target
from llmopt_core.study.adapter import EndReason
from llmopt_core.study.durations import active_seconds, gpu_seconds
from llmopt_core.study.records import OutcomeKind, Phase, RunnerRecord, TrialRecord

_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True)
class Ending:
    """Why a study ends: a standard reason, a sentence, and whether it failed."""

    reason: str
    message: str
    failed: bool = False

    @classmethod
    def of(cls, failure: Failure) -> Self:
        """Return the end that a failure brings which no configuration can mend."""
        return cls(failure.error_class.value, failure.told, failed=True)

    @classmethod
    def told(cls, ended: EndReason) -> Self:
        """Return the end that a study already has."""
        return cls(ended.reason, ended.message, ended.failed)


def confirm_seconds(trials: Sequence[TrialRecord], confirm: Confirm, runner_count: int) -> float:
    """Return how long the confirmation will take, from the median time of a measured trial."""
    if confirm.top == 0:
        return 0.0
    times = [
        trial.outcome.seconds.get("total", 0.0)
        for trial in trials
        if trial.outcome is not None and trial.outcome.kind is OutcomeKind.MEASURED
    ]
    repeats = (confirm.top + 1) * confirm.repeats
    return median(times) * repeats / runner_count if times else 0.0


def search_ending(
    budget: Budget, confirm: Confirm, trials: Sequence[TrialRecord], runners: Sequence[RunnerRecord]
) -> Ending | None:
    """Return why no further trial should be started, or None; the number of trials is the claim's to keep."""
    failed = [t for t in trials if t.outcome is not None and t.outcome.kind is OutcomeKind.FAILED]
    if len(failed) >= budget.max_failed_trials:
        text = f"{len(failed)} trials failed; spec.budget.maxFailedTrials is {budget.max_failed_trials}"
        return Ending("TooManyFailures", text, failed=True)
    if budget.target is not None and (number := _reached(budget.target, trials)) is not None:
        target = budget.target
        return Ending("GoalReached", f"trial {number} reached {target.metric} {target.value}")
    return _deadline(budget, confirm, trials, runners) or _gpu_budget_spent(budget, confirm, trials, runners)


def _deadline(
    budget: Budget, confirm: Confirm, trials: Sequence[TrialRecord], runners: Sequence[RunnerRecord]
) -> Ending | None:
    """The confirmation's share of the duration is kept free: a winner without proof is worth little."""
    if budget.duration is None:
        return None
    limit = duration_seconds(budget.duration)
    count = len({runner.index for runner in runners}) or 1
    reserved = min(confirm_seconds(trials, confirm, count), limit / 2)
    if active_seconds(runners) < limit - reserved:
        return None
    return Ending(
        "DeadlineExceeded",
        f"spec.budget.duration of {limit} s is spent, {reserved:.0f} s of it kept for the confirmation",
    )


def _gpu_budget_spent(
    budget: Budget, confirm: Confirm, trials: Sequence[TrialRecord], runners: Sequence[RunnerRecord]
) -> Ending | None:
    """As with the duration, the confirmation's share is kept free."""
    gpus = max((runner.gpus for runner in runners), default=0)
    if budget.gpu_hours is None or gpus == 0:
        return None
    limit = float(budget.gpu_hours) * _SECONDS_PER_HOUR
    reserved = min(confirm_seconds(trials, confirm, 1) * gpus, limit / 2)
    if gpu_seconds(runners) < limit - reserved:
        return None
    return Ending(
        "BudgetSpent",
        f"spec.budget.gpuHours of {budget.gpu_hours} is spent, {reserved / _SECONDS_PER_HOUR:.2g} of it kept"
        " for the confirmation",
    )


def _reached(target: Target, trials: Sequence[TrialRecord]) -> int | None:
    metric, bound = find_metric(target.metric), float(target.value)
    for trial in trials:
        if trial.phase is Phase.CONFIRM or trial.outcome is None or metric.name not in trial.outcome.metrics:
            continue
        value = trial.outcome.metrics[metric.name]
        better = value >= bound if metric.direction == "maximize" else value <= bound
        if better and trial.outcome.kind is OutcomeKind.MEASURED:
            return trial.number
    return None
