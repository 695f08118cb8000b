"""What a sampler knows: the question of the study and what was measured so far, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage.earlier import Learned
from llmopt_core.storage.records import ConstraintDefinition, ObjectiveDefinition


class ObservedState(StrEnum):
    """How far a trial is, and whether its configuration works."""

    MEASURED = "measured"
    STOPPED = "stopped"  # before all items were measured: its metrics are estimates from fewer items
    INFEASIBLE = "infeasible"  # does not fit, or the engine refuses it
    FAILED = "failed"
    RUNNING = "running"


@dataclass(frozen=True)
class Problem:
    """The question of a study.

    `engine_parameters` are the full names of parameters whose change needs an engine start; all others are
    sent with each request. `baseline` holds the parameters of the measured default as far as they lie in the
    space.
    """

    space: SearchSpace
    engine_parameters: frozenset[str]
    objectives: tuple[ObjectiveDefinition, ...]
    constraints: tuple[ConstraintDefinition, ...] = ()
    baseline: Mapping[str, Value] = field(default_factory=dict)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics of the objectives and the constraints, each once."""
        aims = [each.metric for each in self.objectives] + [each.metric for each in self.constraints]
        return tuple(dict.fromkeys(aims))


@dataclass(frozen=True)
class Observation:
    """One trial of the baseline or the search.

    `parameters` holds one value per active parameter, by full name. `standard_errors` gives the uncertainty
    of a metric's value where it is known. `seconds` is the time of the measurement, `start_seconds` that of
    the engine start before it, None where the engine was running already. `of_requests` says of a trial that
    failed that it did by what its requests ask: its engine may work.
    """

    parameters: Mapping[str, Value]
    state: ObservedState
    metrics: Mapping[str, float] = field(default_factory=dict)
    standard_errors: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    start_seconds: float | None = None
    is_baseline: bool = False
    of_requests: bool = False


@dataclass(frozen=True)
class Advice:
    """A proposed configuration and what the sampler expects of it.

    `expected_gain` is the expected improvement of the objective over the best feasible configuration,
    relative to it; `seconds` is the expected time including an engine start where one is needed. `bound` is
    the relative gain that no remaining configuration exceeds with 95 % probability, None while unknown.
    `learned` says how far earlier studies were used.
    """

    parameters: Mapping[str, Value]
    expected_gain: float | None = None
    seconds: float | None = None
    bound: float | None = None
    learned: tuple[Learned, ...] = ()
