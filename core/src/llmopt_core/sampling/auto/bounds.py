"""How much better any configuration that was not tried can still be."""

import numpy as np
from numpy.typing import NDArray

from llmopt_core.sampling.auto.models import Models

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_PROBABILITY = 0.95
_DRAWS = 100
_MOST_ROWS = 200
# With fewer trials a model that explains little looks certain.
_LEAST_TRIALS = 10
_FEASIBLE = 0.5
# Candidates that work less often than this are no prospects.
_WORKS = 0.05


def remaining_gain(models: Models, rows: Matrix, gain: Vector, chance: np.random.Generator) -> float | None:
    """Return the relative gain that no point of `rows` exceeds with 95 % probability, None while unknown.

    `gain` orders the rows, of which the most promising are looked at together: functions are drawn from the
    models, and the best feasible point of each is compared with the best measured one. With several
    objectives it is the largest of the gains in each and in their weighted mean.
    """
    feasible = np.flatnonzero(models.allowed(models.rows) >= _FEASIBLE)
    if len(models.rows) < _LEAST_TRIALS or not len(feasible):
        return None
    order = np.argsort(-gain, kind="stable")[:_MOST_ROWS]
    chosen = rows[order][models.works(rows[order]) >= _WORKS]
    if not len(chosen):
        return 0.0
    means, _ = models.objectives(models.rows[feasible])
    means = means @ np.diag(_relative(models))
    directions = _directions(models)
    incumbents = [int(feasible[np.argmax(means @ weights)]) for weights in directions]
    kept, gains = _drawn(models, np.vstack([models.rows[incumbents], chosen]), chance)
    return max(
        _quantile(gains @ weights, kept, place, len(incumbents)) for place, weights in enumerate(directions)
    )


def _drawn(
    models: Models, rows: Matrix, chance: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return whether constraints are kept (draws, rows), and logarithmic gains (draws, rows, objectives)."""
    drawn = {name: model.draws(rows, _DRAWS, chance) for name, model in models.metrics.items()}
    kept = np.ones((_DRAWS, len(rows)), dtype=np.bool_)
    for constraint in models.problem.constraints:
        scale = models.metrics[constraint.metric].scale
        if constraint.maximum is not None:
            kept &= drawn[constraint.metric] <= scale.target(constraint.maximum)
        if constraint.minimum is not None:
            kept &= drawn[constraint.metric] >= scale.target(constraint.minimum)
    targets = np.stack([drawn[each.metric] for each in models.problem.objectives], axis=2)
    return kept, targets * _relative(models)


def _relative(models: Models) -> Vector:
    """Return the relative gain of one unit of each objective's targets, negative where less is better."""
    return np.array(
        [
            models.metrics[each.metric].scale.relative * (1.0 if each.direction == "maximize" else -1.0)
            for each in models.problem.objectives
        ]
    )


def _quantile(utility: Matrix, kept: NDArray[np.bool_], incumbent: int, measured: int) -> float:
    prospects = np.where(kept, utility, -np.inf)[:, measured:].max(axis=1)
    best = np.maximum(prospects - utility[:, incumbent], 0.0)
    return float(np.expm1(np.quantile(best, _PROBABILITY)))


def _directions(models: Models) -> list[Vector]:
    """Return the declared weights, and each objective alone where there are several."""
    weights = np.array([max(each.weight, 0.0) for each in models.problem.objectives])
    declared = weights / (weights.sum() or 1.0)
    return [declared, *np.eye(len(weights))] if len(weights) > 1 else [declared]
