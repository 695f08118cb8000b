"""The search space as Optuna's distributions."""

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


def distribution(dimension: Dimension) -> BaseDistribution:
    """Return Optuna's distribution for `dimension`."""
    if isinstance(dimension, ChoiceDimension):
        return CategoricalDistribution(dimension.choices)
    if isinstance(dimension, IntDimension):
        return IntDistribution(dimension.low, dimension.last, log=dimension.log, step=dimension.step)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log, step=dimension.step)


def distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """Return the distribution of every parameter of `space` by full name, in the space's order."""
    return {parameter.name: distribution(parameter.dimension) for parameter in space.parameters}


def suggest(trial: optuna.Trial, name: str, dimension: BaseDistribution) -> Value:
    """Return the value that the sampler suggests for `name`."""
    if isinstance(dimension, CategoricalDistribution):
        return cast("Value", trial.suggest_categorical(name, dimension.choices))
    if isinstance(dimension, IntDistribution):
        return trial.suggest_int(name, dimension.low, dimension.high, step=dimension.step, log=dimension.log)
    assert isinstance(dimension, FloatDistribution)  # noqa: S101 - Optuna has three distributions
    return trial.suggest_float(name, dimension.low, dimension.high, step=dimension.step, log=dimension.log)
