"""Points of a conditional space: random ones, neighbours of a point, and all of a small space."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random

import numpy as np

from llmopt_core.sampling.auto.encoding import Point, ordered_places
from llmopt_core.sampling.dimensions import options_of, unit_of, value_at
from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import ChoiceDimension, Dimension, SearchSpace, SpaceParameter

# Half of the moves of a number look far, half near; as a share of its range.
_FAR, _NEAR = 0.2, 0.05
_ADJACENT_SHARE = 0.7
_SINGLE_SHARE = 0.6
_TRIES = 4


class PointSource:
    """Draws points of `space` in which the values of `known` hold wherever they are active."""

    def __init__(self, space: SearchSpace, known: Mapping[str, Value], chance: np.random.Generator) -> None:
        self.known = known
        # Thousands of points are drawn for a proposal, number by number, which numpy is slow at.
        self._chance = Random(int(chance.integers(2**63)))  # noqa: S311 - chance, not a secret
        # Most parameters have no conditions to be asked for.
        self._order = [
            (each.name, each.dimension, each.active if each.when else None) for each in space.parameters
        ]
        self._ranked = {each.name: _ranked(each.dimension) for each in space.parameters}

    def random(self, fixed: Mapping[str, Value]) -> Point:
        """Return a random point with the values of `fixed`."""
        return self._walk(fixed, {}, frozenset())

    def completed(self, fixed: Mapping[str, Value], others: Point) -> Point:
        """Return the point with the values of `fixed`, then of `others`, then random ones."""
        return self._walk(fixed, others, frozenset())

    def neighbour(self, point: Point, free: Iterable[str] | None = None) -> Point:
        """Return `point` with one or two values changed, only those of the parameters `free` where given."""
        names = [name for name in (point if free is None else free) if name in point]
        names = [name for name in names if name not in self.known]
        if not names:
            return self.completed({}, point)
        count = 1 if self._chance.random() < _SINGLE_SHARE else 2
        moved = frozenset(self._chance.choices(names, k=count))
        return self._walk({}, point, moved)

    def _walk(self, fixed: Mapping[str, Value], others: Point, moved: frozenset[str]) -> Point:
        values: dict[str, Value] = {}
        known = self.known
        for name, dimension, active in self._order:
            if active is not None and not active(values):
                continue
            if name in known:
                values[name] = known[name]
            elif name in fixed:
                values[name] = fixed[name]
            elif name not in others:
                values[name] = value_at(dimension, self._chance.random())
            else:
                values[name] = self._moved(name, dimension, others[name]) if name in moved else others[name]
        return values

    def _moved(self, name: str, dimension: Dimension, value: Value) -> Value:
        if isinstance(dimension, ChoiceDimension):
            return self._other_choice(dimension, self._ranked[name], value)
        place = unit_of(dimension, value)
        for _ in range(_TRIES):
            width = _FAR if self._chance.random() < 0.5 else _NEAR  # noqa: PLR2004 - a fair coin
            changed = value_at(dimension, self._chance.gauss(place, width))
            if changed != value:
                return changed
        return value_at(dimension, self._chance.random())

    def _other_choice(
        self, dimension: ChoiceDimension, ranked: Sequence[Value] | None, value: Value
    ) -> Value:
        if ranked is not None and self._chance.random() < _ADJACENT_SHARE:
            place = next(index for index, choice in enumerate(ranked) if _same(choice, value))
            place += self._chance.choice((-1, 1))
            if 0 <= place < len(ranked):
                return ranked[place]
        others = [choice for choice in dimension.choices if not _same(choice, value)]
        return self._chance.choice(others) if others else value


def _ranked(dimension: Dimension) -> Sequence[Value] | None:
    """Return the choices in their order, None where they have none."""
    if not isinstance(dimension, ChoiceDimension) or (places := ordered_places(dimension)) is None:
        return None
    return sorted(dimension.choices, key=lambda choice: places[type(choice).__name__, choice])


def all_points(space: SearchSpace, known: Mapping[str, Value], most: int) -> list[Point] | None:
    """Return all points with the values of `known`, None where there are more than `most`."""
    points: list[Point] = [{}]
    for parameter in space.parameters:
        options = [known[parameter.name]] if parameter.name in known else options_of(parameter.dimension)
        if options is None or len(options) > most:
            return None
        points = [wider for point in points for wider in _widened(point, parameter, options)]
        if len(points) > most:
            return None
    return points


def _widened(point: Point, parameter: SpaceParameter, options: Sequence[Value]) -> Iterator[Point]:
    if not parameter.active(point):
        yield point
        return
    for option in options:
        yield {**point, parameter.name: option}


def _same(left: Value, right: Value) -> bool:
    return left == right and isinstance(left, bool) == isinstance(right, bool)
