"""The finalists of a search: its measured trials as contenders against the reference. Pure."""

import math
from collections.abc import Mapping, Sequence

from llmopt_core.analysis.finalists import Contender, choose_finalists
from llmopt_core.analysis.ranking import gain, is_feasible
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.storage.records import Outcome, StudyDefinition, TrialRecord

# How far two measurements of one configuration's speed lie apart, as a relative standard error, where it was
# measured once: typical of shared machines (see bench/results).
_SPEED_ERROR = 0.05


def finalists(
    able: Sequence[TrialRecord],
    reference: TrialRecord,
    definition: StudyDefinition,
    *,
    most: int,
    smallest_gain: float,
) -> tuple[TrialRecord, ...]:
    """Return up to `most` of the measured, feasible trials `able` that are worth verifying, best first.

    Those are what gains something over `reference`, or anything where that breaks a constraint: the best by
    the weights, the best in each objective and the knee between, never two that are equal within noise.
    """
    before = _measured(reference)
    by_number = {
        trial.number: trial for trial in able if _measured(trial).configuration != before.configuration
    }
    contenders = [_contender(trial, before, definition) for trial in by_number.values()]
    weights = [each.weight for each in definition.objectives]
    smallest = [_on_scale(each.metric, smallest_gain) for each in definition.objectives]
    must_gain = is_feasible(reference, definition)
    chosen = choose_finalists(contenders, weights, smallest, most=most, must_gain=must_gain)
    return tuple(by_number[each.trial] for each in chosen)


def _contender(trial: TrialRecord, before: Outcome, definition: StudyDefinition) -> Contender:
    after = _measured(trial)
    return Contender(
        trial.number,
        gains=tuple(
            gain(each, after.metrics[each.metric], before.metrics[each.metric])
            for each in definition.objectives
        ),
        errors=tuple(_error(each.metric, after) for each in definition.objectives),
    )


def _error(metric: str, outcome: Outcome) -> float:
    """Return the standard error of a measured value, on the scale of its gain."""
    error = score_errors(outcome).get(metric)
    if error is not None:
        return error
    return _SPEED_ERROR if find_metric(metric).scale == "ratio" else 0.0


def score_errors(outcome: Outcome) -> Mapping[str, float]:
    """Return the standard error of the mean score, by metric: that of a share, never 0 for few items.

    Agresti and Coull (1998), "Approximate is better than exact": two successes and two failures are added.
    """
    count = len(outcome.samples)
    if not count or not outcome.sample_metric:
        return {}
    share = (sum(outcome.samples.values()) + 2) / (count + 4)
    return {outcome.sample_metric: math.sqrt(share * (1 - share) / (count + 4))}


def _on_scale(metric: str, smallest_gain: float) -> float:
    return math.log1p(smallest_gain) if find_metric(metric).scale == "ratio" else smallest_gain


def _measured(trial: TrialRecord) -> Outcome:
    assert trial.outcome is not None  # noqa: S101 - ranked trials were measured
    return trial.outcome
