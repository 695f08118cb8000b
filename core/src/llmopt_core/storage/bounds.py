"""Constraints relative to the baseline: their bounds, once the baseline is measured. Pure.

Before that a relative constraint has no bound, so nothing is known to break it. Where the baseline cannot be
measured it stays so, and the result says it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from llmopt_core.storage.records import ConstraintDefinition, OutcomeKind, Phase, StudyDefinition, TrialRecord

_MEASURED = (OutcomeKind.MEASURED, OutcomeKind.COPIED)


def bounded(definition: StudyDefinition, trials: Iterable[TrialRecord]) -> StudyDefinition:
    """Return `definition` with the bounds that follow from the baseline among `trials`, if it is measured."""
    if all(each.relative_to is None for each in definition.constraints):
        return definition
    baseline = next((trial.outcome for trial in trials if is_measured_baseline(trial)), None)
    return definition if baseline is None else bounded_by(definition, baseline.metrics)


def bounded_by(definition: StudyDefinition, baseline: Mapping[str, float]) -> StudyDefinition:
    """Return `definition` with the bounds that follow from the `baseline`'s metrics."""
    constraints = (
        replace(each, baseline=baseline.get(each.metric)) if each.relative_to else each
        for each in definition.constraints
    )
    return replace(definition, constraints=tuple(constraints))


def known_bounds(definition: StudyDefinition) -> tuple[ConstraintDefinition, ...]:
    """Return the constraints that have a bound, each with an absolute one."""
    return tuple(_absolute(each) for each in definition.constraints if each.bound is not None)


def _absolute(constraint: ConstraintDefinition) -> ConstraintDefinition:
    if constraint.minimum is None:
        return ConstraintDefinition(constraint.metric, maximum=constraint.bound)
    return ConstraintDefinition(constraint.metric, minimum=constraint.bound)


def is_measured_baseline(trial: TrialRecord) -> bool:
    """Say whether `trial` is the baseline and was measured."""
    return trial.phase is Phase.BASELINE and is_measured(trial)


def is_measured(trial: TrialRecord) -> bool:
    """Say whether the trial has metrics, its own or those of the trial it was copied from."""
    return trial.outcome is not None and trial.outcome.kind in _MEASURED
