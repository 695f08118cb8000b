"""How far a study is, read from the study alone: the same for one runner or many, started by anyone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from llmopt_core.analysis.effects import Effect
from llmopt_core.analysis.summary import StudySummary, summarise_trials
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.results.optimizations import compare
from llmopt_core.storage.records import (
    ComparisonDefinition,
    ConfirmPlan,
    ObjectiveDefinition,
    OutcomeKind,
    Phase,
    RunnerRecord,
    TrialRecord,
)
from llmopt_core.storage.repeats import current, ended_as, given_up
from llmopt_core.storage.views import StudyView

_LATEST_TRIALS = 12
# The levels worth a word, the worst first.
_LEVELS = ("emergency", "critical", "warning")


@dataclass(frozen=True)
class Progress:
    """One look at a study.

    `phase` is starting, baseline, search, confirm or ended; of a benchmark starting, compare or ended.
    `finished` and `budget` count the default and the search's trials, `repeats` and `repeats_planned` those
    of the confirmation or of a benchmark. `left_seconds` is None until a trial has ended. `candidates` are
    those of a benchmark that are measured now, each with its repeat. `default_failure` says why the default
    cannot run: `gains` then hold the best trial's values, without a gain.
    """

    phase: str
    finished: int
    running: int
    budget: int
    repeats: int
    repeats_planned: int
    elapsed_seconds: float
    left_seconds: float | None
    best_trial: int | None = None
    gains: tuple[Effect, ...] = ()
    memory_mib: float | None = None
    memory_total_mib: float | None = None
    memory_level: str = ""
    outcomes: tuple[tuple[str, int], ...] = ()
    errors: tuple[tuple[str, int], ...] = ()
    runners: int = 0
    stages: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    default_failure: str = ""


def look(
    study: StudyView, spec: OptimizationSpec | BenchmarkSpec, *, elapsed_seconds: float, runners: int
) -> Progress:
    """Return how far `study` is; `runners` is how many of our processes run."""
    trials = study.trials()
    summary = summarise_trials(trials, study.definition)
    seen = _seen(study, trials, summary, elapsed_seconds, runners)
    if isinstance(spec, OptimizationSpec):
        return _search(seen, spec, study, trials, summary)
    comparison = study.comparison
    assert comparison is not None  # noqa: S101 - the study is the benchmark's
    return _comparison(seen, comparison, trials)


def _seen(
    study: StudyView,
    trials: Sequence[TrialRecord],
    summary: StudySummary,
    elapsed_seconds: float,
    runners: int,
) -> Progress:
    """Return what is shown of both kinds: how it stands, memory, outcomes, errors, runners."""
    records = [record for record in study.runners() if record.ended is None]
    return Progress(
        phase="starting" if study.ended is None else "ended",
        finished=0,
        running=sum(trial.state == "running" for trial in trials),
        budget=0,
        repeats=0,
        repeats_planned=0,
        elapsed_seconds=elapsed_seconds,
        left_seconds=None,
        memory_mib=_total(records, "memory_mib"),
        memory_total_mib=max((r.memory_total_mib for r in records if r.memory_total_mib), default=None),
        memory_level=worst_level(records),
        outcomes=_outcomes(trials),
        errors=tuple((error.error_class.value, error.count) for error in summary.errors),
        runners=runners,
        stages=tuple(record.stage for record in records if record.stage),
    )


def _comparison(seen: Progress, comparison: ComparisonDefinition, trials: Sequence[TrialRecord]) -> Progress:
    repeats = [trial for place, trial in current(trials).items() if place[1] < comparison.repeats]
    running = [trial for trial in repeats if trial.state == "running"]
    ended = seen.phase == "ended"
    begun = any(trial.state != "waiting" for trial in repeats)
    return replace(
        seen,
        phase="compare" if begun and not ended else seen.phase,
        repeats=sum(trial.state == "finished" for trial in repeats),
        repeats_planned=len(comparison.candidates) * comparison.repeats,
        left_seconds=None if ended else comparison_seconds_left(repeats, runners=seen.runners),
        candidates=tuple(_named(trial, comparison) for trial in running),
    )


def _named(trial: TrialRecord, comparison: ComparisonDefinition) -> str:
    name = comparison.candidates[trial.candidate or 0].name
    return f"{name} (repeat {(trial.repeat or 0) + 1} of {comparison.repeats})"


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


def _search(
    seen: Progress,
    spec: OptimizationSpec,
    study: StudyView,
    trials: Sequence[TrialRecord],
    summary: StudySummary,
) -> Progress:
    plan = study.confirm_plan
    counted = [trial for trial in trials if trial.phase is not Phase.CONFIRM and _counts(trial)]
    finished = sum(trial.state == "finished" for trial in counted)
    repeats = _of_plan(plan, trials)
    repeated = sum(trial.state == "finished" for trial in repeats)
    planned = len(repeats) if repeats else most_repeats(spec)
    to_do = max(0, spec.budget.trials - finished) + max(0, planned - repeated)
    ended = seen.phase == "ended"
    return replace(
        seen,
        phase=seen.phase if ended else _phase(trials, repeats),
        finished=finished,
        budget=spec.budget.trials,
        repeats=repeated,
        repeats_planned=planned,
        left_seconds=None if ended else seconds_left(trials, to_do=to_do, runners=seen.runners),
        best_trial=summary.best.number if summary.best else None,
        gains=gains_so_far(summary, study.definition.objectives),
        default_failure="" if summary.default_failure is None else summary.default_failure.error_class.value,
    )


def most_repeats(spec: OptimizationSpec) -> int:
    """Return how many repeats there will be at most, as long as there is no plan."""
    return (spec.confirm.top + 1) * spec.confirm.repeats if spec.confirm.top else 0


def _of_plan(plan: ConfirmPlan | None, trials: Sequence[TrialRecord]) -> Sequence[TrialRecord]:
    """Return the repeats of the plan that the search made last: neither of one before nor withdrawn ones.

    A plan that was made before the search went on (after a raised budget) is none.
    """
    searched = sum(
        trial.phase is not Phase.CONFIRM and trial.state != "waiting" and _counts(trial) for trial in trials
    )
    if plan is None or plan.basis < searched:
        return ()
    return [trial for place, trial in current(trials).items() if place[0] >= plan.first]


def gains_so_far(summary: StudySummary, objectives: Sequence[ObjectiveDefinition]) -> tuple[Effect, ...]:
    """Compare the best trial so far with the default in each objective, as the search measured them."""
    best, default = summary.best, summary.baseline
    if best is None or best.outcome is None:
        return ()
    measured = best.outcome.metrics
    before = default.outcome.metrics if default and default.outcome else measured
    return tuple(
        compare(o.metric, before[o.metric], measured[o.metric], direction=o.direction)
        for o in objectives
        if o.metric in measured and o.metric in before
    )


def _counts(trial: TrialRecord) -> bool:
    return trial.outcome is None or trial.outcome.kind is not OutcomeKind.RETURNED


def _phase(trials: Sequence[TrialRecord], repeats: Sequence[TrialRecord]) -> str:
    if repeats:
        return "confirm"
    begun = {trial.phase for trial in trials if trial.state != "waiting"}
    if Phase.SEARCH in begun:
        return "search"
    return "baseline" if begun else "starting"


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


def _total(records: Sequence[RunnerRecord], field: str) -> float | None:
    values = [value for record in records if (value := getattr(record, field)) is not None]
    return sum(values) if values else None


def worst_level(records: Sequence[RunnerRecord]) -> str:
    """Return the worst memory level of the runners, nothing while all are safe."""
    levels = {record.memory_level for record in records}
    return next((level for level in _LEVELS if level in levels), "")


def _outcomes(trials: Sequence[TrialRecord]) -> tuple[tuple[str, int], ...]:
    kinds = Counter(trial.outcome.kind.value for trial in trials if trial.outcome)
    return tuple(kinds.most_common())
