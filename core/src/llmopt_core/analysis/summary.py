"""What a study found so far, in one value: counts, the default, the best, the front, errors, warnings."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmopt_core.analysis.cautions import misleading_objectives, unbounded_constraints
from llmopt_core.analysis.ranking import best_of, pareto_front, ranked
from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.storage.bounds import is_measured_baseline
from llmopt_core.storage.records import OutcomeKind, Phase, StudyDefinition, TrialRecord
from llmopt_core.storage.views import StudyView

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True)
class ErrorCount:
    """How often one error class was met, the last failure of it, and in which trial."""

    error_class: ErrorClass
    count: int
    last: Failure
    last_trial: int


@dataclass(frozen=True)
class WarningCount:
    """How many measured trials bear a warning, its numbers aside, and how the last one, `trial`, says it.

    `trial` is None for a warning about the study as a whole.
    """

    count: int
    message: str
    trial: int | None


@dataclass(frozen=True)
class StudySummary:
    """A study at one moment.

    `counts` holds the default's and the search's finished trials by kind, `confirm_counts` those of the
    repeats. `running` and `waiting` count the default and the search, `confirm_running` and
    `confirm_waiting` the repeats. `budget_used` is what counts against the budget. `best` is the measured
    trial that keeps the constraints and gains most over the default; `default_failure` is why the default was
    not measured, where it ended without a measurement; `pareto` are the ones no other is
    better than in everything, by number. `errors` and `warnings` come most frequent first, after warnings
    about the study as a whole. `seconds` adds up the stages of all trials.
    """

    counts: Mapping[OutcomeKind, int]
    confirm_counts: Mapping[OutcomeKind, int]
    running: int
    waiting: int
    confirm_running: int
    confirm_waiting: int
    budget_used: int
    baseline: TrialRecord | None
    default_failure: ErrorCount | None
    best: TrialRecord | None
    pareto: tuple[TrialRecord, ...]
    errors: tuple[ErrorCount, ...]
    warnings: tuple[WarningCount, ...]
    seconds: Mapping[str, float]


def summarise(study: StudyView) -> StudySummary:
    """Return the summary of `study` now."""
    return summarise_trials(study.trials(), study.definition)


def summarise_trials(trials: Sequence[TrialRecord], definition: StudyDefinition) -> StudySummary:
    """Return the summary of a study of `definition` with `trials`. Pure."""
    search = [trial for trial in trials if trial.phase is not Phase.CONFIRM]
    repeats = [trial for trial in trials if trial.phase is Phase.CONFIRM]
    counts = _kinds(search)
    running = _in_state(search, "running")
    baseline = next((each for each in search if is_measured_baseline(each)), None)
    default_failure = None if baseline is not None else _default_failure(search)
    pareto = pareto_front(search, definition)
    best = best_of(pareto, baseline, definition)
    cautions = [*misleading_objectives(definition, baseline, best)]
    if default_failure is not None:
        cautions += unbounded_constraints(definition)
    return StudySummary(
        counts=counts,
        confirm_counts=_kinds(repeats),
        running=running,
        waiting=_in_state(search, "waiting"),
        confirm_running=_in_state(repeats, "running"),
        confirm_waiting=_in_state(repeats, "waiting"),
        budget_used=running + sum(counts.values()) - counts.get(OutcomeKind.RETURNED, 0),
        baseline=baseline,
        default_failure=default_failure,
        best=best,
        pareto=pareto,
        errors=_errors(trials),
        warnings=(*(WarningCount(1, text, None) for text in cautions), *_warnings(trials)),
        seconds=_seconds(trials),
    )


def rank(study: StudyView) -> tuple[TrialRecord, ...]:
    """Return the measured trials of the default and the search that keep the constraints, best first."""
    search = [trial for trial in study.trials() if trial.phase is not Phase.CONFIRM]
    return ranked(search, study.definition)


def _default_failure(search: Sequence[TrialRecord]) -> ErrorCount | None:
    """Return how the default ended, once it has and will not be run again."""
    tried = [trial for trial in search if trial.phase is Phase.BASELINE]
    last = tried[-1] if tried else None
    if last is None or last.outcome is None or last.outcome.kind is OutcomeKind.RETURNED:
        return None
    failure = last.outcome.failure
    return None if failure is None else ErrorCount(failure.error_class, 1, failure, last.number)


def _kinds(trials: Sequence[TrialRecord]) -> dict[OutcomeKind, int]:
    return dict(Counter(each.outcome.kind for each in trials if each.outcome is not None))


def _in_state(trials: Sequence[TrialRecord], state: str) -> int:
    return sum(trial.state == state for trial in trials)


def _errors(trials: Sequence[TrialRecord]) -> tuple[ErrorCount, ...]:
    counts: Counter[ErrorClass] = Counter()
    last: dict[ErrorClass, tuple[Failure, int]] = {}
    for trial in trials:
        if trial.outcome is not None and (failure := trial.outcome.failure) is not None:
            counts[failure.error_class] += 1
            last[failure.error_class] = (failure, trial.number)
    return tuple(ErrorCount(name, count, *last[name]) for name, count in counts.most_common())


def _warnings(trials: Sequence[TrialRecord]) -> tuple[WarningCount, ...]:
    """Count the warnings of what was measured: of what failed, the failure says more."""
    counts: Counter[str] = Counter()
    last: dict[str, tuple[str, int]] = {}
    for trial in trials:
        if trial.outcome is not None and trial.outcome.failure is None:
            warned = {_NUMBER.sub("#", text): text for text in trial.outcome.warnings}
            counts.update(warned.keys())
            last |= {kind: (text, trial.number) for kind, text in warned.items()}
    return tuple(WarningCount(count, *last[kind]) for kind, count in counts.most_common())


def _seconds(trials: Sequence[TrialRecord]) -> dict[str, float]:
    totals: Counter[str] = Counter()
    for trial in trials:
        if trial.outcome is not None:
            totals.update(trial.outcome.seconds)
    return dict(totals)
