"""How far a study is, read from the study alone: the same for one runner or many, started by anyone."""

from collections.abc import Sequence
from statistics import median

from llmopt_core.analysis.summary import StudySummary
from llmopt_core.api.conditions import Phase as StudyPhase
from llmopt_core.resources.base import duration_seconds
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.resources.status import BenchmarkStatus, Progress, Status
from llmopt_core.results.numbers import compact_duration
from llmopt_core.storage.records import ComparisonDefinition, OutcomeKind, Phase, TrialRecord
from llmopt_core.storage.repeats import current, ended_as, given_up
from llmopt_core.storage.views import StudyView

_LATEST_TRIALS = 12


def search_progress(
    study: StudyView,
    spec: OptimizationSpec,
    summary: StudySummary,
    *,
    elapsed_seconds: float,
    runners: int,
) -> Progress:
    """Return how far the search of `study` and its confirmation are; `runners` is how many work on it."""
    trials = study.trials()
    counted = [trial for trial in trials if trial.phase is not Phase.CONFIRM and _counts(trial)]
    finished = sum(trial.state == "finished" for trial in counted)
    repeats = _of_plan(study, trials)
    repeated = sum(trial.state == "finished" for trial in repeats)
    planned = len(repeats) if repeats else most_repeats(spec)
    to_do = max(0, spec.budget.trials - finished) + max(0, planned - repeated)
    left = None if study.ended else seconds_left(trials, to_do=to_do, runners=runners)
    left = _within(spec.budget.duration, elapsed_seconds, left)
    text, counts = f"{finished}/{spec.budget.trials}", summary.counts
    return Progress(
        text=f"{text} + {repeated}/{planned}" if repeated else text,
        budget=spec.budget.trials,
        finished=finished,
        running=sum(trial.state == "running" for trial in trials),
        waiting=summary.waiting,
        measured=counts.get(OutcomeKind.MEASURED, 0),
        copied=counts.get(OutcomeKind.COPIED, 0),
        pruned=counts.get(OutcomeKind.PRUNED, 0),
        infeasible=counts.get(OutcomeKind.INFEASIBLE, 0),
        repaired=sum(trial.repaired_from is not None and trial.state == "finished" for trial in counted),
        invalid=counts.get(OutcomeKind.INVALID, 0),
        failed=counts.get(OutcomeKind.FAILED, 0),
        confirm_planned=planned,
        confirm_finished=repeated,
        elapsed_seconds=round(elapsed_seconds),
        eta_seconds=None if left is None else round(left),
        eta=None if left is None else compact_duration(left),
    )


def comparison_progress(
    study: StudyView,
    summary: StudySummary,
    *,
    elapsed_seconds: float,
    runners: int,
    limit: str | None = None,
) -> Progress:
    """Return how far a benchmark is: its trials are repeats, and they are its whole budget.

    `limit` is the longest time that it may take.
    """
    comparison = study.comparison
    assert comparison is not None  # noqa: S101 - the study is a benchmark's
    repeats = repeats_of(comparison, study.trials())
    planned = len(comparison.candidates) * comparison.repeats
    finished, counts = sum(trial.state == "finished" for trial in repeats), summary.confirm_counts
    left = None if study.ended else comparison_seconds_left(repeats, runners=runners)
    left = _within(limit, elapsed_seconds, left)
    return Progress(
        text=f"{finished}/{planned}",
        budget=planned,
        finished=finished,
        running=summary.confirm_running,
        waiting=summary.confirm_waiting,
        measured=sum(ended_as(trial) is OutcomeKind.MEASURED for trial in repeats),
        infeasible=counts.get(OutcomeKind.INFEASIBLE, 0),
        invalid=counts.get(OutcomeKind.INVALID, 0),
        failed=counts.get(OutcomeKind.FAILED, 0),
        elapsed_seconds=round(elapsed_seconds),
        eta_seconds=None if left is None else round(left),
        eta=None if left is None else compact_duration(left),
    )


def _within(limit: str | None, elapsed_seconds: float, left: float | None) -> float | None:
    """Return how long a study goes on that would take `left` more, and ends once `limit` is spent."""
    if limit is None or left is None:
        return left
    return min(left, max(0.0, duration_seconds(limit) - elapsed_seconds))


def repeats_of(comparison: ComparisonDefinition, trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return the trials that the repeats of `comparison` stand by now."""
    return [trial for place, trial in current(trials).items() if place[1] < comparison.repeats]


def stage_of(status: Status) -> str:
    """Return what a study does now, in one word: that of its phase, more exactly while it runs."""
    match status.phase:
        case StudyPhase.COMPLETE | StudyPhase.FAILED:
            return "ended"
        case StudyPhase.CONFIRMING:
            return "verification"
        case StudyPhase.RUNNING:
            return _running_stage(status)
        case _:
            return (status.phase or StudyPhase.PENDING).value.lower()


def _running_stage(status: Status) -> str:
    counts = status.progress
    if not (counts.finished or counts.running or counts.confirm_finished):
        return "starting"
    if isinstance(status, BenchmarkStatus):
        return "comparison"
    if counts.confirm_finished:
        return "verification"
    return "search" if counts.finished else "baseline"


def phase_of(study: StudyView) -> StudyPhase:
    """Return the phase of a study that runs here, as an operator would say it."""
    confirming = study.comparison is None and _of_plan(study, study.trials())
    return StudyPhase.CONFIRMING if confirming else StudyPhase.RUNNING


def comparison_seconds_left(repeats: Sequence[TrialRecord], *, runners: int) -> float | None:
    """Return how long the repeats that have not ended will take `runners`; None until one was measured.

    Each as long as its candidate's took, or those of all: one model may be ten times as slow as another.
    """
    took: dict[int | None, list[float]] = {}
    for trial in repeats:
        if ended_as(trial) is OutcomeKind.MEASURED and trial.started_at and trial.finished_at:
            took.setdefault(trial.candidate, []).append(trial.finished_at - trial.started_at)
    everyone = [seconds for each in took.values() for seconds in each]
    if not everyone:
        return None
    lost = given_up(repeats)
    left = [trial for trial in repeats if trial.outcome is None and trial.candidate not in lost]
    return sum(median(took.get(trial.candidate, everyone)) for trial in left) / max(1, runners)


def most_repeats(spec: OptimizationSpec) -> int:
    """Return how many repeats there will be at most, as long as there is no plan."""
    return (spec.confirm.top + 1) * spec.confirm.repeats if spec.confirm.top else 0


def _of_plan(study: StudyView, trials: Sequence[TrialRecord]) -> Sequence[TrialRecord]:
    """Return the repeats of the plan that the search made last: neither of one before nor withdrawn ones.

    A plan that was made before the search went on (after a raised budget) is none, until the study has ended:
    what it proves then counts, as that of a plan of release 0.1.0, which does not say what it was made from.
    """
    plan = study.confirm_plan
    searched = sum(
        trial.phase is not Phase.CONFIRM and trial.state != "waiting" and _counts(trial) for trial in trials
    )
    if plan is None or (study.ended is None and plan.basis < searched):
        return ()
    return [trial for place, trial in current(trials).items() if place[0] >= plan.first]


def _counts(trial: TrialRecord) -> bool:
    return trial.outcome is None or trial.outcome.kind is not OutcomeKind.RETURNED


def seconds_left(trials: Sequence[TrialRecord], *, to_do: int, runners: int) -> float | None:
    """Return how long `to_do` trials will take `runners` if they take what the latest ones took.

    A search leaves slow configurations behind, so the first trials say little about the last.
    """
    ended = [
        (trial.finished_at, trial.finished_at - trial.started_at)
        for trial in trials
        if trial.started_at is not None and trial.finished_at is not None and _counts(trial)
    ]
    latest = [seconds for _, seconds in sorted(ended)[-_LATEST_TRIALS:]]
    return to_do * median(latest) / max(1, runners) if latest else None
