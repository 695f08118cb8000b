"""How far a study is, read from the study alone: the same for one runner or many, started by anyone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.study.records import (
    ConfirmPlan,
    ObjectiveDefinition,
    OutcomeKind,
    Phase,
    RunnerRecord,
    TrialRecord,
)
from llmopt_core.study.results import Comparison, compare
from llmopt_core.study.summary import StudySummary, summarise
from llmopt_core.study.views import StudyView

_LATEST_TRIALS = 12
# The levels worth a word, the worst first.
_LEVELS = ("emergency", "critical", "warning")


@dataclass(frozen=True)
class Progress:
    """One look at a study.

    `phase` is starting, baseline, search, confirm or ended. `finished` and `budget` count the default and
    the search's trials, `repeats` and `repeats_planned` those of the confirmation. `left_seconds` is None
    until a trial has ended.
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
    gains: tuple[Comparison, ...] = ()
    memory_mib: float | None = None
    memory_total_mib: float | None = None
    memory_level: str = ""
    outcomes: tuple[tuple[str, int], ...] = ()
    errors: tuple[tuple[str, int], ...] = ()
    runners: int = 0
    stages: tuple[str, ...] = ()


def look(study: StudyView, spec: OptimizationSpec, *, elapsed_seconds: float, runners: int) -> Progress:
    """Return how far `study` is; `runners` is how many of our processes run."""
    trials, summary, plan = study.trials(), summarise(study), study.confirm_plan
    counted = [trial for trial in trials if trial.phase is not Phase.CONFIRM and _counts(trial)]
    finished = sum(trial.state == "finished" for trial in counted)
    repeats = sum(
        trial.phase is Phase.CONFIRM and _counts(trial) and trial.state == "finished" for trial in trials
    )
    planned = planned_repeats(spec, plan)
    to_do = max(0, spec.budget.trials - finished) + max(0, planned - repeats)
    records = [record for record in study.runners() if record.ended is None]
    phase = _phase(study, trials, plan)
    return Progress(
        phase=phase,
        finished=finished,
        running=sum(trial.state == "running" for trial in trials),
        budget=spec.budget.trials,
        repeats=repeats,
        repeats_planned=planned,
        elapsed_seconds=elapsed_seconds,
        left_seconds=None if phase == "ended" else seconds_left(trials, to_do=to_do, runners=runners),
        best_trial=summary.best.number if summary.best else None,
        gains=gains_so_far(summary, study.definition.objectives),
        memory_mib=_total(records, "memory_mib"),
        memory_total_mib=max((r.memory_total_mib for r in records if r.memory_total_mib), default=None),
        memory_level=worst_level(records),
        outcomes=_outcomes(trials),
        errors=tuple((error.error_class.value, error.count) for error in summary.errors),
        runners=runners,
        stages=tuple(record.stage for record in records if record.stage),
    )


def planned_repeats(spec: OptimizationSpec, plan: ConfirmPlan | None) -> int:
    """Return how many repeats there are, or as long as no plan is made, there will be at most."""
    if plan is not None:
        return len(plan.candidates) * plan.repeats
    return (spec.confirm.top + 1) * spec.confirm.repeats if spec.confirm.top else 0


def gains_so_far(summary: StudySummary, objectives: Sequence[ObjectiveDefinition]) -> tuple[Comparison, ...]:
    """Compare the best trial so far with the default in each objective, as the search measured them."""
    best, default = summary.best, summary.baseline
    if best is None or best.outcome is None:
        return ()
    measured = best.outcome.metrics
    before = default.outcome.metrics if default and default.outcome else measured
    return tuple(
        compare(o.metric, before[o.metric], measured[o.metric], objective=o)
        for o in objectives
        if o.metric in measured and o.metric in before
    )


def _counts(trial: TrialRecord) -> bool:
    return trial.outcome is None or trial.outcome.kind is not OutcomeKind.RETURNED


def _phase(study: StudyView, trials: Sequence[TrialRecord], plan: ConfirmPlan | None) -> str:
    if study.ended is not None:
        return "ended"
    if plan is not None:
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
