"""Random configurations of a search space."""

import math
from collections.abc import Mapping

import numpy as np

from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import ChoiceDimension, Dimension, FloatDimension, SearchSpace

# How many parameters a neighbour has changed, on average.
_CHANGED = 1.5


def draw(space: SearchSpace, chance: np.random.Generator) -> dict[str, Value]:
    """Return a configuration with each active parameter drawn uniformly (on its scale)."""
    values: dict[str, Value] = {}
    for parameter in space.parameters:
        if parameter.active(values):
            values[parameter.name] = _drawn(parameter.dimension, chance)
    return values


def neighbour(space: SearchSpace, of: Mapping[str, Value], chance: np.random.Generator) -> dict[str, Value]:
    """Return a configuration that keeps most values of another."""
    share = min(1.0, _CHANGED / len(space.parameters))
    values: dict[str, Value] = {}
    for parameter in space.parameters:
        if parameter.active(values):
            kept = parameter.name in of and chance.random() >= share
            values[parameter.name] = of[parameter.name] if kept else _drawn(parameter.dimension, chance)
    return values


def _drawn(dimension: Dimension, chance: np.random.Generator) -> Value:
    if isinstance(dimension, ChoiceDimension):
        return dimension.choices[int(chance.integers(len(dimension.choices)))]
    if dimension.log:
        value = math.exp(chance.uniform(math.log(dimension.low), math.log(dimension.high)))
    elif dimension.step is not None:
        steps = math.floor((dimension.high - dimension.low) / dimension.step + 1e-9)
        value = dimension.low + dimension.step * int(chance.integers(steps + 1))
    else:
        value = chance.uniform(dimension.low, dimension.high)
    value = min(max(value, dimension.low), dimension.high)
    return float(value) if isinstance(dimension, FloatDimension) else round(value)
