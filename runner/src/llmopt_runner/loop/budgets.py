"""When a study has cost enough: pure decisions from what the study shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self

from llmopt_core.api.reasons import ConditionReason, Reason, reason_called
from llmopt_core.errors.classes import ErrorClass, Failure, RetryPolicy
from llmopt_core.errors.policies import POLICIES
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.resources.base import duration_seconds
from llmopt_core.resources.benchmark import BenchmarkBudget
from llmopt_core.resources.optimization import Budget, Confirm, Target
from llmopt_core.results.durations import active_seconds, gpu_seconds
from llmopt_core.storage.documents import EndReason
from llmopt_core.storage.records import (
    ComparisonDefinition,
    OutcomeKind,
    Phase,
    RunnerRecord,
    TrialRecord,
)
from llmopt_core.storage.repeats import current, ended_as, given_up

_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True)
class Ending:
    """Why a study ends: a standard reason, a sentence, and whether it failed."""

    reason: ConditionReason
    message: str
    failed: bool = False

    @classmethod
    def of(cls, failure: Failure) -> Self:
        """Return the end that a failure brings that no configuration can fix."""
        return cls(failure.error_class, failure.text, failed=True)

    @classmethod
    def recorded(cls, ended: EndReason) -> Self:
        """Return the end that a study already has."""
        return cls(reason_called(ended.reason) or ErrorClass.UNKNOWN, ended.message, ended.failed)


def nothing_left(trials: Sequence[TrialRecord], budget: int | None) -> bool:
    """Say whether nothing will ever be claimed again, where nothing could be claimed just now.

    `budget` is how many trials of the default and the search there may be, and it is those that are looked
    at; None: the repeats. What waits beyond the budget (enqueued, or taken over from other studies) is never
    run, but a running trial may be given back and then be run again.
    """
    asked = [trial for trial in trials if (trial.phase is Phase.CONFIRM) == (budget is None)]
    if any(trial.state == "running" for trial in asked):
        return False
    if all(trial.state == "finished" for trial in asked):
        return True
    used = sum(trial.state == "finished" and ended_as(trial) is not OutcomeKind.RETURNED for trial in asked)
    return budget is not None and used >= budget


def untried_text(trials: Sequence[TrialRecord]) -> str:
    """Return what the spent budget left untried, as the end of a sentence; empty where it left nothing."""
    waiting = [trial for trial in trials if trial.state == "waiting"]
    repaired = sum(trial.repaired_from is not None for trial in waiting)
    counts = ((len(waiting) - repaired, "given"), (repaired, "repaired"))
    listed = " and ".join(f"{count} {kind}" for count, kind in counts if count)
    return f"; {listed} configurations were not tried, for the budget is spent" if listed else ""


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
    failures = sum(ended_as(trial) is OutcomeKind.FAILED for trial in trials)
    if failures >= budget.max_failed_trials:
        return _too_many(failures, budget.max_failed_trials)
    if budget.target is not None and (number := _reached(budget.target, trials)) is not None:
        target = budget.target
        return Ending(Reason.GOAL_REACHED, f"trial {number} reached {target.metric} {target.value}")
    return _deadline(budget, confirm, trials, runners) or _gpu_budget_spent(budget, confirm, trials, runners)


def _too_many(failures: int, most: int) -> Ending:
    text = f"{failures} trials failed; spec.budget.maxFailedTrials is {most}"
    return Ending(Reason.TOO_MANY_FAILURES, text, failed=True)


def comparison_ending(
    budget: BenchmarkBudget,
    comparison: ComparisonDefinition,
    trials: Sequence[TrialRecord],
    runners: Sequence[RunnerRecord],
) -> Ending | None:
    """Return why no further repeat should be started, or None.

    A candidate that can never work counts as one thing to report, not as so many failed trials.
    """
    lost = given_up(trials)
    failures = sum(_may_pass(trial) for trial in current(trials).values())
    if failures >= budget.max_failed_trials:
        return _too_many(failures, budget.max_failed_trials)
    if (ending := _nothing_to_compare(comparison, lost)) is not None:
        return ending
    if budget.duration is None or active_seconds(runners) < duration_seconds(budget.duration):
        return None
    repeats = sum(ended_as(trial) is OutcomeKind.MEASURED for trial in current(trials).values())
    limit = f"spec.budget.duration of {duration_seconds(budget.duration)} s is spent"
    planned = len(comparison.candidates) * comparison.repeats
    return Ending(Reason.DEADLINE_EXCEEDED, f"{limit} after {repeats} of {planned} repeats")


def comparison_exhausted(comparison: ComparisonDefinition, trials: Sequence[TrialRecord]) -> Ending:
    """Return the end of a benchmark that has no repeat left."""
    planned = len(comparison.candidates) * comparison.repeats
    lost = [
        f"; {comparison.candidates[place].name} could not be measured: {failure.error_class}: {failure.text}"
        for place, failure in sorted(given_up(trials).items())
    ]
    return Ending(Reason.TRIALS_EXHAUSTED, f"all {planned} repeats are done{''.join(lost)}")


def _may_pass(trial: TrialRecord) -> bool:
    """Say whether the trial failed by something that another repeat of the candidate may not meet."""
    failure = trial.outcome.failure if trial.outcome else None
    if failure is None or ended_as(trial) is not OutcomeKind.FAILED:
        return False
    return POLICIES[failure.error_class] not in {RetryPolicy.FATAL, RetryPolicy.OUTAGE}


def _nothing_to_compare(comparison: ComparisonDefinition, lost: Mapping[int, Failure]) -> Ending | None:
    """Return the end that the loss of the baseline, or of all others, brings."""
    names = [candidate.name for candidate in comparison.candidates]
    baseline = comparison.baseline_place
    if baseline in lost:
        place, text = (
            baseline,
            f"the baseline {names[baseline]} cannot be measured, so nothing can be compared",
        )
    elif len(names) > 1 and len(lost) == len(names) - 1:
        place, text = min(lost), f"no candidate is left to compare with {names[baseline]}"
    else:
        return None
    failure = lost[place]
    return Ending(failure.error_class, f"{text}; {names[place]}: {failure.text}", failed=True)


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
        Reason.DEADLINE_EXCEEDED,
        _spent("spec.budget.duration", f"{limit} s", f"{limit - reserved:.0f} s" if reserved else None),
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
        Reason.BUDGET_SPENT,
        _spent(
            "spec.budget.gpuHours",
            str(budget.gpu_hours),
            f"{(limit - reserved) / _SECONDS_PER_HOUR:.3g}" if reserved else None,
        ),
    )


def _spent(field: str, limit: str, part: str | None) -> str:
    """Say that the search has spent `field`, or only its `part` of it where there is something to verify."""
    if part is None:
        return f"{field} of {limit} is spent"
    return f"the search has spent its part of {field}, {part} of {limit}; the rest is for the verification"


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
