"""When repeated looks at few repeats may decide: a group-sequential boundary for all comparisons together.

All comparisons of a verification (every candidate against the baseline, in every objective) are tested after
every round at one constant two-sided level: Pocock's boundary (1977, "Group Sequential Methods in the Design
and Analysis of Clinical Trials") on the scale of Student's t, as the variance is unknown. The interval at
that level is the repeated confidence interval of Jennison and Turnbull (1989): all of them, at all looks,
hold together with the stated confidence, so verdict and interval never disagree, and neither an early look
nor the number of candidates and objectives raises the error rate.

The level is found by simulation. Under the null hypothesis the sequence of t statistics of the additive
model (candidate, round) depends on nothing unknown, so their joint distribution over looks and candidates,
which share the baseline, is exact but for the error of the simulation (2 to 4 % of the error rate).
Objectives are taken as independent: intervals of dependent ones hold together more often (Sidak 1967).

Rivals, compared by bench/verification.py: Bonferroni's correction over looks is stricter than needed; betting
and mixture martingales are valid without a last look but need more repeats where there are 2 to 15; Holm's
method rejects more but leaves no interval beside a verdict.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from llmopt_core.analysis.student import quantile

_SIMULATIONS = 50_000
_SEED = 20_261_126
_HALVINGS = 20
# With one degree of freedom no effect of a usual size can be decided: a look would only cost level.
_FEWEST_DEGREES = 2


@dataclass(frozen=True)
class Boundary:
    """At which two-sided level each comparison is tested at each look, beginning with `first_look`.

    A look is called by the number of rounds it sees.
    """

    level: float
    first_look: int

    def reach(self, degrees: float) -> float:
        """Return how many standard errors an interval reaches to each side."""
        return quantile(1 - self.level / 2, degrees)


@lru_cache(maxsize=256)
def boundary(candidates: int, objectives: int, rounds: int, confidence: float = 0.95) -> Boundary:
    """Return the boundary for comparing `candidates` with a baseline in `objectives` over up to `rounds`.

    `confidence` holds for all comparisons at all looks together.
    """
    if min(candidates, objectives) < 1 or rounds < _FEWEST_DEGREES:
        raise ValueError(f"no boundary: {candidates} candidates, {objectives} objectives, {rounds} rounds")
    looks = [look for look in range(2, rounds + 1) if candidates * (look - 1) >= _FEWEST_DEGREES] or [rounds]
    largest = np.array(list(_largest_statistics(candidates, looks)))
    degrees = [candidates * (look - 1) for look in looks]
    return Boundary(_level(largest, degrees, 1 - confidence ** (1 / objectives)), looks[0])


def _level(largest: NDArray[np.float64], degrees: list[int], error_rate: float) -> float:
    """Return the level at which a share `error_rate` of the simulations, columns, crosses at some look."""
    low, high = 0.0, error_rate
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        reaches = np.array([quantile(1 - middle / 2, degree) for degree in degrees])
        crossed = (largest > reaches[:, None]).any(axis=0).mean()
        low, high = (middle, high) if crossed <= error_rate else (low, middle)
    return low


def _largest_statistics(candidates: int, looks: list[int]) -> Iterator[NDArray[np.float64]]:
    """Give, for each look, the largest |t| over the candidates, shape (simulations,), without any effect.

    Measurements arrive round by round; only sums are kept.
    """
    generator = np.random.default_rng(_SEED)
    shape = (_SIMULATIONS, candidates + 1)
    sums, squares = np.zeros(shape), np.zeros(_SIMULATIONS)
    for round_ in range(1, looks[-1] + 1):
        values = generator.standard_normal(shape)
        values -= values.mean(axis=-1, keepdims=True)  # what all of a round share
        sums += values
        squares += (values**2).sum(axis=-1)
        if round_ in looks:
            residual = squares - (sums**2).sum(axis=-1) / round_
            error = np.sqrt(2 * residual / (candidates * (round_ - 1)) / round_)
            difference = np.abs(sums[..., 1:] - sums[..., :1]).max(axis=-1) / round_
            yield difference / error
