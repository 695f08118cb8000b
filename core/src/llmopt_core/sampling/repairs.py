"""A configuration that an engine refused for a known reason, changed as the reason asks. Pure.

Only what is searched is changed, and only within the search space: what a manifest fixes is what its user
wants, and a value that nobody asked for answers no question of the search.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import floor

from llmopt_core.errors.classes import Failure
from llmopt_core.errors.limits import Limit
from llmopt_core.errors.remedies import Change, Remedy
from llmopt_core.sampling.dimensions import DIGITS, options_of
from llmopt_core.search.configurations import Configuration, Value
from llmopt_core.search.spaces import ChoiceDimension, Dimension, FloatDimension, IntDimension, SearchSpace
from llmopt_core.storage.points import contains, dimensions, known_part

# A dimension with more values is not searched for one that divides.
_MOST_OPTIONS = 100_000
# How much of a value is left by a change that lowers it.
_SHARES: Mapping[Change, float] = {Change.HALVE: 0.5, Change.LOWER: 0.9}


@dataclass(frozen=True)
class Refused:
    """A trial that an engine refused: its own parameters, what they came to, and why it was refused."""

    parameters: Mapping[str, Value]
    configuration: Configuration
    failure: Failure


def repair(
    refused: Refused, space: SearchSpace, may_work: Callable[[Mapping[str, Value]], bool]
) -> dict[str, Value] | None:
    """Return searched parameters, by full name, that are worth one more try; None: there are none.

    They are those of `refused` but for one, which is at the limit that the engine named, or changed as it
    advises; limits come first. `may_work` says whether parameters are not known to be refused, or measured.
    """
    known = dimensions(space)
    for name, value in (*_by_limits(refused, known), *_by_advice(refused, known)):
        changed = _with(refused, space, name, value)
        if changed is not None and may_work(changed):
            return changed
    return None


def _by_limits(refused: Refused, known: Mapping[str, Dimension]) -> Iterator[tuple[str, Value]]:
    for limit in refused.failure.limits:
        dimension = known.get(f"engine.{limit.parameter}")
        asked = _number(refused.configuration.engine.get(limit.parameter, limit.unset_means))
        if dimension is None or asked is None:
            continue
        if (found := _within(limit, dimension, asked)) is not None:
            yield f"engine.{limit.parameter}", found


def _within(limit: Limit, dimension: Dimension, asked: float) -> Value | None:
    """Return the value of `dimension` that keeps `limit` and is nearest to what was asked for.

    It is larger only where the engine wants more: more devices than were asked for may not be there.
    """
    kept = list(_keeping(limit, dimension))
    if limit.least is not None:
        return min((value for value in kept if value > asked), default=None)
    return max((value for value in kept if value < asked), default=None)


def _by_advice(refused: Refused, known: Mapping[str, Dimension]) -> Iterator[tuple[str, Value]]:
    for remedy in refused.failure.remedies:
        dimension = known.get(f"engine.{remedy.parameter}")
        asked = refused.configuration.engine.get(remedy.parameter)
        if dimension is not None and (found := _advised(remedy, dimension, asked)) is not None:
            yield f"engine.{remedy.parameter}", found


def _advised(remedy: Remedy, dimension: Dimension, asked: Value | None) -> Value | None:
    """Return the searched value that `remedy` advises in place of `asked`; None where there is none."""
    if remedy.change is Change.TAKE:
        wanted = remedy.value
        return None if wanted is None or wanted == asked or not contains(dimension, wanted) else wanted
    number = _number(asked)
    if number is None:
        return None
    if remedy.change is Change.MOST:
        return max((value for value in _reachable(dimension) if value > number), default=None)
    if remedy.change is Change.DOUBLE:
        least = Limit(remedy.parameter, least=2 * number)
        return min(_keeping(least, dimension), default=None)
    most = Limit(remedy.parameter, most=_SHARES[remedy.change] * number)
    return max(_keeping(most, dimension), default=None)


def _reachable(dimension: Dimension) -> Iterator[int | float]:
    yield from _numbers(dimension)
    if not isinstance(dimension, ChoiceDimension):
        yield from (dimension.low, dimension.last)


def _keeping(limit: Limit, dimension: Dimension) -> Iterator[int | float]:
    """Give the values of `dimension` that keep `limit`; of a range those next to it are enough."""
    values = (*_numbers(dimension), *_at_bound(limit, dimension))
    yield from (value for value in values if limit.allows(value))


def _numbers(dimension: Dimension) -> Iterator[int | float]:
    """Give the numbers of a dimension that has no more than can be looked at."""
    options = options_of(dimension)
    if options is not None and len(options) <= _MOST_OPTIONS:
        yield from (each for each in options if isinstance(each, int | float) and not isinstance(each, bool))


def _at_bound(limit: Limit, dimension: Dimension) -> Iterator[int | float]:
    """Give the values of a range that lie next to a bound."""
    bound = limit.most if limit.least is None else limit.least
    if isinstance(dimension, ChoiceDimension) or bound is None:
        return
    below = _last_up_to(bound, dimension)
    nearby = (round(each, DIGITS) for each in (below, below + (dimension.step or 0), dimension.low))
    yield from (value for value in nearby if contains(dimension, value))


def _last_up_to(bound: float, dimension: IntDimension | FloatDimension) -> int | float:
    if isinstance(dimension, FloatDimension) and (dimension.step is None or dimension.log):
        return bound
    step = 1 if dimension.log else dimension.step or 1
    return dimension.low + floor((min(bound, dimension.high) - dimension.low) / step) * step


def _with(refused: Refused, space: SearchSpace, name: str, value: Value) -> dict[str, Value] | None:
    """Return the searched parameters with `name` changed; None where a condition then asks for another.

    The default has no parameters of its own, and what it comes to may lie outside the space: then only what
    is changed is included besides it.
    """
    tried = {**refused.configuration.flat(), **refused.parameters, name: value}
    if (whole := known_part(space, tried)) is not None:
        return whole if name in whole else None
    return None if refused.parameters else {name: value}


def _number(value: Value | None) -> float | None:
    return None if value is None or isinstance(value, bool | str) else float(value)
