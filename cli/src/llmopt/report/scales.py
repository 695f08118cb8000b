"""Where values lie on an axis of a chart, and which of them are written beside it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from llmopt_core.results.numbers import number

# Space beside the outermost values, as a share of what they span.
_MARGIN = 0.06
_STEPS = (1, 2, 5)
_FEWEST_STEPS = 4
# Values that differ by less are shown on a linear axis, where more of the ticks are round.
_LEAST_LOG_FACTOR = 4.0
_MOST_LOG_TICKS = 6


@dataclass(frozen=True)
class Tick:
    """A value that is written beside an axis, and where."""

    at: float
    label: str


@dataclass(frozen=True)
class Axis:
    """An axis from `start` to `end` in the chart's own units, for values from `low` to `high`.

    `start` may be the larger one, as it is for values that grow upwards. A `log` axis needs positive values.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    whole: bool = False  # only whole numbers are written

    def place(self, value: float) -> float:
        """Return where `value` lies."""
        low, high, here = (math.log(each) if self.log else each for each in (self.low, self.high, value))
        return round(self.start + (here - low) / (high - low) * (self.end - self.start), 1)

    def ticks(self) -> tuple[Tick, ...]:
        """Return round values within the axis, four to eleven of them."""
        values = self._powers() if self.log else self._steps()
        return tuple(Tick(self.place(value), number(value).removesuffix(".0")) for value in values)

    def _steps(self) -> list[float]:
        step = _round_step((self.high - self.low) / _FEWEST_STEPS)
        step = max(1.0, step) if self.whole else step
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(place * step, 12) for place in range(first, last + 1)]

    def _powers(self) -> list[float]:
        exponents = range(math.floor(math.log10(self.low)) - 1, math.ceil(math.log10(self.high)) + 1)
        inside = [
            step * 10.0**exponent
            for exponent in exponents
            for step in _STEPS
            if self.low <= step * 10.0**exponent <= self.high
        ]
        return inside[:: math.ceil(len(inside) / _MOST_LOG_TICKS)]


@dataclass(frozen=True)
class Bands:
    """An axis of values without an order, each with a band of its own."""

    names: tuple[str, ...]
    start: float
    end: float

    def place(self, name: str) -> float:
        """Return where the middle of the band of `name` lies."""
        width = (self.end - self.start) / len(self.names)
        return round(self.start + (self.names.index(name) + 0.5) * width, 1)

    def ticks(self) -> tuple[Tick, ...]:
        """Return all values."""
        return tuple(Tick(self.place(name), name) for name in self.names)


def axis_of(values: Sequence[float], start: float, end: float, *, log: bool = False) -> Axis:
    """Return an axis that holds all `values` with some space beside them."""
    low, high = min(values), max(values)
    if log and 0 < low * _LEAST_LOG_FACTOR <= high:
        factor = (high / low) ** _MARGIN
        return Axis(low / factor, high * factor, start, end, log=True)
    space = (high - low) * _MARGIN or abs(high) * 0.1 or 1.0
    whole = all(isinstance(value, int) for value in values)
    return Axis(low - space, high + space, start, end, whole=whole)


def _round_step(most: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is at most `most`."""
    power = 10.0 ** math.floor(math.log10(most))
    return max(step * power for step in _STEPS if step == 1 or step * power <= most * (1 + 1e-9))
