"""The search space without the optimiser: dimensions, their order and their conditions."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeGuard

from llmopt_core.search.configurations import Value

# Sums of float steps differ from the grid by rounding.
_TOLERANCE = 1e-9
_SHOWN_CHARACTERS = 64


class OutsideSpace(ValueError):
    """A configuration is no point of the search space; the message names the parameter and its value."""


def is_finite_number(value: object) -> TypeGuard[int | float]:
    """Say whether `value` is a number that a float can hold; a whole number may have thousands of digits."""
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max


@dataclass(frozen=True)
class IntDimension:
    """Whole numbers from `low` to `high`, both included."""

    low: int
    high: int
    step: int = 1
    log: bool = False

    @property
    def last(self) -> int:
        """The greatest value: `high`, or the last step below it."""
        return self.low + (self.high - self.low) // self.step * self.step

    def settled(self, value: object) -> Value | None:
        """Return `value` as this dimension has it, None where it has not."""
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        inside = self.low <= value <= self.high and (self.log or (value - self.low) % self.step == 0)
        return value if inside else None


@dataclass(frozen=True)
class FloatDimension:
    """Real numbers from `low` to `high`, both included; with `step`, a grid of them."""

    low: float
    high: float
    step: float | None = None
    log: bool = False

    @property
    def last(self) -> float:
        """The greatest value: `high`, or the last step below it."""
        if self.step is None:
            return self.high
        low, high, step = (Decimal(str(number)) for number in (self.low, self.high, self.step))
        return float(low + (high - low) // step * step)

    def settled(self, value: object) -> Value | None:
        """Return `value` as this dimension has it, None where it has not."""
        if isinstance(value, bool) or not is_finite_number(value):
            return None
        slack = _TOLERANCE * max(1.0, abs(self.low), abs(self.high))
        if not self.low - slack <= value <= self.high + slack:
            return None
        if self.step is None or self.log:
            return min(max(float(value), self.low), self.high)
        steps = (value - self.low) / self.step
        return float(value) if abs(steps - round(steps)) * self.step <= slack else None


@dataclass(frozen=True)
class ChoiceDimension:
    """One of several values without an order."""

    choices: tuple[Value, ...]

    def settled(self, value: object) -> Value | None:
        """Return the choice that `value` is equal to, None where there is none."""
        same = (
            choice
            for choice in self.choices
            if choice == value and isinstance(choice, bool) == isinstance(value, bool)
        )
        return next(same, None)


Dimension = IntDimension | FloatDimension | ChoiceDimension


@dataclass(frozen=True)
class Condition:
    """Holds when parameter `name` is active and its value is one of `among` and within the bounds."""

    name: str
    among: tuple[Value, ...] | None = None
    above: float | None = None
    below: float | None = None

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Say whether the condition holds under the active `values` by full name."""
        if self.name not in values:
            return False
        value = values[self.name]
        if self.among is not None and value not in self.among:
            return False
        if self.above is not None and not (isinstance(value, int | float) and value > self.above):
            return False
        return self.below is None or (isinstance(value, int | float) and value < self.below)


@dataclass(frozen=True)
class SpaceParameter:
    """One dimension by full name (`engine.n_parallel`), active when all its conditions hold."""

    name: str
    dimension: Dimension
    when: tuple[Condition, ...] = ()

    def active(self, values: Mapping[str, Value]) -> bool:
        """Say whether the parameter is asked under the `values` of those before it."""
        return all(condition.holds(values) for condition in self.when)


@dataclass(frozen=True)
class SearchSpace:
    """Parameters in the order they are asked: a condition names only earlier ones."""

    parameters: tuple[SpaceParameter, ...]

    def names(self) -> tuple[str, ...]:
        """Return the full names, in the order of the manifest."""
        return tuple(parameter.name for parameter in self.parameters)

    def settled(self, values: Mapping[str, object]) -> dict[str, Value]:
        """Return `values` by full name as this space has them: text is the space's own, never the caller's.

        For values that somebody else wrote. Raises OutsideSpace where a name is not searched, a condition
        does not hold, or a value is of another type or out of its dimension.
        """
        settled: dict[str, Value] = {}
        for parameter in self.parameters:
            if parameter.name not in values:
                continue
            value = values[parameter.name]
            if not parameter.active(settled):
                raise OutsideSpace(f"{parameter.name} is given though its conditions do not hold")
            if (found := parameter.dimension.settled(value)) is None:
                raise OutsideSpace(f"{parameter.name} = {_shown(value)} is out of its range or choices")
            settled[parameter.name] = found
        if strange := sorted(set(values) - set(self.names())):
            raise OutsideSpace(f"{_shown(strange[0])} is not searched")
        return settled


def _shown(value: object) -> str:
    """A short text without control characters."""
    text = ascii(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
