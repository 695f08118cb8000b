"""`LLMBenchmark`: compare given candidates the way an optimization confirms its winners."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from llmopt_core.resources.base import DurationText, Identifier, Name, Part, ScalarMap
from llmopt_core.resources.lifecycle import StudyRetention, Suspend, TtlSeconds, metric_rules
from llmopt_core.resources.metadata import Metadata
from llmopt_core.resources.optimization import Objective
from llmopt_core.resources.pods import Runners
from llmopt_core.resources.rules import Immutable, Rule, UniqueBy
from llmopt_core.resources.serving import Engine, MemoryGuard, Model, Workload
from llmopt_core.resources.status import BenchmarkStatus


class OptimizationRef(Part):
    """A result of an optimization in the same namespace, or on one machine of the folder beside.

    It comes whole: with its model, its engine, and the sampling and prompt that the optimization fixed.
    """

    name: Annotated[
        Name, Field(description="Name of the LLMOptimization; it is waited for until it has ended.")
    ]
    rank: Annotated[
        int, Field(ge=0, le=10, description="1 is the winner, 0 the baseline, others as in `status.top`.")
    ] = 1

    def __str__(self) -> str:
        """Return it as results name it."""
        return f"{self.name}, rank {self.rank}"


class Candidate(Part):
    """One thing to compare: parts of its own, or a result of an optimization.

    Parts that are missing come from the benchmark's shared ones.
    """

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.optimizationRef)"
            " || !(has(self.model) || has(self.engine) || size(self.parameters) > 0)",
            "optimizationRef alone, or parts of its own",
            lambda candidate: candidate.optimization_ref is None or not _has_parts(candidate),
            suggestion="an optimization's result brings its model, engine and parameters",
        ),
    )

    name: Annotated[Name, Field(description="What the results call it.")]
    model: Annotated[Model | None, Field(description="Instead of the shared one.")] = None
    engine: Annotated[Engine | None, Field(description="Instead of the shared one.")] = None
    parameters: Annotated[
        ScalarMap, Field(description="By full name, such as `engine.n_parallel` or `sampling.temperature`.")
    ] = Field(default_factory=dict)
    optimization_ref: Annotated[
        OptimizationRef | None, Field(description="A configuration that an optimization found.")
    ] = None


def _has_parts(candidate: Candidate) -> bool:
    return bool(candidate.model or candidate.engine or candidate.parameters)


class BenchmarkBudget(Part):
    """What the comparison may cost."""

    duration: Annotated[DurationText | None, Field(description="Longest time from the first repeat on.")] = (
        None
    )
    trial_timeout: Annotated[
        DurationText, Field(description="Longest measurement of one repeat, without the server's start.")
    ] = "10m"
    max_failed_trials: Annotated[
        int,
        Field(
            ge=1,
            le=10_000,
            description="Failures after which the benchmark ends; a hopeless candidate's do not count.",
        ),
    ] = 10


class BenchmarkSpec(Part):
    """What to compare, on what, how often."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.baseline) || self.candidates.exists(c, c.name == self.baseline)",
            "a baseline that is the name of a candidate",
            lambda spec: spec.baseline in {None, *(candidate.name for candidate in spec.candidates)},
            field="baseline",
            reads=("baseline", "candidates"),
        ),
        Rule(
            "has(self.model) || self.candidates.all(c, has(c.model) || has(c.optimizationRef))",
            "a model, shared or in each candidate",
            lambda spec: (
                spec.model is not None or all(c.model or c.optimization_ref for c in spec.candidates)
            ),
            reads=("model", "candidates"),
        ),
        Rule(
            "has(self.engine) || self.candidates.all(c, has(c.engine) || has(c.optimizationRef))",
            "an engine, shared or in each candidate",
            lambda spec: (
                spec.engine is not None or all(c.engine or c.optimization_ref for c in spec.candidates)
            ),
            reads=("engine", "candidates"),
        ),
        *metric_rules(
            lambda prefix: (
                f"self.objective.metric.startsWith('{prefix}')"
                f" || self.metrics.exists(m, m.startsWith('{prefix}'))"
            ),
            lambda spec: (spec.objective.metric, *spec.metrics),
            reads=("objective", "metrics"),
        ),
    )
    immutable: ClassVar[tuple[Immutable, ...]] = (
        Immutable("model", optional=True),
        Immutable("engine", optional=True),
        Immutable("workload"),
        Immutable("candidates"),
        Immutable("baseline", optional=True),
        Immutable("objective"),
    )

    model: (
        Annotated[Model, Field(description="Shared by candidates without a model of their own.")] | None
    ) = None
    engine: (
        Annotated[Engine, Field(description="Shared by candidates without an engine of their own.")] | None
    ) = None
    workload: Workload
    candidates: Annotated[
        list[Candidate], Field(min_length=1, max_length=16, description="What is compared."), UniqueBy("name")
    ]
    baseline: Annotated[
        Name | None, Field(description="The candidate that others are compared with; by default the first.")
    ] = None
    repeats: Annotated[
        int, Field(ge=2, le=50, description="Times each candidate is measured, interleaved.")
    ] = 5
    confidence_percent: Annotated[int, Field(ge=50, le=99, description="Confidence of the intervals.")] = 95
    metrics: Annotated[
        list[Identifier], Field(max_length=32, description="Reported beside the objective.")
    ] = Field(default_factory=list)
    objective: Annotated[Objective, Field(description="Decides the winner.")]
    budget: BenchmarkBudget = BenchmarkBudget()
    memory_guard: MemoryGuard = MemoryGuard()
    runners: Runners = Runners()
    suspend: Suspend = False
    ttl_seconds_after_finished: TtlSeconds = None
    study_retention: StudyRetention = "Keep"

    @property
    def baseline_name(self) -> str:
        """The candidate that others are compared with."""
        return self.baseline or self.candidates[0].name


class LLMBenchmark(Part):
    """One comparison, as applied."""

    api_version: Literal["llmopt.dev/v1alpha1"]
    kind: Literal["LLMBenchmark"]
    metadata: Metadata
    spec: BenchmarkSpec
    status: BenchmarkStatus | None = None
