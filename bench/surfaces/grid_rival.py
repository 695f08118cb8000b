"""The grid that sweep tools walk: engine by engine, all request parameters on each."""

import math
import random
from collections.abc import Iterator, Mapping, Sequence

from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import (
    ChoiceDimension,
    Dimension,
    FloatDimension,
    IntDimension,
    SearchSpace,
    SpaceParameter,
)
from surfaces.rivals import Measurement, Rival, Setting

_LEVELS = 3


class GridRival(Rival):
    """Engines in random order, and on each the grid of all other parameters, in random order too.

    A range has three levels: both ends and the middle. As vLLM's own sweep does, an engine is kept for all
    its points. The grid is drawn as it is walked: its points may be too many to be listed.
    """

    def __init__(self, setting: Setting) -> None:
        self._points = self._walk(setting)

    def propose(self, _running_engine: Mapping[str, Value] | None) -> Mapping[str, Value] | None:
        """Return the next point."""
        return next(self._points, None)

    def observe(self, measurement: Measurement) -> None:
        """Learn nothing, but leave an engine that does not start."""
        if not measurement.works:
            self._failed = True

    def _walk(self, setting: Setting) -> Iterator[Mapping[str, Value]]:
        chance = random.Random(setting.seed)
        space, engine_names = setting.problem.space, setting.problem.engine_parameters
        engine = [each for each in space.parameters if each.name in engine_names]
        request = [each for each in space.parameters if each.name not in engine_names]
        for engine_values in _shuffled(engine, setting.trials, chance):
            self._failed = False
            seen: set[tuple[tuple[str, Value], ...]] = set()
            for request_values in _shuffled(request, setting.trials, chance):
                point = _active(space, {**engine_values, **request_values})
                if tuple(point.items()) in seen:
                    continue
                seen.add(tuple(point.items()))
                yield point
                if self._failed:
                    break


def _shuffled(
    parameters: Sequence[SpaceParameter], most: int, chance: random.Random
) -> Iterator[Mapping[str, Value]]:
    """Yield at most `most` points of the grid of `parameters`, none twice."""
    levels = {each.name: _options(each.dimension) for each in parameters}
    points = math.prod(len(options) for options in levels.values())
    for index in chance.sample(range(points), min(most, points)):
        values, left = {}, index
        for name, options in levels.items():
            left, at = divmod(left, len(options))
            values[name] = options[at]
        yield values


def _active(space: SearchSpace, values: Mapping[str, Value]) -> dict[str, Value]:
    active: dict[str, Value] = {}
    for parameter in space.parameters:
        if parameter.active(active):
            active[parameter.name] = values[parameter.name]
    return active


def _options(dimension: Dimension) -> Sequence[Value]:
    if isinstance(dimension, ChoiceDimension):
        return dimension.choices
    shares = [index / (_LEVELS - 1) for index in range(_LEVELS)]
    return list(dict.fromkeys(_at(dimension, share) for share in shares))


def _at(dimension: IntDimension | FloatDimension, share: float) -> Value:
    value: float
    if dimension.log:
        value = float(dimension.low * (dimension.high / dimension.low) ** share)
    else:
        value = dimension.low + share * (dimension.high - dimension.low)
    if dimension.step and not dimension.log:
        value = dimension.low + dimension.step * round((value - dimension.low) / dimension.step)
    value = min(max(value, dimension.low), dimension.high)
    return round(value) if isinstance(dimension, IntDimension) else value
