"""What a study found so far, in one value: counts, the default, the best, the front, the errors."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.metrics.catalog import CATALOG
from llmopt_core.study.adapter import Study
from llmopt_core.study.outcomes import constraint_values
from llmopt_core.study.records import (
    ObjectiveDefinition,
    OutcomeKind,
    Phase,
    StudyDefinition,
    TrialRecord,
)

# Below it a value on a ratio scale is taken for it, so that a zero has a logarithm.
_SMALLEST = 1e-12
_MEASURED = (OutcomeKind.MEASURED, OutcomeKind.COPIED)


@dataclass(frozen=True)
class ErrorCount:
    """How often one error class was met, the last failure of it, and in which trial."""

    error_class: ErrorClass
    count: int
    last: Failure
    last_trial: int


@dataclass(frozen=True)
class StudySummary:
    """A study at one moment.

    `counts` holds the default's and the search's finished trials by kind, `confirm_counts` those of the
    repeats. `running` and `waiting` count the default and the search, `confirm_running` and
    `confirm_waiting` the repeats. `budget_used` is what counts against the budget. `best` is the measured
    trial that keeps the constraints and gains most over the default; `pareto` are the ones no other is
    better than in everything, by number. `errors` come most frequent first. `seconds` adds up the stages
    of all trials.
    """

    counts: Mapping[OutcomeKind, int]
    confirm_counts: Mapping[OutcomeKind, int]
    running: int
    waiting: int
    confirm_running: int
    confirm_waiting: int
    budget_used: int
    baseline: TrialRecord | None
    best: TrialRecord | None
    pareto: tuple[TrialRecord, ...]
    errors: tuple[ErrorCount, ...]
    seconds: Mapping[str, float]


def summarise(study: Study) -> StudySummary:
    """Return the summary of `study` now."""
    return summarise_trials(study.trials(), study.definition)


def summarise_trials(trials: Sequence[TrialRecord], definition: StudyDefinition) -> StudySummary:
    """Return the summary of a study of `definition` with `trials`. Pure."""
    search = [trial for trial in trials if trial.phase is not Phase.CONFIRM]
    repeats = [trial for trial in trials if trial.phase is Phase.CONFIRM]
    counts = _kinds(search)
    running = _in_state(search, "running")
    baseline = next((each for each in search if each.phase is Phase.BASELINE and _is_measured(each)), None)
    pareto = pareto_front(search, definition)
    return StudySummary(
        counts=counts,
        confirm_counts=_kinds(repeats),
        running=running,
        waiting=_in_state(search, "waiting"),
        confirm_running=_in_state(repeats, "running"),
        confirm_waiting=_in_state(repeats, "waiting"),
        budget_used=running + sum(counts.values()) - counts.get(OutcomeKind.RETURNED, 0),
        baseline=baseline,
        best=best_of(pareto, baseline, definition),
        pareto=pareto,
        errors=_errors(trials),
        seconds=_seconds(trials),
    )


def pareto_front(trials: Sequence[TrialRecord], definition: StudyDefinition) -> tuple[TrialRecord, ...]:
    """Return the measured trials that keep the constraints and that no other such trial dominates.

    Trials with the same values are all kept, except copies of one that is kept.
    """
    able = [each for each in trials if _is_measured(each) and _is_feasible(each, definition)]
    points = {each.number: _costs(each, definition) for each in able}
    ordered = sorted(able, key=lambda each: (points[each.number], each.number))
    front: list[TrialRecord] = []
    for trial in ordered:  # a trial can be dominated only by one before it in this order
        if not any(_dominates(points[rival.number], points[trial.number]) for rival in front):
            front.append(trial)
    kept = {trial.number for trial in front}
    return tuple(
        sorted((each for each in front if _copied_from(each) not in kept), key=lambda trial: trial.number)
    )


def rank(study: Study) -> tuple[TrialRecord, ...]:
    """Return the measured trials of the default and the search that keep the constraints, best first.

    Of trials with the same configuration there is one. The order is that of the weighted mean gain.
    """
    definition = study.definition
    able = [
        each
        for each in study.trials()
        if each.phase is not Phase.CONFIRM and _is_measured(each) and _is_feasible(each, definition)
    ]
    if not able:
        return ()
    ordered = sorted(able, key=lambda each: (-weighted_gain(each, able[0], definition), each.number))
    first: dict[str, TrialRecord] = {}
    for trial in ordered:
        assert trial.outcome is not None  # noqa: S101 - it was measured
        first.setdefault(trial.outcome.configuration.key(), trial)
    return tuple(first.values())


def best_of(
    front: Sequence[TrialRecord], baseline: TrialRecord | None, definition: StudyDefinition
) -> TrialRecord | None:
    """Return the trial of the Pareto `front` with the highest weighted mean gain over the default.

    Without a measured default, gains are taken over the front's first trial: the order is the same. Of
    equals, the earliest.
    """
    if not front:
        return None
    against = baseline or front[0]
    return max(front, key=lambda trial: (weighted_gain(trial, against, definition), -trial.number))


def weighted_gain(trial: TrialRecord, against: TrialRecord, definition: StudyDefinition) -> float:
    """Return the weighted mean over the objectives of the gain of `trial`, positive where it is better."""
    total = sum(each.weight for each in definition.objectives)
    gains = (
        each.weight * gain(each, _value(trial, each), _value(against, each)) for each in definition.objectives
    )
    return sum(gains) / total if total else 0.0


def gain(objective: ObjectiveDefinition, value: float, default: float) -> float:
    """Return the gain of `value` over `default`, positive where it is better.

    On a ratio scale it is the logarithm of the quotient, on a bounded one the difference; a metric that is
    not in the catalogue (a plug-in's) is taken as bounded.
    """
    metric = CATALOG.get(objective.metric)
    if metric is not None and metric.scale == "ratio":
        change = math.log(max(value, _SMALLEST)) - math.log(max(default, _SMALLEST))
    else:
        change = value - default
    return change if objective.direction == "maximize" else -change


def _kinds(trials: Sequence[TrialRecord]) -> dict[OutcomeKind, int]:
    return dict(Counter(each.outcome.kind for each in trials if each.outcome is not None))


def _in_state(trials: Sequence[TrialRecord], state: str) -> int:
    return sum(trial.state == state for trial in trials)


def _is_measured(trial: TrialRecord) -> bool:
    return trial.outcome is not None and trial.outcome.kind in _MEASURED


def _is_feasible(trial: TrialRecord, definition: StudyDefinition) -> bool:
    assert trial.outcome is not None  # noqa: S101 - it was measured
    return all(value <= 0 for value in constraint_values(trial.outcome, definition).values())


def _copied_from(trial: TrialRecord) -> int | None:
    return None if trial.outcome is None else trial.outcome.copied_from


def _value(trial: TrialRecord, objective: ObjectiveDefinition) -> float:
    assert trial.outcome is not None  # noqa: S101 - it was measured
    return trial.outcome.metrics[objective.metric]


def _costs(trial: TrialRecord, definition: StudyDefinition) -> tuple[float, ...]:
    """Return the objectives' values turned so that less is better."""
    return tuple(
        -_value(trial, each) if each.direction == "maximize" else _value(trial, each)
        for each in definition.objectives
    )


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(mine <= theirs for mine, theirs in zip(one, other, strict=True))


def _errors(trials: Sequence[TrialRecord]) -> tuple[ErrorCount, ...]:
    counts: Counter[ErrorClass] = Counter()
    last: dict[ErrorClass, tuple[Failure, int]] = {}
    for trial in trials:
        if trial.outcome is not None and (failure := trial.outcome.failure) is not None:
            counts[failure.error_class] += 1
            last[failure.error_class] = (failure, trial.number)
    return tuple(ErrorCount(name, count, *last[name]) for name, count in counts.most_common())


def _seconds(trials: Sequence[TrialRecord]) -> dict[str, float]:
    totals: Counter[str] = Counter()
    for trial in trials:
        if trial.outcome is not None:
            totals.update(trial.outcome.seconds)
    return dict(totals)
