"""What a search strategy is to the simulation."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from llmopt_core.sampling.observations import Problem
from llmopt_core.search.configurations import Value


@dataclass(frozen=True)
class Measurement:
    """What a strategy learns of a trial.

    `utility` is one number for the objectives (more is better), None where the engine did not start.
    `violations` say by how much each constraint is broken. `start_seconds` is None where the engine was
    running.
    """

    parameters: Mapping[str, Value]
    works: bool
    metrics: Mapping[str, float]
    standard_errors: Mapping[str, float]
    utility: float | None
    violations: tuple[float, ...]
    seconds: float
    start_seconds: float | None


class Rival(ABC):
    """One strategy in one run."""

    @abstractmethod
    def propose(self, running_engine: Mapping[str, Value] | None) -> Mapping[str, Value] | None:
        """Return the next configuration, one value per active parameter by full name; None: it is done.

        `running_engine` holds the engine parameters of the engine that runs.
        """

    @abstractmethod
    def observe(self, measurement: Measurement) -> None:
        """Take over the result of the configuration that was proposed last."""


@dataclass(frozen=True)
class Setting:
    """What a strategy is set up with; `trials` is how many it may use.

    `starts_can_fail` says whether a user would reckon with configurations that do not start.
    """

    problem: Problem
    seed: int
    trials: int
    starts_can_fail: bool = True


@dataclass(frozen=True)
class RivalKind:
    """A strategy by name.

    `one_start`: it takes no account of starts, and its users start an engine for each trial. All others keep
    the engine while its parameters stay the same. `slow`: a proposal takes some tenths of a second.
    """

    name: str
    title: str
    one_start: bool
    make: Callable[[Setting], Rival]
    slow: bool = False
