"""`LLMOptimization`: search the parameters under which a model is served best."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from llmopt_core.resources.base import DecimalText, DurationText, Identifier, Name, Part
from llmopt_core.resources.lifecycle import StudyRetention, Suspend, TtlSeconds, metric_rules
from llmopt_core.resources.metadata import Metadata
from llmopt_core.resources.pods import Runners
from llmopt_core.resources.rules import Immutable, Rule, UniqueBy, decimal_within
from llmopt_core.resources.searching import Search, SearchParameter, Space, When
from llmopt_core.resources.serving import Engine, MemoryGuard, Model, Workload
from llmopt_core.resources.status import OptimizationStatus

__all__ = [
    "Budget",
    "Confirm",
    "Constraint",
    "LLMOptimization",
    "Objective",
    "OptimizationSpec",
    "Search",
    "SearchParameter",
    "Space",
    "Target",
    "When",
]

Goal = Literal["maximize", "minimize"]


class Objective(Part):
    """One thing that counts as better. The goal is the metric's own unless said."""

    rules: ClassVar[tuple[Rule, ...]] = (decimal_within("weight", "a weight above 0", (">", 0)),)

    metric: Annotated[Identifier, Field(description="A metric of the catalogue.")]
    goal: Annotated[Goal | None, Field(description="The metric's own direction by default.")] = None
    weight: Annotated[DecimalText, Field(description="For the one recommendation among a Pareto front.")] = (
        "1"
    )


class Constraint(Part):
    """What a configuration must keep to be acceptable: exactly one of min, max.

    Relative to the baseline, the bound is a difference to its score (`min: "-0.02"`: at most 0.02 below), or
    for any other metric a share of its value (`max: "0.1"`: at most 10 % above).
    """

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.min) != has(self.max)",
            "exactly one of min and max",
            lambda constraint: (constraint.min is None) != (constraint.max is None),
            suggestion="write two constraints for a range",
        ),
    )

    metric: Annotated[Identifier, Field(description="A metric of the catalogue.")]
    min: Annotated[DecimalText | None, Field(description="Smallest value that is acceptable.")] = None
    max: Annotated[DecimalText | None, Field(description="Largest value that is acceptable.")] = None
    relative_to: Annotated[
        Literal["baseline"] | None,
        Field(
            description="With `baseline`, min and max are the change from what the baseline measured: a"
            ' difference for scores and ratios from 0 to 1 (`min: "-0.02"` allows 0.02 less), a share for'
            ' everything else (`max: "0.1"` allows 10 % more). The bound holds once the baseline is measured.'
        ),
    ] = None


class Target(Part):
    """The search ends when a trial's metric reaches this value."""

    metric: Annotated[Identifier, Field(description="A metric of the catalogue.")]
    value: Annotated[DecimalText, Field(description="Value at which the search ends.")]


class Budget(Part):
    """What the study may cost."""

    rules: ClassVar[tuple[Rule, ...]] = (
        decimal_within("gpuHours", "gpuHours above 0", (">", 0), optional=True),
    )

    trials: Annotated[
        int,
        Field(
            ge=1,
            le=10_000,
            description="Trials of the search, the baseline included; repeats that confirm come on top.",
        ),
    ] = 40
    duration: Annotated[DurationText | None, Field(description="Longest time from the first trial on.")] = (
        None
    )
    gpu_hours: Annotated[
        DecimalText | None, Field(description="Largest sum over runners and their GPUs.")
    ] = None
    trial_timeout: Annotated[
        DurationText, Field(description="Longest measurement of one trial, without the server's start.")
    ] = "10m"
    max_failed_trials: Annotated[
        int, Field(ge=1, le=10_000, description="Failures after which the study ends.")
    ] = 10
    target: Annotated[Target | None, Field(description="Ends the search early.")] = None


class Confirm(Part):
    """How winners are proved: up to `top` finalists and the baseline, interleaved, until it is decided."""

    rules: ClassVar[tuple[Rule, ...]] = (
        decimal_within("smallestGain", "a smallest gain above 0 and at most 0.5", (">", 0), ("<=", 0.5)),
    )

    top: Annotated[
        int, Field(ge=0, le=10, description="How many finalists are run again at most; 0 confirms nothing.")
    ] = 3
    repeats: Annotated[
        int,
        Field(ge=2, le=50, description="How often each of them and the baseline are run again at most."),
    ] = 5
    smallest_gain: Annotated[
        DecimalText,
        Field(
            description="What is worth knowing: 0.02 is 2 % of a speed, or 0.02 of a score. A comparison "
            "ends when it is decided: better, worse, or a difference that is surely smaller than this."
        ),
    ] = "0.02"


class DeploymentRef(Part):
    """A Deployment whose container arguments may be patched."""

    name: Annotated[Name, Field(description="Name of the Deployment.")]
    container: Annotated[
        Name | None, Field(description="The container whose arguments are patched; by default the first.")
    ] = None


class Rollout(Part):
    """Opt-in: what is done with the winner."""

    config_map_name: Annotated[
        Name | None, Field(description="ConfigMap that the best parameters are written to.")
    ] = None
    deployment_ref: Annotated[
        DeploymentRef | None, Field(description="Deployment that is given the best arguments.")
    ] = None


class OptimizationSpec(Part):
    """What to find out, on what, and what it may cost."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.search.sampler.name != 'cmaes' || size(self.objectives) == 1",
            "one objective with sampler cmaes",
            lambda spec: spec.search.sampler.name != "cmaes" or len(spec.objectives) == 1,
            field="objectives",
            suggestion="several objectives work with auto, tpe, gp, nsga2, nsga3, random, grid and qmc",
            reads=("search", "objectives"),
        ),
        # `wilcoxon`, the first release's default, is left out with several objectives; `median` is refused.
        Rule(
            "size(self.objectives) == 1 || self.search.pruner.name != 'median'",
            "one objective with pruner median",
            lambda spec: len(spec.objectives) == 1 or spec.search.pruner.name != "median",
            field="search.pruner",
            suggestion="several objectives work with auto: remove pruner",
            reads=("search", "objectives"),
        ),
        *metric_rules(
            lambda prefix: (
                f"self.objectives.exists(o, o.metric.startsWith('{prefix}'))"
                f" || self.constraints.exists(c, c.metric.startsWith('{prefix}'))"
            ),
            lambda spec: (asked.metric for asked in (*spec.objectives, *spec.constraints)),
            reads=("objectives", "constraints"),
        ),
    )

    immutable: ClassVar[tuple[Immutable, ...]] = tuple(
        Immutable(field) for field in ("model", "engine", "workload", "search", "objectives", "constraints")
    )

    model: Model
    engine: Engine
    workload: Workload
    search: Search
    objectives: Annotated[
        list[Objective],
        Field(min_length=1, max_length=4, description="What counts as better; several make a Pareto study."),
        UniqueBy("metric"),
    ]
    constraints: Annotated[
        list[Constraint], Field(max_length=8, description="What a configuration must keep to be acceptable.")
    ] = Field(default_factory=list)
    budget: Budget = Budget()
    confirm: Confirm = Confirm()
    memory_guard: MemoryGuard = MemoryGuard()
    runners: Runners = Runners()
    rollout: Rollout | None = None
    suspend: Suspend = False
    ttl_seconds_after_finished: TtlSeconds = None
    study_retention: StudyRetention = "Keep"


class LLMOptimization(Part):
    """One optimization, as applied."""

    api_version: Literal["llmopt.dev/v1alpha1"]
    kind: Literal["LLMOptimization"]
    metadata: Metadata
    spec: OptimizationSpec
    status: OptimizationStatus | None = None
