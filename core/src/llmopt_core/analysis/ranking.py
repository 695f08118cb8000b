"""Which trials are better than which: dominance, the front, the gain over the baseline. Pure."""

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from llmopt_core.metrics.catalog import find_metric
from llmopt_core.storage.bounds import bounded, is_measured
from llmopt_core.storage.outcomes import keeps_constraints
from llmopt_core.storage.records import ObjectiveDefinition, StudyDefinition, TrialRecord

# Below it a value on a ratio scale is taken for it, so that a zero has a logarithm.
_SMALLEST = 1e-12


class Weighted(Protocol):
    """What counts with a weight: an objective, or a metric that is compared."""

    @property
    def weight(self) -> float:
        """How much it counts beside the others."""


def pareto_front(trials: Sequence[TrialRecord], definition: StudyDefinition) -> tuple[TrialRecord, ...]:
    """Return the measured trials that keep the constraints and that no other such trial dominates.

    Trials with the same values are all kept, except copies of one that is kept. The baseline, whose values
    bound relative constraints, is looked for among `trials`.
    """
    definition = bounded(definition, trials)
    able = [each for each in trials if is_measured(each) and is_feasible(each, definition)]
    ordered = sorted(able, key=lambda each: (_costs(each, definition), each.number))
    front = [ordered[place] for place in _undominated([_costs(each, definition) for each in ordered])]
    kept = {trial.number for trial in front}
    return tuple(
        sorted((each for each in front if _copied_from(each) not in kept), key=lambda trial: trial.number)
    )


def ranked(trials: Sequence[TrialRecord], definition: StudyDefinition) -> tuple[TrialRecord, ...]:
    """Return those of `trials` that were measured and keep the constraints, best first.

    Of trials with the same configuration there is one. The order is that of the weighted mean gain. The
    baseline is among `trials` where it was measured.
    """
    definition = bounded(definition, trials)
    able = [each for each in trials if is_measured(each) and is_feasible(each, definition)]
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
    """Return the trial of the Pareto `front` with the highest weighted mean gain over the baseline.

    Without a measured default, gains are taken over the front's first trial: the order is the same. Of
    equals, the earliest.
    """
    if not front:
        return None
    against = baseline or front[0]
    return max(front, key=lambda trial: (weighted_gain(trial, against, definition), -trial.number))


def weighted_gain(trial: TrialRecord, against: TrialRecord, definition: StudyDefinition) -> float:
    """Return the weighted mean over the objectives of the gain of `trial`, positive where it is better."""
    gains = (gain(each, _value(trial, each), _value(against, each)) for each in definition.objectives)
    return weighted_mean(definition.objectives, gains)


def weighted_mean(weighted: Sequence[Weighted], gains: Iterable[float]) -> float:
    """Return the mean of `gains`, one for each of `weighted`, by their weights (which are above 0)."""
    total = sum(each.weight for each in weighted)
    return sum(each.weight * value for each, value in zip(weighted, gains, strict=True)) / total


def gain(objective: ObjectiveDefinition, value: float, default: float) -> float:
    """Return the gain of `value` over `default`, positive where it is better.

    On a ratio scale it is the logarithm of the quotient, on a bounded one the difference. Raises
    MetricNotFound where a plug-in's metric is read without the plug-in.
    """
    if find_metric(objective.metric).scale == "ratio":
        change = math.log(max(value, _SMALLEST)) - math.log(max(default, _SMALLEST))
    else:
        change = value - default
    return change if objective.direction == "maximize" else -change


def is_feasible(trial: TrialRecord, definition: StudyDefinition) -> bool:
    """Say whether a measured trial keeps every constraint."""
    assert trial.outcome is not None  # noqa: S101 - it was measured
    return keeps_constraints(trial.outcome, definition)


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


def _undominated(ordered: Sequence[tuple[float, ...]]) -> list[int]:
    """Return the places of the points that no other dominates; `ordered` is sorted.

    One pass over what is left for each of them: of ten thousand trials all may be on the front.
    """
    points, front = np.array(ordered), []
    left = np.arange(len(ordered))
    while left.size:  # a point can be dominated only by one before it in this order, so the first is not
        front.append(int(left[0]))
        first, rest = points[left[0]], points[left[1:]]
        dominated = (first <= rest).all(axis=1) & (first != rest).any(axis=1)
        left = left[1:][~dominated]
    return front
