"""`LLMOptimization`: search the parameters under which a model is served best."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from llmopt_core.resources.base import DecimalText, DurationText, Identifier, Name, Part, Scalar
from llmopt_core.resources.metadata import Metadata
from llmopt_core.resources.rules import Immutable, Rule, UniqueBy
from llmopt_core.resources.serving import Engine, MemoryGuard, Model, Runners, Workload
from llmopt_core.resources.status import OptimizationStatus
from llmopt_core.search.configurations import GROUPS, Group

Goal = Literal["maximize", "minimize"]


class IntRange(Part):
    """Whole numbers from `low` to `high`, both included."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.low <= self.high",
            "low of at most high",
            lambda span: span.low <= span.high,
            field="low",
        ),
        Rule(
            "!self.log || self.low > 0",
            "a low above 0 with log",
            lambda span: not span.log or span.low > 0,
            field="low",
        ),
        Rule(
            "!self.log || self.step == 1",
            "no step with log",
            lambda span: not span.log or span.step == 1,
            field="step",
        ),
    )

    low: Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
    high: Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
    step: Annotated[int, Field(ge=1, le=2**31 - 1)] = 1
    log: bool = False


class FloatRange(Part):
    """Decimal numbers from `low` to `high`, both included."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "double(self.low) <= double(self.high)",
            "low of at most high",
            lambda span: Decimal(span.low) <= Decimal(span.high),
            field="low",
        ),
        Rule(
            "!self.log || double(self.low) > 0.0",
            "a low above 0 with log",
            lambda span: not span.log or Decimal(span.low) > 0,
            field="low",
        ),
        Rule(
            "!self.log || !has(self.step)",
            "no step with log",
            lambda span: not span.log or span.step is None,
            field="step",
        ),
        Rule(
            "!has(self.step) || double(self.step) > 0.0",
            "a step above 0",
            lambda span: span.step is None or Decimal(span.step) > 0,
            field="step",
        ),
    )

    low: DecimalText
    high: DecimalText
    step: DecimalText | None = None
    log: bool = False


class Categorical(Part):
    """One of several values."""

    choices: Annotated[list[Scalar], Field(min_length=1, max_length=32)]


class When(Part):
    """The parameter is asked only while another one (full name, such as `sampling.temperature`) is so."""

    parameter: Annotated[Identifier, Field(max_length=46)]
    in_: Annotated[
        Annotated[list[Scalar], Field(min_length=1, max_length=32)] | None,
        Field(alias="in", description="Its value is one of these."),
    ] = None
    above: DecimalText | None = None
    below: DecimalText | None = None


class SearchParameter(Part):
    """One dimension: exactly one of int, float, categorical."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "[has(self.int), has(self.float), has(self.categorical)].filter(given, given).size() == 1",
            "exactly one of int, float and categorical",
            lambda asked: sum(x is not None for x in (asked.int_, asked.float_, asked.categorical)) == 1,
        ),
    )

    name: Annotated[Identifier, Field(max_length=36)]
    int_: Annotated[IntRange | None, Field(alias="int")] = None
    float_: Annotated[FloatRange | None, Field(alias="float")] = None
    categorical: Categorical | None = None
    when: Annotated[list[When], Field(max_length=4, description="Asked only while all of these hold.")] = (
        Field(default_factory=list)
    )


def _is_prompt_parameter(asked: SearchParameter) -> bool:
    if asked.name == "few_shot":
        return asked.float_ is None
    return asked.name in {"system", "template"} and asked.categorical is not None


def _later_conditions(space: "Space") -> Iterator[tuple[str, str]]:
    """Yield the group of each condition that names what is not searched before it, and that name."""
    earlier: set[str] = set()
    for full_name, asked in space.all_parameters():
        group = full_name.partition(".")[0]
        yield from ((group, when.parameter) for when in asked.when if when.parameter not in earlier)
        earlier.add(full_name)


def _all_floats_have_steps(space: "Space") -> bool:
    return all(asked.float_ is None or asked.float_.step is not None for _, asked in space.all_parameters())


# One rule a group: the API server bounds the cost of each.
_WHEN_NAMES_SEARCHED = (
    "self.{group}.all(p, p.when.all(w, w.parameter != '{group}.' + p.name"
    " && (self.engine.exists(o, w.parameter == 'engine.' + o.name)"
    " || self.sampling.exists(o, w.parameter == 'sampling.' + o.name)"
    " || self.prompt.exists(o, w.parameter == 'prompt.' + o.name))))"
)


def _conditions_rule(group: Group) -> Rule:
    """CEL says only that a condition names something else that is searched; Python, that it comes earlier."""
    return Rule(
        _WHEN_NAMES_SEARCHED.format(group=group),
        "when to name a parameter searched earlier, by full name such as sampling.temperature",
        lambda space: not any(owner == group for owner, _ in _later_conditions(space)),
        field=group,
        suggestion="the order is engine, sampling, prompt, and within each as written",
    )


_GRID_HAS_STEPS = "self.sampler.name != 'grid' || " + " && ".join(
    f"self.space.{group}.all(p, !has(p.float) || has(p.float.step))" for group in ("engine", "sampling")
)


class Space(Part):
    """What is searched."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.prompt.all(p, (p.name == 'few_shot' && !has(p.float))"
            " || (p.name in ['system', 'template'] && has(p.categorical)))",
            "of the prompt only few_shot (int), system and template (categorical)",
            lambda space: all(_is_prompt_parameter(asked) for asked in space.prompt),
            field="prompt",
        ),
        *(_conditions_rule(group) for group in GROUPS),
    )

    engine: Annotated[list[SearchParameter], Field(max_length=24), UniqueBy("name")] = Field(
        default_factory=list, description="Settings of the server."
    )
    sampling: Annotated[list[SearchParameter], Field(max_length=16), UniqueBy("name")] = Field(
        default_factory=list, description="Fields of each request."
    )
    prompt: Annotated[list[SearchParameter], Field(max_length=3), UniqueBy("name")] = Field(
        default_factory=list, description="few_shot (int), system and template (categorical)."
    )

    def all_parameters(self) -> Iterator[tuple[str, SearchParameter]]:
        """Yield all parameters with their full names, in the order they are asked."""
        for group in GROUPS:
            for parameter in getattr(self, group):
                yield f"{group}.{parameter.name}", parameter


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

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            _GRID_HAS_STEPS,
            "a step for every float with sampler grid",
            lambda search: search.sampler.name != "grid" or _all_floats_have_steps(search.space),
            field="space",
        ),
        Rule(
            "has(self.preset) || size(self.space.engine) + size(self.space.sampling)"
            " + size(self.space.prompt) > 0",
            "something to search: a space, or a preset",
            lambda search: search.preset is not None or any(search.space.all_parameters()),
        ),
    )

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

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "double(self.weight) > 0.0",
            "a weight above 0",
            lambda objective: Decimal(objective.weight) > 0,
            field="weight",
        ),
    )

    metric: Identifier
    goal: Goal | None = None
    weight: DecimalText = "1"


class Constraint(Part):
    """What a configuration must keep to be acceptable: exactly one of min, max."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.min) != has(self.max)",
            "exactly one of min and max",
            lambda constraint: (constraint.min is None) != (constraint.max is None),
            suggestion="write two constraints for a range",
        ),
    )

    metric: Identifier
    min: DecimalText | None = None
    max: DecimalText | None = None


class Target(Part):
    """The search ends when a trial's metric reaches this value."""

    metric: Identifier
    value: DecimalText


class Budget(Part):
    """What the study may cost."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.gpuHours) || double(self.gpuHours) > 0.0",
            "gpuHours above 0",
            lambda budget: budget.gpu_hours is None or Decimal(budget.gpu_hours) > 0,
            field="gpuHours",
        ),
    )

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


def _asks_goodput(spec: "OptimizationSpec") -> bool:
    asked = {objective.metric for objective in spec.objectives} | {bound.metric for bound in spec.constraints}
    return any(metric.startswith("goodput_") for metric in asked)


class OptimizationSpec(Part):
    """What to find out, on what, and what it may cost."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.search.sampler.name != 'cmaes' || size(self.objectives) == 1",
            "one objective with sampler cmaes",
            lambda spec: spec.search.sampler.name != "cmaes" or len(spec.objectives) == 1,
            field="objectives",
            suggestion="several objectives work with tpe, gp, nsga2, nsga3, random, grid and qmc",
            reads=("search", "objectives"),
        ),
        # The default pruner is simply left out with several objectives; only what was asked for is refused.
        Rule(
            "size(self.objectives) == 1 || self.search.pruner.name != 'median'",
            "one objective with pruner median",
            lambda spec: len(spec.objectives) == 1 or spec.search.pruner.name != "median",
            field="search.pruner",
            suggestion="several objectives cannot be pruned: remove pruner",
            reads=("search", "objectives"),
        ),
        Rule(
            "has(self.workload.slo) || !(self.objectives.exists(o, o.metric.startsWith('goodput_'))"
            " || self.constraints.exists(c, c.metric.startsWith('goodput_')))",
            "workload.slo where goodput is an objective or a constraint",
            lambda spec: spec.workload.slo is not None or not _asks_goodput(spec),
            field="workload",
            reads=("workload", "objectives", "constraints"),
        ),
    )

    immutable: ClassVar[tuple[Immutable, ...]] = tuple(
        Immutable(field) for field in ("model", "engine", "workload", "search", "objectives", "constraints")
    )

    model: Model
    engine: Engine
    workload: Workload
    search: Search
    objectives: Annotated[list[Objective], Field(min_length=1, max_length=4), UniqueBy("metric")]
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
