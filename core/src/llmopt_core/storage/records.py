"""What a study holds, as plain data: what goes into the adapter and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from llmopt_core.errors.classes import Failure
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.search.configurations import Configuration, Value
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage.load_curves import LoadCurve
from llmopt_core.storage.measured_items import MeasuredItems
from llmopt_core.storage.spreads import Spread

# 0.3 - 0.02 is not to be missed by 0.28: binary fractions differ in the last digits.
_BOUND_DECIMALS = 9
# What the API allows of a benchmark and a confirmation. Rows are written by others: a reader plans no more.
MOST_CANDIDATES, MOST_REPEATS, MOST_METRICS = 16, 50, 32
# A number of a trial, or of anything else that is counted, as far as the columns of the tables hold it.
Count = Annotated[int, Field(ge=0, lt=2**31)]
RepeatNumber = Annotated[int, Field(ge=0, lt=MOST_REPEATS)]
_Repeats = Annotated[int, Field(ge=0, le=MOST_REPEATS)]
_Share = Annotated[float, Field(gt=0, lt=1)]


class Phase(StrEnum):
    """Why a trial is run."""

    BASELINE = "baseline"  # trial 0: the engine with its defaults
    SEARCH = "search"
    CONFIRM = "confirm"  # a repeat, on items held out: of a winner, of the default, or of what is compared


class OutcomeKind(StrEnum):
    """How a trial ended."""

    MEASURED = "measured"
    COPIED = "copied"  # the same canonical configuration had been measured
    PRUNED = "pruned"  # stopped early by the pruner
    INFEASIBLE = "infeasible"  # does not fit, or the engine refuses it: the sampler counts it as a violation
    INVALID = "invalid"  # measured, but the values are not used
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
    """A bound on a metric; exactly one of `minimum` and `maximum`.

    With `relative_to` it is the change from what the baseline measured: a share of it on a ratio scale (0.1:
    10 % more), else a difference. `baseline` is that value, None while it is not known; it is never stored.
    """

    metric: str
    minimum: float | None = None
    maximum: float | None = None
    relative_to: Literal["baseline"] | None = None
    baseline: float | None = None

    @property
    def given(self) -> float:
        """The bound as the manifest gives it."""
        given = self.maximum if self.minimum is None else self.minimum
        if given is None:
            raise ValueError(f"the constraint on {self.metric} has no bound")
        return given

    @property
    def bound(self) -> float | None:
        """The smallest or largest value that keeps the constraint; None while the baseline is not known."""
        if self.relative_to is None:
            return self.given
        if self.baseline is None:
            return None
        is_share = find_metric(self.metric).scale == "ratio"
        bound = self.baseline * (1 + self.given) if is_share else self.baseline + self.given
        return round(bound, _BOUND_DECIMALS)

    def violation(self, value: float) -> float:
        """Return by how much `value` breaks the bound, zero or below when it keeps it.

        Zero while there is no bound: no violation is known. Raises MetricNotFound where a relative one's
        metric is a plug-in's that is not installed.
        """
        bound = self.bound
        if bound is None:
            return 0.0
        broken_by = bound - value if self.maximum is None else value - bound
        return broken_by if self.relative_to is None else round(broken_by, _BOUND_DECIMALS)


@dataclass(frozen=True)
class Serving:
    """What is served, by what, with which settings: enough for any runner to serve the same.

    `model` and `engine` are as a manifest writes them, `parameters` all their settings, by full name.
    """

    model: Mapping[str, Any]
    engine: Mapping[str, Any]
    parameters: Mapping[str, Value] = field(default_factory=dict)

    @property
    def engine_name(self) -> str:
        """Which engine it is."""
        return str(self.engine["name"])

    @property
    def model_source(self) -> str:
        """Where the model comes from."""
        return str(self.model["source"])


@dataclass(frozen=True)
class CandidateDefinition:
    """One thing that is compared.

    `serving` is None only before the optimization was asked whose result it is; `origin` then says which.
    """

    name: str
    serving: Serving | None
    origin: str = ""

    @property
    def parameters(self) -> Mapping[str, Value]:
        """Its settings, by full name."""
        return {} if self.serving is None else self.serving.parameters


@dataclass(frozen=True)
class ComparisonDefinition:
    """What a benchmark compares, and how it is judged.

    `baseline` is the name of the candidate that the others are compared with. `metrics` are reported beside
    the objective. `confidence` is that of the intervals, such as 0.95.
    """

    candidates: Annotated[tuple[CandidateDefinition, ...], Field(max_length=MOST_CANDIDATES)]
    baseline: str
    repeats: _Repeats
    metrics: Annotated[tuple[str, ...], Field(max_length=MOST_METRICS)] = ()
    confidence: _Share = 0.95

    @property
    def baseline_place(self) -> int:
        """The place of the baseline among the candidates."""
        return [candidate.name for candidate in self.candidates].index(self.baseline)


@dataclass(frozen=True)
class StudyDefinition:
    """All that a study is created from.

    `fingerprint` changes with the study's settings; `resource` is `namespace/name` of what it was
    made for. `serving` is what an optimization starts from: its model, its engine, and the settings of both
    in every trial. With a `comparison` nothing is searched: all trials are repeats of its candidates.
    `output_tokens` is the length of every answer, where it is fixed.
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
    serving: Serving | None = None
    comparison: ComparisonDefinition | None = None
    output_tokens: int | None = None

    @property
    def candidates(self) -> tuple[CandidateDefinition, ...]:
        """What a benchmark compares; nothing for an optimization."""
        return () if self.comparison is None else self.comparison.candidates


@dataclass(frozen=True)
class Claim:
    """A trial that this runner holds. `parameters` by full name; those of confirm trials were given."""

    number: int
    phase: Phase
    parameters: Mapping[str, Value]
    attempt: int = 0
    candidate: int | None = None  # confirm: which of the plan's, or the comparison's, candidates
    repeat: int | None = None  # confirm: which repeat
    start: int | None = None  # confirm: which engine start of the plan; None: any running engine will do
    repaired_from: int | None = None  # the refused trial of which this one is the repaired configuration


@dataclass(frozen=True)
class Answer:
    """What a server answered to one item, and its score; `cut`: only the start of a long answer is kept."""

    item: str
    text: str
    score: float | None = None
    cut: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a trial ended, whole: stored as one JSON document, without its `answers`.

    `metrics` by catalogue name, in the catalogue's units; those of a pruned trial are estimates from what it
    measured before its stop, which only a sampler may use. `samples` maps an item's id to its
    score, whose mean is the metric `sample_metric`; empty where no metric is their mean.
    `items` is what a later trial is compared with while it runs, where the study stops trials by it.
    `answers` are stored beside the document, see `answers`, and are not read back with it.
    `curve` is what a search for the highest load saw, where the workload asks for one; `spreads` are
    the intervals of percentiles, by metric.
    `facts` are the engine's own reports. `seconds` maps a stage (load, warmup, measure, framework)
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
    copied_from: Count | None = None
    items: MeasuredItems | None = None
    answers: tuple[Answer, ...] = ()
    curve: LoadCurve | None = None
    spreads: Mapping[str, Spread] = field(default_factory=dict)
    disturbed: bool = False  # others took processors or GPUs during the measurement

    @property
    def engine_start_seconds(self) -> float | None:
        """How long the start of the engine for this trial took, None where it was running already."""
        return self.metrics.get("engine_start_seconds")


@dataclass(frozen=True)
class TrialRecord:
    """One trial as read back. `outcome` is None while it waits or runs.

    `repaired_from` is the refused trial whose configuration this one tries once more, changed as the engine
    asked.
    """

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
    repaired_from: int | None = None


# How a runner ended that was asked to stop, as its last heartbeat says it.
INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class RunnerRecord:
    """What a runner last said of itself.

    `beat` only counts; `active_seconds` is its own monotonic time, `gpus` how many GPUs it holds meanwhile.
    """

    name: str
    index: Count
    beat: Count
    active_seconds: float
    gpus: Count = 0
    trial: Count | None = None
    stage: str = ""
    memory_mib: float | None = None
    memory_total_mib: float | None = None
    memory_level: str | None = None  # safe, warning, critical or emergency
    ended: str | None = None  # why it ended, as far as it could still say so
    machine: str = ""  # what it measures on, in words; empty where that is not known


# In place of a plan's first look: its comparisons are judged once, after all that was measured.
ONLY_LAST_LOOK = 0


@dataclass(frozen=True)
class ConfirmPlan:
    """Which configurations are measured again, in which order, and when their comparison is decided.

    It is what a search plans to confirm its finalists, and what a benchmark is. `candidates` are compared
    with the one at place `reference`: the baseline, or where that could not be measured, the best
    configuration of the search. `source_trials` are the search's trials of the candidates.

    `basis` counts the trials it was chosen from; a plan from more trials (after a raised budget) replaces it.
    `first` is what the first candidate is called in the trials, and so identifies the plan: numbers go on
    from plan to plan.

    `engines` says which candidates need the same engine start. Each is measured `repeats` times at most,
    `per_start` times on one start: so many repeats of all candidates are a round. Comparisons are tested at
    `level` (two-sided) after each round from `first_look` on, and decided when they exclude zero or all that
    exceeds `smallest_gain`. Where a look is the last, intervals are reported at its level among `spent`.
    Plans of release 0.1.0 have no level and are judged at their last look only. With `pooled` all
    candidates vary alike, so that they share one variance.
    """

    candidates: Annotated[tuple[Mapping[str, Value], ...], Field(max_length=MOST_CANDIDATES)]
    source_trials: Annotated[tuple[Count, ...], Field(max_length=MOST_CANDIDATES)]
    repeats: _Repeats
    basis: Count = 0
    first: Count = 0
    engines: Annotated[tuple[str, ...], Field(max_length=MOST_CANDIDATES)] = ()
    level: _Share | None = None
    first_look: _Repeats = ONLY_LAST_LOOK
    spent: Annotated[tuple[_Share, ...], Field(max_length=MOST_REPEATS)] = ()
    smallest_gain: _Share = 0.02
    per_start: Annotated[int, Field(ge=1, le=MOST_REPEATS)] = 1
    reference: Annotated[int, Field(ge=0, lt=MOST_CANDIDATES)] = 0
    pooled: bool = True
