"""SMAC3 as a rival: its facade for hyperparameters, a random forest with expected improvement."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ConfigSpace import (
    AndConjunction,
    CategoricalHyperparameter,
    ConfigurationSpace,
    Constant,
    GreaterThanCondition,
    InCondition,
    LessThanCondition,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)
from joblib import parallel_config
from smac import HyperparameterOptimizationFacade, Scenario
from smac.runhistory.dataclasses import TrialInfo, TrialValue
from smac.runhistory.enumerations import StatusType

from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import ChoiceDimension, Condition, Dimension, IntDimension, SearchSpace
from surfaces.rivals import Measurement, Rival, Setting


class SmacRival(Rival):
    """SMAC3 with its defaults; each configuration is measured once.

    It knows no constraints. A configuration that breaks one, or whose engine does not start, is reported as
    crashed, at the worst cost so far; those before the first cost are reported with it.
    """

    def __init__(self, setting: Setting) -> None:
        self._space = setting.problem.space
        self._folder = tempfile.TemporaryDirectory()
        scenario = Scenario(
            _configuration_space(self._space, setting.seed),
            name="surface",
            output_directory=Path(self._folder.name),
            deterministic=True,
            n_trials=setting.trials,
            seed=setting.seed,
        )
        self._smac = HyperparameterOptimizationFacade(
            scenario, _never_called, overwrite=True, logging_level=False
        )
        self._asked: TrialInfo | None = None
        self._crashed: list[TrialInfo] = []
        self._worst: float | None = None

    def propose(self, _running_engine: Mapping[str, Value] | None) -> Mapping[str, Value] | None:
        """Return what SMAC asks for; it raises StopIteration when it finds nothing new."""
        try:
            with parallel_config(
                backend="sequential"
            ):  # a pool of threads for each forest takes most of the time
                self._asked = self._smac.ask()
        except StopIteration:
            return None
        found = dict(self._asked.config)
        return {
            each.name: _value(each.dimension, found[each.name])
            for each in self._space.parameters
            if each.name in found
        }

    def observe(self, measurement: Measurement) -> None:
        """Report the cost to SMAC."""
        assert self._asked is not None
        if measurement.utility is not None:
            cost = -measurement.utility
            self._worst = cost if self._worst is None else max(self._worst, cost)
        if measurement.works and all(broken <= 0 for broken in measurement.violations):
            self._report(self._asked, -(measurement.utility or 0.0), StatusType.SUCCESS)
        else:
            self._crashed.append(self._asked)
        if self._worst is not None:
            for info in self._crashed:
                self._report(info, self._worst, StatusType.CRASHED)
            self._crashed.clear()

    def _report(self, info: TrialInfo, cost: float, status: StatusType) -> None:
        self._smac.tell(info, TrialValue(cost=cost, status=status), save=False)


def _never_called(config: Any, seed: int = 0) -> float:  # noqa: ARG001 - the form that SMAC checks
    raise AssertionError("SMAC is used through `ask` and `tell`")


def _value(dimension: Dimension, found: Any) -> Value:
    if isinstance(dimension, ChoiceDimension):
        return dimension.choices[int(found)]
    return int(found) if isinstance(dimension, IntDimension) else float(found)


def _configuration_space(space: SearchSpace, seed: int) -> ConfigurationSpace:
    """Return `space` as SMAC has it; a choice stands for its index, since SMAC's are of one type."""
    made = ConfigurationSpace(seed=seed)
    parameters = {each.name: _hyperparameter(each.name, each.dimension) for each in space.parameters}
    dimensions = {each.name: each.dimension for each in space.parameters}
    made.add(list(parameters.values()))
    for parameter in space.parameters:
        parts = [
            part
            for condition in parameter.when
            for part in _conditions(parameters, parameter.name, condition, dimensions[condition.name])
        ]
        if parts:
            made.add(parts[0] if len(parts) == 1 else AndConjunction(*parts))
    return made


def _hyperparameter(name: str, dimension: Dimension) -> Any:
    if isinstance(dimension, ChoiceDimension):
        return CategoricalHyperparameter(name, [str(index) for index in range(len(dimension.choices))])
    if dimension.low == dimension.high:
        return Constant(name, dimension.low)
    kind = UniformIntegerHyperparameter if isinstance(dimension, IntDimension) else UniformFloatHyperparameter
    return kind(name, dimension.low, dimension.high, log=dimension.log)


def _conditions(
    parameters: Mapping[str, Any], name: str, condition: Condition, parent: Dimension
) -> list[Any]:
    child, other = parameters[name], parameters[condition.name]
    if isinstance(parent, ChoiceDimension):
        indices = [
            str(index)
            for index, choice in enumerate(parent.choices)
            if condition.holds({condition.name: choice})
        ]
        return [InCondition(child, other, indices)]
    made: list[Any] = []
    if condition.among is not None:
        made.append(InCondition(child, other, list(condition.among)))
    if condition.above is not None:
        made.append(GreaterThanCondition(child, other, condition.above))
    if condition.below is not None:
        made.append(LessThanCondition(child, other, condition.below))
    return made
