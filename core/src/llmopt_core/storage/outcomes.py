"""What is stored of an outcome beside its document: the trial's state, values and constraints."""

from collections.abc import Mapping

from llmopt_core.metrics.catalog import find_metric
from llmopt_core.storage.documents import MALFORMED, described, dump, is_finite, unstorable
from llmopt_core.storage.errors import OutcomeInvalid
from llmopt_core.storage.records import ConstraintDefinition, Outcome, OutcomeKind, StudyDefinition
from llmopt_core.storage.tables import TrialState

FEASIBLE = "feasible"
_PERCENT = 100
_STATES: Mapping[OutcomeKind, TrialState] = {
    OutcomeKind.MEASURED: TrialState.COMPLETE,
    OutcomeKind.COPIED: TrialState.COMPLETE,
    OutcomeKind.PRUNED: TrialState.PRUNED,
    OutcomeKind.INFEASIBLE: TrialState.PRUNED,  # with a violated constraint: the sampler must see it
    OutcomeKind.INVALID: TrialState.FAIL,
    OutcomeKind.FAILED: TrialState.FAIL,
    OutcomeKind.RETURNED: TrialState.FAIL,
}


def trial_state(kind: OutcomeKind) -> TrialState:
    """Return the state of a trial that ended so."""
    return _STATES[kind]


def objective_values(outcome: Outcome, definition: StudyDefinition) -> list[float]:
    """Return the values in the order of the objectives, none unless the trial is complete."""
    if trial_state(outcome.kind) is not TrialState.COMPLETE:
        return []
    return [float(outcome.metrics[objective.metric]) for objective in definition.objectives]


def constraint_values(outcome: Outcome, definition: StudyDefinition) -> dict[str, float]:
    """Return by how much each constraint is violated (zero or below: kept), by name."""
    if outcome.kind is OutcomeKind.INFEASIBLE:
        return {FEASIBLE: 1.0}
    if trial_state(outcome.kind) is not TrialState.COMPLETE:
        return {}
    return {
        constraint_name(each): float(each.violation(outcome.metrics[each.metric]))
        for each in definition.constraints
    }


def constraint_name(constraint: ConstraintDefinition) -> str:
    """Return the constraint as text, such as `accuracy >= 0.6` or `ttft_ms_p95 <= baseline + 10 %`.

    It does not change once the baseline is measured. Raises MetricNotFound as `ConstraintDefinition` does.
    """
    sign = "<=" if constraint.minimum is None else ">="
    if constraint.relative_to is None:
        return f"{constraint.metric} {sign} {constraint.given:g}"
    return f"{constraint.metric} {sign} baseline{_difference(constraint)}"


def _difference(constraint: ConstraintDefinition) -> str:
    if constraint.given == 0:
        return ""
    sign, size = "-" if constraint.given < 0 else "+", abs(constraint.given)
    if find_metric(constraint.metric).scale == "ratio":
        return f" {sign} {size * _PERCENT:g} %"
    return f" {sign} {size:g}"


def keeps_constraints(outcome: Outcome, definition: StudyDefinition) -> bool:
    """Say whether a complete outcome keeps every constraint."""
    return all(value <= 0 for value in constraint_values(outcome, definition).values())


def check_outcome(number: int, outcome: Outcome, definition: StudyDefinition) -> None:
    """Raise OutcomeInvalid where a complete outcome lacks a finite value of a metric the study needs."""
    if trial_state(outcome.kind) is not TrialState.COMPLETE:
        return
    for metric in dict.fromkeys(
        [each.metric for each in definition.objectives] + [each.metric for each in definition.constraints]
    ):
        value = outcome.metrics.get(metric)
        if not is_finite(value):
            raise OutcomeInvalid(
                f"trial {number} was {outcome.kind} without a finite {metric} (got {value}), which the "
                "study's objectives or constraints need; finish it as invalid instead"
            )


def check_storable(number: int, outcome: Outcome) -> None:
    """Raise OutcomeInvalid, with the first such part, where `outcome` has what JSON does not hold.

    That is a number that is not finite, or a fact of another type: plug-ins bring scores, metrics and facts.
    """
    try:
        dump(outcome)
    except MALFORMED as error:
        raise OutcomeInvalid(
            f"trial {number} was {outcome.kind} with what cannot be stored: {_unstorable(outcome, error)}"
        ) from error


def _unstorable(outcome: Outcome, error: Exception) -> str:
    try:
        return next(unstorable(outcome), described(error))
    except MALFORMED:
        return described(error)
