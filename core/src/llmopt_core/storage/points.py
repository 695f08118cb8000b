"""Points of a search space: the walk that conditions demand, and which values lie inside."""

import math
from collections.abc import Callable, Mapping

from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import ChoiceDimension, Dimension, FloatDimension, IntDimension, SearchSpace
from llmopt_core.storage.errors import EnqueueInvalid

Identity = tuple[tuple[str, str, Value], ...]
# Sums of float steps differ from the grid by rounding.
_STEP_TOLERANCE = 1e-8


def dimensions(space: SearchSpace) -> dict[str, Dimension]:
    """Return the dimension of every parameter of `space` by full name, in the space's order."""
    return {parameter.name: parameter.dimension for parameter in space.parameters}


def contains(dimension: Dimension, value: Value) -> bool:
    """Say whether `value` is one that `dimension` can give."""
    if isinstance(dimension, ChoiceDimension):
        return any(type(choice) is type(value) and choice == value for choice in dimension.choices)
    if isinstance(value, bool | str) or not math.isfinite(value):
        return False
    if not dimension.low <= value <= dimension.high:
        return False
    if isinstance(dimension, IntDimension) and value != int(value):
        return False
    return dimension.log or _on_grid(dimension, value)


def _on_grid(dimension: IntDimension | FloatDimension, value: float) -> bool:
    if dimension.step is None:
        return True
    steps = (value - dimension.low) / dimension.step
    return abs(steps - round(steps)) < _STEP_TOLERANCE


def identity(point: Mapping[str, Value]) -> Identity:
    """Return what distinguishes points: 1, 1.0 and True are three values."""
    return tuple([(name, type(point[name]).__name__, point[name]) for name in sorted(point)])


def walk(space: SearchSpace, choose: Callable[[str], Value]) -> dict[str, Value]:
    """Return one value per active parameter, asking `choose` for a condition's parameter first."""
    values: dict[str, Value] = {}
    for parameter in space.parameters:
        if parameter.active(values):
            values[parameter.name] = choose(parameter.name)
    return values


def check_enqueued(space: SearchSpace, entries: tuple[Mapping[str, Value], ...]) -> None:
    """Raise EnqueueInvalid for the first entry that does not lie in `space`, naming it and the parameter."""
    known = dimensions(space)
    for position, entry in enumerate(entries):
        for name, value in entry.items():
            if name not in known:
                searched = ", ".join(known) or "nothing"
                raise EnqueueInvalid(f"enqueue[{position}]: {name} is not searched; searched is {searched}")
            if not contains(known[name], value):
                raise EnqueueInvalid(f"enqueue[{position}]: {name} = {value!r} lies outside {known[name]}")


def known_part(space: SearchSpace, values: Mapping[str, Value]) -> dict[str, Value] | None:
    """Return the active parameters of `values`, or None where one is missing or lies outside the space."""
    known: dict[str, Value] = {}
    for parameter in space.parameters:
        if not parameter.active(known):
            continue
        if parameter.name not in values:
            return None
        if not contains(parameter.dimension, values[parameter.name]):
            return None
        known[parameter.name] = values[parameter.name]
    return known
