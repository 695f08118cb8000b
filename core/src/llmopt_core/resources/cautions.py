"""What is valid and yet probably not meant: said beside the faults, and never a reason to refuse."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from llmopt_core.engines.answer_lengths import Variant, compared_causes, misleading, searched_causes
from llmopt_core.engines.registry import declaration_of
from llmopt_core.metrics.catalog import CATALOG, Metric
from llmopt_core.resources.accelerators import asks_for_resources_without_gpus, gpus_taken
from llmopt_core.resources.base import Scalar
from llmopt_core.resources.benchmark import BenchmarkSpec, Candidate
from llmopt_core.resources.loading import Resource
from llmopt_core.resources.optimization import Constraint, LLMOptimization, Objective, OptimizationSpec
from llmopt_core.resources.pods import Runners
from llmopt_core.resources.presets import preset_space
from llmopt_core.resources.ranges import typed
from llmopt_core.resources.searching import FloatRange, IntRange, Space, When
from llmopt_core.resources.serving import Engine, Workload
from llmopt_core.search.configurations import GROUPS, Value

# As many as are taken over from each study that a search starts from.
BEST_OF_EACH = 5
_FIXED = "fix the length by workload.outputTokens"


@dataclass(frozen=True)
class Caution:
    """One thing that is probably not meant; `path` is dotted, as the user wrote the fields."""

    path: str
    message: str

    def __str__(self) -> str:
        """Return the caution as one line."""
        return f"warning: {self.path}: {self.message}"


def cautions_of(resource: Resource) -> tuple[Caution, ...]:
    """Return what of the valid `resource` is probably not meant."""
    if isinstance(resource, LLMOptimization):
        return (
            *_beyond_the_budget(resource.spec),
            *_per_token(resource.spec),
            *_reversed_goals(resource.spec.objectives),
            *_reversed_limits(resource.spec.constraints),
            *_never_asked(resource.spec.search.space),
            *_without_gpus(resource.spec.runners, [resource.spec.engine], resource.spec.workload),
        )
    engines = [resource.spec.engine, *(candidate.engine for candidate in resource.spec.candidates)]
    given = [engine for engine in engines if engine is not None]
    return (
        *_of_comparison(resource.spec),
        *_without_gpus(resource.spec.runners, given, resource.spec.workload),
    )


def _beyond_the_budget(spec: OptimizationSpec) -> Iterator[Caution]:
    """Yield what of the given configurations the budget leaves no trial for; the default takes one."""
    left, given = spec.budget.trials - 1, len(spec.search.enqueue)
    advice = f"raise spec.budget.trials ({spec.budget.trials}, one of them for the baseline)"
    if given > left:
        yield Caution(
            "spec.search.enqueue",
            f"{given} configurations are given, and the budget leaves {left} of them a trial: the others are"
            f" not tried; {advice}, or take some out",
        )
        return
    inherited = len(spec.search.warm_start_from) * BEST_OF_EACH
    if given + inherited > left:
        yield Caution(
            "spec.search.warmStartFrom",
            f"up to {inherited} configurations are taken over, and the budget leaves {left - given} of them a"
            f" trial: the others are not tried; {advice}",
        )


def _per_token(spec: OptimizationSpec) -> Iterator[Caution]:
    """Yield the objectives that longer answers improve, where the search can change their length."""
    if spec.workload.output_tokens is not None:
        return
    searched = _searched(spec)
    causes = searched_causes(spec.engine.name, searched)
    remedy = _FIXED if all(name.startswith("engine.") for name in searched) else ""
    for place, objective in enumerate(spec.objectives):
        if text := misleading(objective.metric, causes, remedy=remedy):
            yield Caution(f"spec.objectives[{place}].metric", text)


def _reversed_goals(objectives: Sequence[Objective]) -> Iterator[Caution]:
    """Yield the objectives that look for a metric's worse values."""
    for place, each in enumerate(objectives):
        metric = CATALOG.get(each.metric)
        if metric is not None and each.goal is not None and each.goal != metric.direction:
            yield Caution(
                f"spec.objectives[{place}].goal",
                f"{_better(metric)}, and the search looks for the worst: did you mean {metric.direction}?",
            )


def _reversed_limits(constraints: Sequence[Constraint]) -> Iterator[Caution]:
    """Yield the limits that refuse a metric's better values; a metric with limits on both sides has none."""
    with_max = {each.metric for each in constraints if each.max is not None}
    with_min = {each.metric for each in constraints if each.min is not None}
    for place, each in enumerate(constraints):
        metric, given = CATALOG.get(each.metric), "min" if each.max is None else "max"
        if metric is None or each.metric in with_max & with_min or given != _WORSE_SIDE[metric.direction]:
            continue
        meant = "min" if given == "max" else "max"
        yield Caution(
            f"spec.constraints[{place}].{given}",
            f"{_better(metric)}, and this limit refuses the better values: did you mean {meant} in place of"
            f" {given} ({_SIGNS[meant]} in place of {_SIGNS[given]})?",
        )


# Which limit refuses better values, and how options write limits.
_WORSE_SIDE: Mapping[str, str] = {"maximize": "max", "minimize": "min"}
_SIGNS = {"max": "<=", "min": ">="}


def _better(metric: Metric) -> str:
    return f"{metric.name} is better the {'greater' if metric.direction == 'maximize' else 'smaller'} it is"


def _never_asked(space: Space) -> Iterator[Caution]:
    """Yield the conditions that no value of what they depend on can meet: their parameter is not searched."""
    spans = {name: span for name, asked in space.all_parameters() if (span := asked.int_ or asked.float_)}
    for group in GROUPS:
        for place, asked in enumerate(getattr(space, group)):
            for number, when in enumerate(asked.when):
                if (span := spans.get(when.parameter)) is not None and (limit := _unmet(when, span)):
                    yield Caution(
                        f"spec.search.space.{group}[{place}].when[{number}]",
                        f"{when.parameter} is searched from {span.low} to {span.high} and never {limit}, so"
                        f" {asked.name} is never searched: correct the condition or the range",
                    )


def _unmet(when: When, span: IntRange | FloatRange) -> str:
    if when.above is not None and Decimal(when.above) >= Decimal(span.high):
        return f"above {when.above}"
    if when.below is not None and Decimal(when.below) <= Decimal(span.low):
        return f"below {when.below}"
    return ""


def _without_gpus(runners: Runners, engines: Sequence[Engine], workload: Workload) -> Iterator[Caution]:
    """Yield the engines that need a GPU where runners get processors and memory alone."""
    if not asks_for_resources_without_gpus(runners):
        return
    for name in dict.fromkeys(engine.name for engine in engines if _needs_gpu(engine, workload)):
        yield Caution(
            "spec.runners.resources.limits",
            f"engine {name} is to run on GPUs, and runners are given none: add a limit such as"
            " nvidia.com/gpu: 1, or a resource claim; on processors it needs an image of its own",
        )


def _needs_gpu(engine: Engine, workload: Workload) -> bool:
    declaration, values = declaration_of(engine.name), _fixed(engine, workload, {})
    if declaration is None or declaration.asks_endpoint:
        return False
    return declaration.needs_gpu(values) or gpus_taken(values) > 1


def _searched(spec: OptimizationSpec) -> tuple[str, ...]:
    """Return the full names of what is searched, by the spec's own space or by its preset."""
    space = spec.search.space
    declaration = declaration_of(spec.engine.name)
    if spec.search.preset is not None and declaration is not None and not any(space.all_parameters()):
        space = preset_space(spec.search.preset, declaration, _fixed(spec.engine, spec.workload, {}))
    return tuple(name for name, _ in space.all_parameters())


def _of_comparison(spec: BenchmarkSpec) -> Iterator[Caution]:
    """Yield the objective of a benchmark that longer answers improve, where the candidates' can differ."""
    if spec.workload.output_tokens is not None:
        return
    causes = compared_causes([_variant(spec, candidate) for candidate in spec.candidates])
    if text := misleading(spec.objective.metric, causes, remedy=_FIXED):
        yield Caution("spec.objective.metric", text)


def _variant(spec: BenchmarkSpec, candidate: Candidate) -> Variant:
    if candidate.optimization_ref is not None:
        return Variant(origin=str(candidate.optimization_ref))
    model, engine = candidate.model or spec.model, candidate.engine or spec.engine
    assert model is not None and engine is not None  # noqa: S101, PT018 - two rules of the spec say so
    return Variant(model.source, engine.name, _fixed(engine, spec.workload, candidate.parameters))


def _fixed(engine: Engine, workload: Workload, parameters: Mapping[str, Scalar]) -> dict[str, Value]:
    """Return what a manifest fixes, by full name, with `parameters` over it."""
    declaration = declaration_of(engine.name)
    if declaration is None:
        return {}
    given = {f"engine.{name}": value for name, value in engine.args.items()}
    given |= {f"sampling.{name}": value for name, value in workload.sampling.items()}
    return typed({**given, **parameters}, declaration)
