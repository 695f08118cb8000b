"""What the simulated engine answers to a configuration; the same for every strategy.

A complete surface answers by its rows: a configuration without a row does not exist, so its start fails. An
incomplete one of 400 rows or more answers by random forests fitted to its rows, with their residual as
noise; a smaller one by the nearest row.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import SearchSpace
from surfaces.chance import draw, neighbour
from surfaces.encoding import Matrix, features, gower_distances, positions
from surfaces.objective import Objective
from surfaces.recorded import Row, Surface

FOREST_ROWS = 400
_TREES = 100
# The best of a forest is searched for among so many random configurations, then among neighbours of the best.
_CANDIDATES = 20_000
_ROUNDS = 20
_NEIGHBOURS = 500


@dataclass(frozen=True)
class Answer:
    """The truth about one configuration.

    `deviations` are the absolute standard deviations of a measurement; those in `known` were recorded, so a
    user would know them. `start_seconds` is None where the surface recorded none.
    """

    works: bool
    seconds: float
    start_seconds: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    deviations: Mapping[str, float] = field(default_factory=dict)
    known: frozenset[str] = frozenset()


class Answers(ABC):
    """One answer rule; `title` says by what it answers."""

    title: str

    def __init__(self, surface: Surface) -> None:
        self.surface = surface
        self.space: SearchSpace = surface.problem.space

    @abstractmethod
    def answer(self, parameters: Mapping[str, Value]) -> Answer:
        """Return the answer to the active `parameters`, by full name."""

    @abstractmethod
    def best(self, objective: Objective) -> float:
        """Return the highest utility of a configuration that works and keeps the constraints."""

    @property
    def starts_can_fail(self) -> bool:
        """Say whether some configurations do not start: a complete surface need not have a row for each."""
        return self.surface.complete or not all(row.works for row in self.surface.rows)

    @property
    def seconds(self) -> float:
        """Return the seconds of a usual measurement."""
        return float(np.median([row.seconds for row in self.surface.rows if row.works]))

    @property
    def start_seconds(self) -> float | None:
        """Return the seconds of a usual engine start, None where none was recorded."""
        recorded = [row.start_seconds for row in self.surface.rows if row.start_seconds is not None]
        return float(np.median(recorded)) if recorded else None


class RecordedAnswers(Answers):
    """Answers by a row of the surface."""

    def best(self, objective: Objective) -> float:
        """Return the highest utility among the rows."""
        return max(objective.utility(row.metrics) for row in self.surface.rows if _feasible(row, objective))

    def _of(self, row: Row) -> Answer:
        start = row.start_seconds
        if start is None and self.surface.records_starts:
            start = self.start_seconds
        noise = {name: abs(row.metrics[name]) * relative for name, relative in row.noise.items()}
        return Answer(row.works, row.seconds, start, row.metrics, noise, frozenset(noise))


class RowAnswers(RecordedAnswers):
    """Answers by the row of the same configuration; of several, the first."""

    title = "its rows"

    def __init__(self, surface: Surface) -> None:
        super().__init__(surface)
        self._rows: dict[bytes, Row] = {}
        places = positions(self.space, (row.parameters for row in surface.rows))
        for place, row in zip(places, surface.rows, strict=True):
            self._rows.setdefault(place.tobytes(), row)

    def answer(self, parameters: Mapping[str, Value]) -> Answer:
        """Return the row's answer; without a row, the engine refuses to start."""
        row = self._rows.get(positions(self.space, [parameters])[0].tobytes())
        return (
            Answer(works=False, seconds=0.0, start_seconds=self.start_seconds)
            if row is None
            else self._of(row)
        )


class NearestAnswers(RecordedAnswers):
    """Answers by the row at the least distance of Gower; of several, the first."""

    title = "the nearest row"

    def __init__(self, surface: Surface) -> None:
        super().__init__(surface)
        self._places = positions(self.space, (row.parameters for row in surface.rows))

    def answer(self, parameters: Mapping[str, Value]) -> Answer:
        """Return the nearest row's answer."""
        point = positions(self.space, [parameters])[0]
        return self._of(self.surface.rows[int(np.argmin(gower_distances(self.space, self._places, point)))])


class ForestAnswers(Answers):
    """Answers by a forest for each metric and for the seconds.

    The noise of a metric has the standard deviation of the out-of-bag residuals. Where rows failed, one more
    forest says which configurations do.
    """

    title = "forests"

    def __init__(self, surface: Surface) -> None:
        super().__init__(surface)
        worked = [row for row in surface.rows if row.works]
        inputs = features(self.space, (row.parameters for row in worked))
        self._metrics = {
            name: _Forest(inputs, [row.metrics[name] for row in worked]) for name in worked[0].metrics
        }
        self._seconds = _Forest(inputs, [row.seconds for row in worked])
        starts = [row.start_seconds for row in worked if row.start_seconds is not None]
        self._starts = _Forest(inputs, starts) if len(starts) == len(worked) else None
        self._working = self._classifier()

    def answer(self, parameters: Mapping[str, Value]) -> Answer:
        """Return what the forests predict."""
        inputs = features(self.space, [parameters])
        start = self._starts.predict(inputs)[0] if self._starts else self.start_seconds
        if not self._works(inputs)[0]:
            return Answer(works=False, seconds=0.0, start_seconds=start)
        return Answer(
            works=True,
            seconds=float(self._seconds.predict(inputs)[0]),
            start_seconds=start,
            metrics={name: float(forest.predict(inputs)[0]) for name, forest in self._metrics.items()},
            deviations={name: forest.residual for name, forest in self._metrics.items()},
        )

    def best(self, objective: Objective) -> float:
        """Return the highest utility that a random and then a local search finds; always the same."""
        chance = np.random.default_rng(0)
        pool = [row.parameters for row in self.surface.rows]
        pool += [draw(self.space, chance) for _ in range(_CANDIDATES)]
        best, at = self._highest(pool, objective)
        for _ in range(_ROUNDS):
            near = [neighbour(self.space, at, chance) for _ in range(_NEIGHBOURS)]
            found, place = self._highest(near, objective)
            if found > best:
                best, at = found, place
        return best

    def _highest(
        self, pool: Sequence[Mapping[str, Value]], objective: Objective
    ) -> tuple[float, Mapping[str, Value]]:
        inputs = features(self.space, pool)
        metrics = {name: forest.predict(inputs) for name, forest in self._metrics.items()}
        each = [{name: float(values[at]) for name, values in metrics.items()} for at in range(len(pool))]
        able = [
            works and objective.feasible(one) for works, one in zip(self._works(inputs), each, strict=True)
        ]
        utilities = [
            objective.utility(one) if fits else -np.inf for one, fits in zip(each, able, strict=True)
        ]
        place = int(np.argmax(utilities))
        return utilities[place], pool[place]

    def _classifier(self) -> RandomForestClassifier | None:
        if all(row.works for row in self.surface.rows):
            return None
        inputs = features(self.space, (row.parameters for row in self.surface.rows))
        forest = RandomForestClassifier(_TREES, random_state=0, n_jobs=1)
        return forest.fit(inputs, [row.works for row in self.surface.rows])

    def _works(self, inputs: Matrix) -> Matrix:
        if self._working is None:
            return np.ones(len(inputs), dtype=bool)
        working: Matrix = self._working.predict(inputs)
        return working


class _Forest:
    """A regression forest, and the standard deviation of its out-of-bag residuals.

    The forest is read from arrays of its trees: scikit-learn's own check of each call takes longer than the
    answer for one configuration.
    """

    def __init__(self, inputs: Matrix, outputs: Sequence[float]) -> None:
        self._forest = RandomForestRegressor(
            _TREES, min_samples_leaf=3, max_features=0.5, oob_score=True, random_state=0, n_jobs=1
        ).fit(inputs, outputs)
        self.residual = float(np.std(np.asarray(outputs) - self._forest.oob_prediction_))

    def predict(self, inputs: Matrix) -> Matrix:
        """Return one value per row of `inputs`."""
        narrow = np.ascontiguousarray(inputs, dtype=np.float32)
        trees = [tree.tree_.predict(narrow)[:, 0] for tree in self._forest.estimators_]
        values: Matrix = np.mean(trees, axis=0)
        return values


def answers_of(surface: Surface) -> Answers:
    """Return the answers of `surface` by the rule for its kind."""
    if surface.complete:
        return RowAnswers(surface)
    return ForestAnswers(surface) if len(surface.rows) >= FOREST_ROWS else NearestAnswers(surface)


def _feasible(row: Row, objective: Objective) -> bool:
    return row.works and objective.feasible(row.metrics)
