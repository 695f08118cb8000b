"""One dimension as the interval from 0 to 1: the value at a place, and the place of a value."""

import math
from collections.abc import Sequence

from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import ChoiceDimension, Dimension, FloatDimension, IntDimension

# Sums of float steps differ from the grid by rounding: so many digits of them are kept.
DIGITS = 12


def value_at(dimension: Dimension, unit: float) -> Value:
    """Return the value of `dimension` at `unit`, from 0 to 1; equal parts of the interval for each step."""
    unit = min(max(unit, 0.0), 1.0)
    if isinstance(dimension, ChoiceDimension):
        return dimension.choices[min(int(unit * len(dimension.choices)), len(dimension.choices) - 1)]
    if dimension.log:
        return _at_log(dimension, unit)
    if dimension.step is None:
        return dimension.low + unit * (dimension.high - dimension.low)
    steps = _steps(dimension)
    index = min(int(unit * (steps + 1)), steps)
    if isinstance(dimension, IntDimension):
        return dimension.low + index * dimension.step
    return round(dimension.low + index * dimension.step, DIGITS)


def unit_of(dimension: Dimension, value: Value) -> float:
    """Return the place of `value` in a numeric `dimension`, from 0 at its low to 1 at its high."""
    assert not isinstance(dimension, ChoiceDimension | str)  # noqa: S101 - choices have no distances
    if dimension.high <= dimension.low:
        return 0.0
    low, high, place = float(dimension.low), float(dimension.high), float(value)
    if dimension.log:
        low, high, place = math.log(low), math.log(high), math.log(place)
    return min(max((place - low) / (high - low), 0.0), 1.0)


def options_of(dimension: Dimension) -> Sequence[Value] | None:
    """Return all values of `dimension`, None where it is continuous."""
    if isinstance(dimension, ChoiceDimension):
        return dimension.choices
    if isinstance(dimension, IntDimension):
        return range(dimension.low, dimension.high + 1, 1 if dimension.log else dimension.step)
    if dimension.step is None or dimension.log:
        return None
    return [round(dimension.low + index * dimension.step, DIGITS) for index in range(_steps(dimension) + 1)]


def _at_log(dimension: Dimension, unit: float) -> Value:
    assert not isinstance(dimension, ChoiceDimension)  # noqa: S101 - choices have no scale
    if isinstance(dimension, IntDimension):
        low, high = math.log(dimension.low - 0.5), math.log(dimension.high + 0.5)
        return min(max(round(math.exp(low + unit * (high - low))), dimension.low), dimension.high)
    low, high = math.log(dimension.low), math.log(dimension.high)
    return min(max(math.exp(low + unit * (high - low)), dimension.low), dimension.high)


def _steps(dimension: IntDimension | FloatDimension) -> int:
    assert dimension.step is not None  # noqa: S101 - asked only of grids
    return math.floor((dimension.high - dimension.low) / dimension.step + 1e-9)
