"""What was tried already, and which engines do not start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from llmopt_core.sampling.auto.encoding import Point
from llmopt_core.sampling.auto.models import MEASURED, REFUSED
from llmopt_core.sampling.observations import Observation, Problem
from llmopt_core.search.configurations import Value
from llmopt_core.storage.points import Identity, identity


@dataclass(frozen=True)
class Tried:
    """The trials of a study, indexed. `refused` are engines that failed and never served."""

    engine_parameters: frozenset[str]
    measured: tuple[Observation, ...]
    points: frozenset[Identity]
    refused: frozenset[Identity]

    @classmethod
    def of(cls, problem: Problem, observations: Sequence[Observation]) -> Self:
        """Return what `observations` show."""
        names = problem.engine_parameters
        measured = tuple(each for each in observations if each.state in MEASURED)
        served = {identity(engine_part(each.parameters, names)) for each in measured}
        failed = {
            identity(engine_part(each.parameters, names))
            for each in observations
            if each.state in REFUSED and not each.of_requests
        }
        points = frozenset(identity(each.parameters) for each in observations)
        return cls(names, measured, points, frozenset(failed - served) if names else frozenset())

    def has(self, metrics: Sequence[str]) -> bool:
        """Say whether each of `metrics` was measured: a trial that was stopped may have some of them."""
        return all(any(name in each.metrics for each in self.measured) for name in metrics)

    def open(self, point: Point, key: Identity | None = None) -> bool:
        """Say whether `point`, of identity `key`, was not tried and its engine did not refuse to start."""
        if (key or identity(point)) in self.points:
            return False
        if not self.refused:
            return True
        return identity(engine_part(point, self.engine_parameters)) not in self.refused


def engine_part(point: Point, engine_parameters: frozenset[str]) -> Mapping[str, Value]:
    """Return the values of `point` whose change needs an engine start."""
    return {name: value for name, value in point.items() if name in engine_parameters}
