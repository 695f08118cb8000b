"""What a study holds, as plain data: what goes into the adapter and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from llmopt_core.errors.classes import Failure
from llmopt_core.search.configurations import Configuration, Value
from llmopt_core.search.spaces import SearchSpace


class Phase(StrEnum):
    """Why a trial is run."""

    BASELINE = "baseline"  # the default, trial 0
    SEARCH = "search"
    CONFIRM = "confirm"  # a repeat of a winner, or of the default, on items held out


class OutcomeKind(StrEnum):
    """How a trial ended."""

    MEASURED = "measured"
    COPIED = "copied"  # the same canonical configuration had been measured
    PRUNED = "pruned"  # stopped early by the pruner
    INFEASIBLE = "infeasible"  # does not fit, or the engine refuses it: told to the sampler as a violation
    INVALID = "invalid"  # measured, but the measurement is void
    FAILED = "failed"
    RETURNED = "returned"  # given back: not of the budget, and run again


@dataclass(frozen=True)
class ObjectiveDefinition:
    """One objective: metric name, direction, weight for choosing one of a Pareto front."""

    metric: str
    direction: Literal["maximize", "minimize"]
    weight: float = 1.0


@dataclass(frozen=True)
class ConstraintDefinition:
    """A bound on a metric; exactly one of `minimum` and `maximum`."""

    metric: str
    minimum: float | None = None
    maximum: float | None = None

    def violation(self, value: float) -> float:
        """Return by how much `value` breaks the bound, zero or below when it keeps it."""
        if self.minimum is not None:
            return self.minimum - value
        if self.maximum is not None:
            return value - self.maximum
        raise ValueError(f"the constraint on {self.metric} has no bound")


@dataclass(frozen=True)
class StudyDefinition:
    """All that a study is created from.

    `fingerprint` tells a study of other settings from this one; `resource` is `namespace/name` of what it was
    made for.
    """

    name: str
    fingerprint: str
    space: SearchSpace
    objectives: tuple[ObjectiveDefinition, ...]
    constraints: tuple[ConstraintDefinition, ...] = ()
    sampler: str = "tpe"
    pruner: str = "none"
    seed: int = 0
    enqueue: tuple[Mapping[str, Value], ...] = ()
    resource: str = ""


@dataclass(frozen=True)
class Claim:
    """A trial that this runner holds. `parameters` by full name; those of confirm trials were given."""

    number: int
    phase: Phase
    parameters: Mapping[str, Value]
    attempt: int = 0
    candidate: int | None = None  # confirm: which of the plan's candidates
    repeat: int | None = None  # confirm: which repeat


@dataclass(frozen=True)
class Outcome:
    """How a trial ended, whole: stored as one JSON document.

    `metrics` by catalogue name, in the catalogue's units. `samples` maps an item's id to its
    score, whose mean is the metric `sample_metric`.
    `facts` is what the engine told about itself. `seconds` maps a stage (load, warmup, measure, framework)
    to its wall time.
    """

    kind: OutcomeKind
    configuration: Configuration  # canonical
    metrics: Mapping[str, float] = field(default_factory=dict)
    samples: Mapping[str, float] = field(default_factory=dict)
    sample_metric: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    failure: Failure | None = None
    copied_from: int | None = None


@dataclass(frozen=True)
class TrialRecord:
    """One trial as read back. `outcome` is None while it waits or runs."""

    number: int
    phase: Phase
    state: Literal["waiting", "running", "finished"]
    parameters: Mapping[str, Value]
    runner: str | None
    outcome: Outcome | None
    started_at: float | None  # Unix seconds, by the runner's clock: for display only
    finished_at: float | None
    candidate: int | None = None
    repeat: int | None = None


@dataclass(frozen=True)
class RunnerRecord:
    """What a runner last said of itself.

    `beat` only counts; `active_seconds` is its own monotonic time, `gpus` how many GPUs it holds meanwhile.
    """

    name: str
    index: int
    beat: int
    active_seconds: float
    gpus: int = 0
    trial: int | None = None
    stage: str = ""
    memory_mib: float | None = None
    memory_total_mib: float | None = None
    memory_level: str | None = None  # safe, warning, critical or emergency
    ended: str | None = None  # why it ended, when it ended in order


@dataclass(frozen=True)
class ConfirmPlan:
    """Which configurations are run again: the first candidate is the default.

    `basis` counts the trials it was chosen from; a plan from more trials (after a raised budget) replaces it.
    `first` is what the first candidate is called in the trials: numbers go on from plan to plan.
    """

    candidates: tuple[Mapping[str, Value], ...]
    source_trials: tuple[int, ...]
    repeats: int
    basis: int = 0
    first: int = 0
