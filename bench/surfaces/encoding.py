"""Configurations as numbers: what the distance of Gower and the forest are computed from."""

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import ChoiceDimension, Dimension, SearchSpace

Matrix = NDArray[np.float64]


def positions(space: SearchSpace, configurations: Iterable[Mapping[str, Value]]) -> Matrix:
    """Return one row per configuration and one column per parameter, NaN where it is not active.

    A number is its place within the range (0 to 1; on a logarithmic scale where the range has one), and so is
    a choice among numbers, by its rank. A choice among texts is its index.
    """
    rows = [
        [_position(each.dimension, values.get(each.name)) for each in space.parameters]
        for values in configurations
    ]
    return np.array(rows, dtype=float).reshape(len(rows), len(space.parameters))


def nominal(space: SearchSpace) -> NDArray[np.bool_]:
    """Return for each parameter whether its values have no order."""
    return np.array([_is_nominal(each.dimension) for each in space.parameters], dtype=bool)


def gower_distances(space: SearchSpace, rows: Matrix, point: Matrix) -> Matrix:
    """Return the distance of `point` to each of `rows`, from 0 to 1 (Gower 1971; ranks: Podani 1999).

    It is the mean over the parameters that are active in at least one of the two; one that is active in only
    one of them counts 1.
    """
    apart = np.where(nominal(space), (rows != point).astype(float), np.abs(rows - point))
    missing = np.isnan(rows), np.isnan(point)[None, :].repeat(len(rows), axis=0)
    apart = np.where(missing[0] ^ missing[1], 1.0, apart)
    both = missing[0] & missing[1]
    counted = np.maximum(1, (~both).sum(axis=1))
    distances: Matrix = np.where(both, 0.0, apart).sum(axis=1) / counted
    return distances


def features(space: SearchSpace, configurations: Iterable[Mapping[str, Value]]) -> Matrix:
    """Return what a forest splits on: `positions`, with a column for each of the values without an order."""
    table = positions(space, configurations)
    columns = []
    for place, parameter in enumerate(space.parameters):
        column = table[:, place]
        if isinstance(parameter.dimension, ChoiceDimension) and _is_nominal(parameter.dimension):
            columns += [(column == index).astype(float) for index in range(len(parameter.dimension.choices))]
        else:
            columns.append(np.where(np.isnan(column), -1.0, column))
    return np.column_stack(columns)


def _is_nominal(dimension: Dimension) -> bool:
    if not isinstance(dimension, ChoiceDimension):
        return False
    return any(isinstance(choice, bool | str) for choice in dimension.choices)


def _position(dimension: Dimension, value: Value | None) -> float:
    if value is None:
        return math.nan
    if isinstance(dimension, ChoiceDimension):
        if _is_nominal(dimension):
            return float(dimension.choices.index(value))
        order = sorted(float(choice) for choice in dimension.choices)
        return order.index(float(value)) / max(1, len(order) - 1)
    low, high, at = float(dimension.low), float(dimension.high), float(value)
    if dimension.log:
        low, high, at = math.log(low), math.log(high), math.log(at)
    return (at - low) / (high - low) if high > low else 0.0
