"""Points of a mixed, conditional search space as the rows of numbers that regression models read."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import ChoiceDimension, Dimension, SearchSpace

Point = Mapping[str, Value]
Matrix = NDArray[np.float64]

# What an inactive parameter's columns hold; active ones lie between 0 and 1.
INACTIVE = -1.0
# Hardware works in powers of two: block and batch sizes that are none can be far slower than their neighbours
# that are, which no smooth model of the ranks can express. With fewer choices the rank says it all.
_LEAST_FOR_POWERS = 4


@dataclass(frozen=True)
class _Axis:
    """The columns of one parameter: one for numbers and ordered choices, else one per choice."""

    name: str
    dimension: Dimension
    table: Mapping[tuple[str, Value], tuple[float, ...]] | None
    width: int

    def columns(self, points: Sequence[Point]) -> Matrix:
        """Return the columns of `points`, shape (points, width)."""
        if self.table is None:
            values = [point.get(self.name, math.nan) for point in points]
            return _places(self.dimension, np.array(values, dtype=np.float64))[:, None]
        table, inactive = self.table, (INACTIVE,) * self.width
        found = [
            table[type(value).__name__, value] if (value := point.get(self.name)) is not None else inactive
            for point in points
        ]
        return np.array(found, dtype=np.float64).reshape(len(points), self.width)


def _places(dimension: Dimension, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the places of many numbers as `unit_of` does, that of NaN as INACTIVE."""
    assert not isinstance(dimension, ChoiceDimension)  # noqa: S101 - choices have a table
    low, high = float(dimension.low), float(dimension.high)
    if dimension.log:
        low, high, values = math.log(low), math.log(high), np.log(values)
    places = np.clip((values - low) / (high - low), 0.0, 1.0) if high > low else 0.0 * values
    return np.where(np.isnan(values), INACTIVE, places)


class Encoding:
    """Rows for points of one space.

    A number becomes its place in its range, on a log scale where the range has one. Choices that are all
    numbers, or texts that read as numbers, become their rank, with a second column for powers of two where
    only some are one; two choices become one column; other choices an indicator each.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._axes = tuple(_axis(each.name, each.dimension) for each in space.parameters)
        self.names = tuple(axis.name for axis in self._axes for _ in range(axis.width))
        """The parameter of each column."""

    @property
    def width(self) -> int:
        """How many columns a row has."""
        return len(self.names)

    def rows(self, points: Sequence[Point]) -> Matrix:
        """Return one row per point, shape (points, width)."""
        if not points or not self._axes:
            return np.zeros((len(points), self.width))
        return np.hstack([axis.columns(points) for axis in self._axes])


def _axis(name: str, dimension: Dimension) -> _Axis:
    if not isinstance(dimension, ChoiceDimension):
        return _Axis(name, dimension, None, 1)
    places = ordered_places(dimension)
    if places is not None:
        return _ordered_axis(name, dimension, places)
    count = len(dimension.choices)
    table = {
        (type(choice).__name__, choice): tuple(float(index == other) for other in range(count))
        for index, choice in enumerate(dimension.choices)
    }
    return _Axis(name, dimension, table, count)


def _ordered_axis(name: str, dimension: ChoiceDimension, places: Mapping[tuple[str, Value], float]) -> _Axis:
    powers = {key: float(_is_power_of_two(key[1])) for key in places}
    if len(places) < _LEAST_FOR_POWERS or len(set(powers.values())) == 1:
        return _Axis(name, dimension, {key: (place,) for key, place in places.items()}, 1)
    return _Axis(name, dimension, {key: (place, powers[key]) for key, place in places.items()}, 2)


def ordered_places(dimension: ChoiceDimension) -> dict[tuple[str, Value], float] | None:
    """Return each choice's rank scaled to 0..1 where the choices have an order, None where they have none.

    Numbers and texts that read as numbers have one. So have two choices, for one column says all of them.
    """
    choices = dimension.choices
    numbers = [_number(choice) for choice in choices]
    if any(number is None for number in numbers):
        if len(choices) > 2:  # noqa: PLR2004
            return None
        numbers = [float(index) for index in range(len(choices))]
    ranks = sorted({number for number in numbers if number is not None})
    last = max(1, len(ranks) - 1)
    return {
        (type(choice).__name__, choice): ranks.index(number) / last
        for choice, number in zip(choices, numbers, strict=True)
        if number is not None
    }


def _is_power_of_two(choice: Value) -> bool:
    number = _number(choice)
    return number is not None and number > 0 and math.frexp(number)[0] == 0.5  # noqa: PLR2004 - the mantissa


def _number(choice: Value) -> float | None:
    try:
        number = float(choice)
    except ValueError:
        return None
    return number if np.isfinite(number) else None
