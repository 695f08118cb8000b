"""The search space without the optimiser: dimensions, their order and their conditions."""

from collections.abc import Mapping
from dataclasses import dataclass

from llmopt_core.search.configurations import Value


@dataclass(frozen=True)
class IntDimension:
    """Whole numbers from `low` to `high`, both included."""

    low: int
    high: int
    step: int = 1
    log: bool = False


@dataclass(frozen=True)
class FloatDimension:
    """Real numbers from `low` to `high`, both included; with `step`, a grid of them."""

    low: float
    high: float
    step: float | None = None
    log: bool = False


@dataclass(frozen=True)
class ChoiceDimension:
    """One of several values without an order."""

    choices: tuple[Value, ...]


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
        """Return the full names, in order."""
        return tuple(parameter.name for parameter in self.parameters)
