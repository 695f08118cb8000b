"""The search space as Optuna's distributions, and the walk through it that conditions demand."""

import math
from collections.abc import Callable, Mapping
from typing import cast

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import ChoiceDimension, Dimension, IntDimension, SearchSpace
from llmopt_core.study.errors import EnqueueInvalid


def distribution(dimension: Dimension) -> BaseDistribution:
    """Return Optuna's distribution for `dimension`."""
    if isinstance(dimension, ChoiceDimension):
        return CategoricalDistribution(dimension.choices)
    if isinstance(dimension, IntDimension):
        high = dimension.low + (dimension.high - dimension.low) // dimension.step * dimension.step
        return IntDistribution(dimension.low, high, log=dimension.log, step=dimension.step)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log, step=dimension.step)


def distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """Return the distribution of every parameter of `space` by full name, in order."""
    return {parameter.name: distribution(parameter.dimension) for parameter in space.parameters}


def contains(dimension: BaseDistribution, value: Value) -> bool:
    """Say whether `value` is one that `dimension` can give."""
    if isinstance(dimension, CategoricalDistribution):
        return any(type(choice) is type(value) and choice == value for choice in dimension.choices)
    if isinstance(value, bool | str) or not math.isfinite(value):
        return False
    if value <= 0 and getattr(dimension, "log", False):
        return False  # it has no place there, and Optuna would raise
    if isinstance(dimension, IntDistribution) and value != int(value):
        return False
    return dimension._contains(dimension.to_internal_repr(value))  # noqa: SLF001 - Optuna has no public one


def walk(space: SearchSpace, choose: Callable[[str], Value]) -> dict[str, Value]:
    """Return one value per active parameter, asking `choose` in order, so that conditions are known."""
    values: dict[str, Value] = {}
    for parameter in space.parameters:
        if parameter.active(values):
            values[parameter.name] = choose(parameter.name)
    return values


def suggest(trial: optuna.Trial, name: str, dimension: BaseDistribution) -> Value:
    """Return the value that the sampler suggests for `name`."""
    if isinstance(dimension, CategoricalDistribution):
        return cast("Value", trial.suggest_categorical(name, dimension.choices))
    if isinstance(dimension, IntDistribution):
        return trial.suggest_int(name, dimension.low, dimension.high, step=dimension.step, log=dimension.log)
    assert isinstance(dimension, FloatDistribution)  # noqa: S101 - Optuna has three distributions
    return trial.suggest_float(name, dimension.low, dimension.high, step=dimension.step, log=dimension.log)


def check_enqueued(space: SearchSpace, entries: tuple[Mapping[str, Value], ...]) -> None:
    """Raise EnqueueInvalid for the first entry that does not lie in `space`, naming it and the parameter."""
    known = distributions(space)
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
        if not contains(distribution(parameter.dimension), values[parameter.name]):
            return None
        known[parameter.name] = values[parameter.name]
    return known
