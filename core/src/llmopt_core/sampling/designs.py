"""Samplers that need no model of what was measured: a full grid, and a quasi-random sequence.

Optuna's own two assume that all parameters are always active, and number their points by trial number, or by
a counter that two runners can read at once. These know conditions, and are asked under the study's lock: no
point is given twice, and every runner walks the same sequence.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence

from llmopt_core.sampling.dimensions import options_of, value_at
from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import Dimension, SearchSpace, SpaceParameter
from llmopt_core.storage.errors import SamplerUnavailable
from llmopt_core.storage.methods import Proposal, Request, Sampler
from llmopt_core.storage.points import identity, walk
from llmopt_core.storage.records import OutcomeKind, Phase
from llmopt_core.storage.snapshot import Snapshot, StoredTrial

Point = Mapping[str, Value]
_MOST_POINTS = 100_000


class Design(ABC):
    """A sequence of points of a search space, the same for every runner."""

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self.space = space
        self.seed = seed

    @abstractmethod
    def propose(self, taken: Sequence[Point], fixed: Point) -> Point | None:
        """Return the next point after those `taken`, with `fixed` where that is possible; None at the end."""

    @abstractmethod
    def complete(self, taken: Sequence[Point], entry: Point) -> Point:
        """Return a point that has the values of `entry`."""


class GridDesign(Design):
    """Every point once, in an order shuffled by the seed; conditions leave no duplicates."""

    def __init__(self, space: SearchSpace, seed: int) -> None:
        super().__init__(space, seed)
        self._options = {each.name: _options(each.name, each.dimension) for each in space.parameters}
        self._points = self._enumerate()
        random.Random(seed).shuffle(self._points)  # noqa: S311 - an order, not a secret

    def propose(self, taken: Sequence[Point], fixed: Point) -> Point | None:
        """Return the first point not taken, one with `fixed` first; None when all are taken."""
        gone = {identity(point) for point in taken}
        left = [point for point in self._points if identity(point) not in gone]
        fitting = (point for point in left if all(point.get(name) == fixed[name] for name in fixed))
        return next(fitting, left[0] if left else None)

    def complete(self, taken: Sequence[Point], entry: Point) -> Point:
        """Return a point that has the values of `entry`, the others from the grid."""
        chance = random.Random(f"{self.seed}/{len(taken)}")  # noqa: S311 - a choice, not a secret
        return walk(self.space, lambda name: entry.get(name, chance.choice(self._options[name])))

    def _enumerate(self) -> list[Point]:
        points: list[Point] = [{}]
        for parameter in self.space.parameters:
            points = [wider for point in points for wider in self._widen(point, parameter)]
            if len(points) > _MOST_POINTS:
                raise SamplerUnavailable(
                    f"sampler grid: there are more than {_MOST_POINTS} points; narrow the space, "
                    "or use qmc or random"
                )
        return points

    def _widen(self, point: Point, parameter: SpaceParameter) -> Iterator[Point]:
        if not parameter.active(point):
            yield point
            return
        for option in self._options[parameter.name]:
            yield {**point, parameter.name: option}


class QuasiRandomDesign(Design):
    """A scrambled Sobol sequence over the unit cube, one coordinate a parameter (Sobol 1967, Owen 1998)."""

    def propose(self, taken: Sequence[Point], fixed: Point) -> Point | None:
        """Return the point whose place in the sequence is the number of those `taken`."""
        coordinates = self._coordinates(len(taken))
        dimensions = {each.name: each.dimension for each in self.space.parameters}
        return walk(self.space, lambda name: fixed.get(name, value_at(dimensions[name], coordinates[name])))

    def complete(self, taken: Sequence[Point], entry: Point) -> Point:
        """Return a point that has the values of `entry`, the others from the sequence."""
        point = self.propose(taken, entry)
        assert point is not None  # noqa: S101 - the sequence has no end
        return point

    def _coordinates(self, place: int) -> dict[str, float]:
        from scipy.stats import qmc  # noqa: PLC0415 - slow to load, and only this design needs it

        names = self.space.names()
        if not names:
            return {}
        sequence = qmc.Sobol(len(names), scramble=True, rng=self.seed)
        if place:  # it cannot go forward by nothing
            sequence.fast_forward(place)
        return dict(zip(names, sequence.random(1)[0].tolist(), strict=True))


class DesignSampler(Sampler):
    """Proposes the points of a design that no trial has taken."""

    exclusive = True

    def __init__(self, design: Design) -> None:
        self._design = design

    def propose(self, snapshot: Snapshot, request: Request) -> Proposal | None:
        """Return the next point, or None at the end."""
        taken = [trial.assignment.parameters for trial in snapshot.trials.values() if _is_point(trial)]
        if request.completes:
            return Proposal(self._design.complete(taken, request.known))
        point = self._design.propose(taken, request.known)
        return None if point is None else Proposal(point)


def _is_point(trial: StoredTrial) -> bool:
    """Say whether `trial` takes a point of a design: a returned one is run again in another trial."""
    return (
        trial.assignment.phase is Phase.SEARCH
        and trial.assignment.complete
        and trial.kind is not OutcomeKind.RETURNED
    )


DESIGNS: Mapping[str, type[Design]] = {"grid": GridDesign, "qmc": QuasiRandomDesign}


def _options(name: str, dimension: Dimension) -> Sequence[Value]:
    options = options_of(dimension)
    if options is None:
        raise SamplerUnavailable(f"sampler grid: {name} has no step; give it one, or use qmc or random")
    return options
