"""When repeated looks at few repeats may decide: a group-sequential boundary for all comparisons together.

All comparisons of a verification (every candidate against the baseline, in every objective) are tested after
every round at one constant two-sided level: Pocock's boundary (1977, "Group Sequential Methods in the Design
and Analysis of Clinical Trials") on the scale of Student's t, as the variance is unknown. The interval at
that level is the repeated confidence interval of Jennison and Turnbull (1989): all of them, at all looks,
hold together with the stated confidence, so verdict and interval never disagree, and neither an early look
nor the number of candidates and objectives raises the error rate.

The level is found by simulation. Under the null hypothesis the sequence of t statistics of a linear model
(candidate and drift, see `two_level.contrasts`) depends on nothing unknown, so their joint distribution over
looks and candidates, which share the baseline, is exact but for the error of the simulation (2 to 4 % of the
error rate). Objectives are taken as independent: intervals of dependent ones hold together more often (Sidak
1967).

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
from llmopt_core.analysis.two_level import Cell, candidate_columns, drift_columns

Floats = NDArray[np.float64]

_SIMULATIONS = 50_000
_PART = 5_000
_SEED = 20_261_126
_HALVINGS = 20
_FEWEST_ROUNDS = 2
_NEGLIGIBLE = 1e-9
# With one degree of freedom no effect of a usual size can be decided: a look would only cost level.
_FEWEST_DEGREES = 2


@dataclass(frozen=True)
class Boundary:
    """At which two-sided level each comparison is tested at each look, beginning with `first_look`.

    A look is called by the number of rounds it sees. `spent` has a level for each look: at it the intervals
    of all looks up to this one hold together, so that it is what a verification reports that ends there.
    """

    level: float
    first_look: int
    spent: tuple[float, ...] = ()

    def reach(self, degrees: float) -> float:
        """Return how many standard errors an interval reaches to each side while looks are to come."""
        return _reach(self.level, degrees)

    def last_reach(self, degrees: float, look: int) -> float:
        """Return how many standard errors an interval reaches to each side when `look` was the last."""
        taken = self.spent[: look - self.first_look + 1]
        return _reach(taken[-1] if taken else self.level, degrees)


def _reach(level: float, degrees: float) -> float:
    """Return the quantile for a two-sided level; a tenth of a degree of freedom hardly changes it."""
    return quantile(1 - level / 2, max(0.1, round(degrees, 1)))


@lru_cache(maxsize=256)
def boundary(
    candidates: int, objectives: int, rounds: int, confidence: float = 0.95, *, shared: bool = False
) -> Boundary:
    """Return the boundary for comparing `candidates` with a baseline in `objectives` over up to `rounds`.

    `confidence` holds for all comparisons at all looks together. `shared`: some candidate shares the
    baseline's engine starts, so that drift is a value a round.
    """
    if min(candidates, objectives) < 1 or rounds < _FEWEST_ROUNDS:
        raise ValueError(f"no boundary: {candidates} candidates, {objectives} objectives, {rounds} rounds")
    orders = [_order(candidates, look) for look in range(2, rounds + 1)]
    designs = [design for order in orders if (design := _design(order, shared=shared)).degrees > 0]
    looks = [each for each in designs if each.degrees >= _FEWEST_DEGREES] or designs[-1:]
    if not looks:
        raise ValueError(f"no boundary: {rounds} rounds leave no degree of freedom")
    largest = np.concatenate(list(_largest_statistics(looks)), axis=1)
    degrees, error_rate = [each.degrees for each in looks], 1 - confidence ** (1 / objectives)
    spent = [_level(largest[:taken], degrees[:taken], error_rate) for taken in range(1, len(looks) + 1)]
    return Boundary(spent[-1], looks[0].round, tuple(spent))


@dataclass(frozen=True)
class _Design:
    """A look's linear model: `estimate` (candidates, cells) gives differences, `errors` their variances."""

    round: int
    degrees: int
    estimate: Floats
    errors: Floats
    basis: Floats  # orthonormal, of what the model explains: (cells, rank)


def _order(candidates: int, rounds: int) -> list[Cell]:
    """Return the cells in the order in which they are measured: every second round backwards."""
    places = range(candidates + 1)
    return [
        (candidate, round_)
        for round_ in range(rounds)
        for candidate in (reversed(places) if round_ % 2 else places)
    ]


def _design(order: list[Cell], *, shared: bool) -> _Design:
    times = None if shared else {cell: float(place) for place, cell in enumerate(order)}
    columns = np.array([*candidate_columns(order), *drift_columns(order, times)], dtype=np.float64).T
    inverse = np.linalg.pinv(columns)
    candidates = max(candidate for candidate, _ in order)
    estimate = inverse[1 : candidates + 1] - inverse[0]
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    basis = left[:, sizes > _NEGLIGIBLE * sizes[0]]
    errors = np.sqrt((estimate**2).sum(axis=1))
    return _Design(order[-1][1] + 1, len(order) - basis.shape[1], estimate, errors, basis)


def _level(largest: Floats, degrees: list[int], error_rate: float) -> float:
    """Return the level at which a share `error_rate` of the simulations, columns, crosses at some look."""
    low, high = 0.0, error_rate
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        reaches = np.array([quantile(1 - middle / 2, degree) for degree in degrees])
        crossed = (largest > reaches[:, None]).any(axis=0).mean()
        low, high = (middle, high) if crossed <= error_rate else (low, middle)
    return low


def _largest_statistics(designs: list[_Design]) -> Iterator[Floats]:
    """Give, for parts of the simulations, the largest |t| over the candidates, shape (looks, part)."""
    generator = np.random.default_rng(_SEED)
    cells = designs[-1].estimate.shape[1]
    for _ in range(_SIMULATIONS // _PART):
        values = generator.standard_normal((cells, _PART))
        yield np.array([_statistics(each, values[: each.estimate.shape[1]]) for each in designs])


def _statistics(design: _Design, values: Floats) -> Floats:
    residual = (values**2).sum(axis=0) - ((design.basis.T @ values) ** 2).sum(axis=0)
    spread = np.sqrt(residual / design.degrees)
    statistics = np.abs(design.estimate @ values) / design.errors[:, None] / spread
    return np.asarray(statistics.max(axis=0), dtype=np.float64)
