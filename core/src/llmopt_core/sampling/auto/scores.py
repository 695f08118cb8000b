"""Candidates judged by the models: expected gain, time, and gain per second of engine time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmopt_core.sampling.auto.acquisition import expected_improvement, gain_per_second
from llmopt_core.sampling.auto.encoding import Encoding, Point
from llmopt_core.sampling.auto.models import Models
from llmopt_core.sampling.auto.pools import Pools
from llmopt_core.sampling.auto.preferences import next_preference

Vector = NDArray[np.float64]

_LEADERS = 5
# A smaller relative gain is worth no engine time.
_LEAST_GAIN = 0.01
_ROUNDS, _CLIMBERS, _STEPS = 3, 6, 12
# A measured trial counts as feasible when its constraints are kept with this probability.
_FEASIBLE = 0.5
# The relative gain that is worth a trial on an engine whose start is not repaid yet.
_LEAST_TO_STAY = 0.001


@dataclass(frozen=True)
class Scored:
    """Candidates with expected gain, seconds and gain per second, arrays of shape (points,).

    `running` says which of them need no engine start.
    """

    points: Sequence[Point]
    gain: Vector
    seconds: Vector
    rate: Vector
    running: NDArray[np.bool_]

    def joined(self, other: "Scored") -> "Scored":
        """Return the candidates of both."""
        return Scored(
            [*self.points, *other.points],
            np.concatenate([self.gain, other.gain]),
            np.concatenate([self.seconds, other.seconds]),
            np.concatenate([self.rate, other.rate]),
            np.concatenate([self.running, other.running]),
        )


class Scorer:
    """Judges candidates of one proposal, which improves on one preference among the objectives."""

    def __init__(
        self, models: Models, encoding: Encoding, pools: Pools, turn: int, chance: np.random.Generator
    ) -> None:
        self._models = models
        self._encoding = encoding
        self._pools = pools
        means, _ = models.objectives(models.rows)
        self._preference = next_preference(models.problem.objectives, means, turn, chance)
        self._chance = chance
        self._utility = self._preference.utility(means)
        self._feasible = models.allowed(models.rows) >= _FEASIBLE
        self._best = self._incumbent()

    def leaders(self) -> list[int]:
        """Return the places of the best measured trials, feasible ones first."""
        order = np.lexsort((-self._utility, ~self._feasible))
        return [int(place) for place in order[:_LEADERS]]

    def search(self, leaders: Sequence[Point]) -> Scored | None:
        """Return candidates around `leaders`, then around the best of them; None where none is left."""
        points = self._pools.around(leaders)
        if not points:
            return None
        scored = self._scored(points)
        for _ in range(_ROUNDS):
            best = np.argsort(-scored.rate, kind="stable")[:_CLIMBERS]
            nearer = self._pools.near([scored.points[place] for place in best], _STEPS)
            if not nearer:
                break
            scored = scored.joined(self._scored(nearer))
        return scored

    def best(self, scored: Scored, *, staying: bool) -> int:
        """Return the place of the largest rate, with `staying` on the running engine if it promises gain."""
        worth = scored.running & (scored.gain >= self._models.utility(_LEAST_TO_STAY))
        rate = np.where(worth, scored.rate, -np.inf) if staying and worth.any() else scored.rate
        return int(np.argmax(rate))

    def _incumbent(self) -> float:
        """The best feasible utility; where none is feasible, the worst, so that any feasible one gains."""
        if self._feasible.any():
            return float(self._utility[self._feasible].max())
        return float(self._utility.min())

    def _scored(self, points: Sequence[Point]) -> Scored:
        rows = self._encoding.rows(points)
        mean, spread = self._preference.moments(*self._models.objectives(rows), self._chance)
        working = self._models.works(rows)
        gain = expected_improvement(mean, spread, self._best + self._models.utility(_LEAST_GAIN))
        gain *= self._models.allowed(rows) * working
        seconds = self._models.measurement_seconds(rows)
        lost = (1 - working) * self._models.failure_seconds
        running = np.array([self._pools.runs(point) for point in points])
        start = self._models.start_seconds
        rate = gain_per_second(gain, seconds + lost, running, start, self._pools.most_trials())
        # Where engines fail nothing is ever measured, so the gain of a success stays large.
        rate = np.where(working < self._models.least_working, working - 1.0, rate)
        return Scored(points, gain, np.where(running, seconds, seconds + start), rate, running)
