"""`LLMOptimization`: search the parameters under which a model is served best."""

from typing import Annotated, Literal

from pydantic import Field

from llmopt_core.resources.base import DecimalText, DurationText, Identifier, Name, Part, Scalar
from llmopt_core.resources.metadata import Metadata
from llmopt_core.resources.serving import Engine, MemoryGuard, Model, Runners, Workload
from llmopt_core.resources.status import OptimizationStatus

Goal = Literal["maximize", "minimize"]


class IntRange(Part):
    """Whole numbers from `low` to `high`, both included."""

    low: Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
    high: Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
    step: Annotated[int, Field(ge=1, le=2**31 - 1)] = 1
    log: bool = False


class FloatRange(Part):
    """Decimal numbers from `low` to `high`, both included."""

    low: DecimalText
    high: DecimalText
    step: DecimalText | None = None
    log: bool = False


class Categorical(Part):
    """One of several values."""

    choices: Annotated[list[Scalar], Field(min_length=1, max_length=32)]


class When(Part):
    """The parameter is asked only while another one (full name, such as `sampling.temperature`) is so."""

    parameter: Identifier
    in_: Annotated[
        Annotated[list[Scalar], Field(min_length=1, max_length=32)] | None,
        Field(alias="in", description="Its value is one of these."),
    ] = None
    above: DecimalText | None = None
    below: DecimalText | None = None


class SearchParameter(Part):
    """One dimension: exactly one of int, float, categorical."""

    name: Identifier
    int_: Annotated[IntRange | None, Field(alias="int")] = None
    float_: Annotated[FloatRange | None, Field(alias="float")] = None
    categorical: Categorical | None = None
    when: Annotated[list[When], Field(max_length=4)] = Field(default_factory=list)


class Space(Part):
    """What is searched."""

    engine: Annotated[list[SearchParameter], Field(max_length=32)] = Field(default_factory=list)
    sampling: Annotated[list[SearchParameter], Field(max_length=16)] = Field(default_factory=list)
    prompt: Annotated[list[SearchParameter], Field(max_length=8)] = Field(default_factory=list)


class Sampler(Part):
    """How the next configuration is chosen."""

    name: Literal["tpe", "random", "grid", "gp", "cmaes", "nsga2", "nsga3", "qmc"] = "tpe"
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


class Pruner(Part):
    """How a hopeless trial is stopped early."""

    name: Literal["wilcoxon", "median", "none"] = "wilcoxon"


class StudyRef(Part):
    """Another optimization in the same namespace."""

    name: Name


class Search(Part):
    """What is searched and how."""

    preset: Literal["balanced", "accuracy", "creativity", "speed"] | None = None
    sampler: Sampler = Sampler()
    pruner: Pruner = Pruner()
    space: Space = Space()
    enqueue: Annotated[
        list[Annotated[dict[Identifier, Scalar], Field(max_length=64)]], Field(max_length=32)
    ] = Field(default_factory=list)
    warm_start_from: Annotated[list[StudyRef], Field(max_length=8)] = Field(default_factory=list)


class Objective(Part):
    """One thing that counts as better. The goal is the metric's own unless said."""

    metric: Identifier
    goal: Goal | None = None
    weight: DecimalText = "1"


class Constraint(Part):
    """What a configuration must keep to be acceptable: exactly one of min, max."""

    metric: Identifier
    min: DecimalText | None = None
    max: DecimalText | None = None


class Target(Part):
    """The search ends when a trial's metric reaches this value."""

    metric: Identifier
    value: DecimalText


class Budget(Part):
    """What the study may cost."""

    trials: Annotated[int, Field(ge=1, le=10_000)] = 40
    duration: DurationText | None = None
    gpu_hours: DecimalText | None = None
    trial_timeout: DurationText = "10m"
    max_failed_trials: Annotated[int, Field(ge=1, le=10_000)] = 10
    target: Target | None = None


class Confirm(Part):
    """How the winners are proved: the best `top` and the default, `repeats` times, interleaved."""

    top: Annotated[int, Field(ge=0, le=10)] = 3
    repeats: Annotated[int, Field(ge=2, le=50)] = 5


class DeploymentRef(Part):
    """A Deployment whose container arguments may be patched."""

    name: Name
    container: Name | None = None


class Rollout(Part):
    """Opt-in: what is done with the winner."""

    config_map_name: Name | None = None
    deployment_ref: DeploymentRef | None = None


class OptimizationSpec(Part):
    """What to find out, on what, and what it may cost."""

    model: Model
    engine: Engine
    workload: Workload
    search: Search = Search()
    objectives: Annotated[list[Objective], Field(min_length=1, max_length=4)]
    constraints: Annotated[list[Constraint], Field(max_length=8)] = Field(default_factory=list)
    budget: Budget = Budget()
    confirm: Confirm = Confirm()
    memory_guard: MemoryGuard = MemoryGuard()
    runners: Runners = Runners()
    rollout: Rollout | None = None
    suspend: bool = False
    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    study_retention: Literal["Keep", "Delete"] = "Keep"


class LLMOptimization(Part):
    """One optimization, as applied."""

    api_version: Literal["llmopt.dev/v1alpha1"]
    kind: Literal["LLMOptimization"]
    metadata: Metadata
    spec: OptimizationSpec
    status: OptimizationStatus | None = None
