"""The candidates of one proposal: random points, neighbours of the best, and points on engines at hand."""

from collections.abc import Iterable, Mapping, Sequence

from llmopt_core.sampling.auto.candidates import PointSource, all_points
from llmopt_core.sampling.auto.encoding import Point
from llmopt_core.sampling.auto.tried import Tried, engine_part
from llmopt_core.sampling.dimensions import options_of
from llmopt_core.sampling.observations import Observation, Problem
from llmopt_core.search.configurations import Value
from llmopt_core.storage.points import identity

# Spaces up to this size are listed, so that the sampler knows when everything was tried.
_LISTED = 1000
_RANDOM, _NEAR_BEST, _ON_ENGINE, _NEAR_ON_ENGINE, _OF_ENGINE = 300, 40, 60, 10, 15
_UNLIMITED = 1000


class Pools:
    """Untried points of a space, for one proposal. `running` are the values of the running engine."""

    def __init__(
        self,
        problem: Problem,
        source: PointSource,
        tried: Tried,
        running: Mapping[str, Value] | None,
    ) -> None:
        self._problem = problem
        self._source = source
        self._tried = tried
        self._running = running
        self._requests = tuple(
            name for name in problem.space.names() if name not in problem.engine_parameters
        )
        listed = all_points(problem.space, source.known, _LISTED)
        self._listed = None if listed is None else self._open(listed)

    def random(self, count: int) -> list[Point]:
        """Return up to `count` random points; all of a small space."""
        if self._listed is not None:
            return self._listed
        return self._open(self._source.random({}) for _ in range(count))

    def around(self, leaders: Sequence[Point]) -> list[Point]:
        """Return candidates for a model to choose from, many near the `leaders`."""
        if self._listed is not None:
            return self._listed
        points = [self._source.random({}) for _ in range(_RANDOM)]
        points += [self._source.neighbour(leader) for leader in leaders for _ in range(_NEAR_BEST)]
        if self._requests and self._problem.engine_parameters:
            points += self._on_engines(leaders)
        return self._open(points)

    def near(self, points: Sequence[Point], count: int) -> list[Point]:
        """Return `count` neighbours of each of `points`; nothing where the space is listed."""
        if self._listed is not None:
            return []
        return self._open(self._source.neighbour(point) for point in points for _ in range(count))

    def untried(self, point: Point) -> bool:
        """Say whether `point` was not tried and its engine did not refuse to start."""
        return self._tried.open(point)

    def runs(self, point: Point) -> bool:
        """Say whether `point` needs no engine start."""
        running = self._running
        if running is None or not running.keys() <= self._problem.engine_parameters:
            return False
        return all(point.get(name) == running.get(name) for name in self._problem.engine_parameters)

    def start_is_repaid(self, observations: Sequence[Observation]) -> bool:
        """Say whether trials on the running engine took as long as its start, or none runs.

        To stay until then at most doubles what a poor engine costs (the rule of the ski rental problem,
        Karlin et al. 1988), and a model of few trials is often wrong about what other requests would give.
        """
        spent = 0.0
        for each in reversed(observations):
            if self.runs(each.parameters):
                spent += each.seconds
                if each.start_seconds is not None:
                    return spent >= each.start_seconds
        return True

    def engine_of(self, point: Point) -> Mapping[str, Value]:
        """Return the engine parameters of `point`."""
        return engine_part(point, self._problem.engine_parameters)

    def most_trials(self) -> int:
        """Return how many configurations one engine can serve."""
        count = 1
        for parameter in self._problem.space.parameters:
            if parameter.name in self._requests:
                options = options_of(parameter.dimension)
                count *= _UNLIMITED if options is None else max(1, len(options))
        return min(count, _UNLIMITED)

    def _on_engines(self, leaders: Sequence[Point]) -> list[Point]:
        points = [
            self._source.random(self.engine_of(leader)) for leader in leaders for _ in range(_OF_ENGINE)
        ]
        if self._running is None:
            return points
        points += [self._source.random(self._running) for _ in range(_ON_ENGINE)]
        for leader in leaders:
            moved = self._source.completed(self._running, leader)
            points.append(moved)
            points += [self._source.neighbour(moved, self._requests) for _ in range(_NEAR_ON_ENGINE)]
        return points

    def _open(self, points: Iterable[Point]) -> list[Point]:
        known = {identity(point): point for point in points}
        return [point for key, point in known.items() if self._tried.open(point, key)]
