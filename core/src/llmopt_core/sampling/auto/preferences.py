"""Several objectives as one number, larger is better: what one proposal tries to improve."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmopt_core.storage.records import ObjectiveDefinition

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

# How much the sum of all objectives counts beside the one that lags most (Knowles 2006).
_SUM_SHARE = 0.05
_DRAWS = 64
# Every so many proposals the declared weights are used instead of random ones.
_DECLARED_EVERY = 3


@dataclass(frozen=True)
class Preference:
    """Weights of the objectives over their observed ranges; all arrays have the shape (objectives,)."""

    weights: Vector
    signs: Vector
    lows: Vector
    widths: Vector

    def utility(self, targets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the augmented Tchebycheff utility of `targets`, shape (…, objectives) to (…)."""
        shares = (self.signs * targets - self.lows) / self.widths * self.weights
        if len(self.weights) == 1:
            return np.asarray(shares[..., 0])
        return np.asarray(shares.min(axis=-1) + _SUM_SHARE * shares.sum(axis=-1))

    def moments(self, means: Matrix, spreads: Matrix, chance: np.random.Generator) -> tuple[Vector, Vector]:
        """Return mean and standard deviation of the utility of independent normal targets.

        `means` and `spreads` have the shape (points, objectives).
        """
        if len(self.weights) == 1:
            scale = self.weights[0] / self.widths[0]
            return self.utility(means), spreads[:, 0] * scale
        noise = chance.standard_normal((_DRAWS, 1, len(self.weights)))
        values = self.utility(means + noise * spreads)
        return values.mean(axis=0), np.maximum(values.std(axis=0), 1e-9)


def declared_preference(objectives: Sequence[ObjectiveDefinition]) -> Preference:
    """Return the declared weights on the models' own scales."""
    weights = np.array([max(objective.weight, 1e-6) for objective in objectives])
    count = len(objectives)
    return Preference(weights / weights.sum(), _signs(objectives), np.zeros(count), np.ones(count))


def next_preference(
    objectives: Sequence[ObjectiveDefinition], targets: Matrix, turn: int, chance: np.random.Generator
) -> Preference:
    """Return the preference of proposal number `turn`: random weights explore the whole Pareto front.

    `targets`, shape (trials, objectives), give the ranges (ParEGO, Knowles 2006).
    """
    if len(objectives) == 1:
        return declared_preference(objectives)
    signs = _signs(objectives)
    lows, highs = (signs * targets).min(axis=0), (signs * targets).max(axis=0)
    weights = chance.dirichlet(np.ones(len(objectives)))
    if turn % _DECLARED_EVERY == 0:
        weights = declared_preference(objectives).weights
    return Preference(np.maximum(weights, 1e-3), signs, lows, np.maximum(highs - lows, 1e-6))


def _signs(objectives: Sequence[ObjectiveDefinition]) -> Vector:
    return np.array([1.0 if objective.direction == "maximize" else -1.0 for objective in objectives])
