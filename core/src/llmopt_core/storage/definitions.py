"""From a resource to the study it stands for: every reader and every runner derives the same one."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.engines.registry import declaration_of
from llmopt_core.errors.classes import ErrorClass, LlmoptError
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.resources.benchmark import BenchmarkSpec, Candidate, LLMBenchmark
from llmopt_core.resources.hashed import settled_spec
from llmopt_core.resources.loading import Resource
from llmopt_core.resources.optimization import LLMOptimization, Objective, OptimizationSpec
from llmopt_core.resources.presets import preset_space
from llmopt_core.resources.search_spaces import build_space, parse_values
from llmopt_core.resources.searching import Pruner, Sampler
from llmopt_core.resources.serving import Engine, Model, Workload
from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage.records import (
    CandidateDefinition,
    ComparisonDefinition,
    ConstraintDefinition,
    ObjectiveDefinition,
    Serving,
    StudyDefinition,
)

_PERCENT = 100
_FIRST_DEFAULT_SAMPLER = "tpe"
_FIRST_DEFAULT_PRUNER = "wilcoxon"
# They see one score after another, so one objective.
_PRUNERS_OF_ONE_OBJECTIVE = ("wilcoxon", "median")


class UnknownEngine(LlmoptError):
    """The manifest names an engine that is neither built in nor installed as a plug-in."""

    error_class = ErrorClass.ENGINE_NOT_INSTALLED


class NothingToSearch(LlmoptError):
    """The preset holds nothing that this engine has and the manifest leaves open."""

    error_class = ErrorClass.INVALID_CONFIGURATION


def study_name(resource: Resource) -> str:
    """Return the study's name: the resource's UID, or without a cluster its name."""
    return resource.metadata.uid or resource.metadata.name


def resource_name(resource: Resource, name: str | None = None) -> str:
    """Return `namespace/name` of the resource, or of the one called `name` in its namespace."""
    return f"{resource.metadata.namespace or 'default'}/{name or resource.metadata.name}"


def fingerprint(spec: OptimizationSpec | BenchmarkSpec) -> str:
    """Return a short text that differs when anything differs that a running study depends on.

    A field that a later version brings does not change it while it has its default: see `settled_spec`. Nor
    do the changes of the default sampler and pruner since release 0.1.0: an earlier study keeps its own.
    """
    kept = {field.field for field in spec.immutable}
    names = {name for name, field in type(spec).model_fields.items() if field.alias in kept}
    document = spec.model_dump(mode="json", by_alias=True, include=names)
    kind = LLMBenchmark if isinstance(spec, BenchmarkSpec) else LLMOptimization
    if isinstance(spec, OptimizationSpec):
        _with_first_defaults(spec, document["search"])
    text = json.dumps(settled_spec(kind.__name__, document), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _with_first_defaults(spec: OptimizationSpec, search: dict[str, Any]) -> None:
    if spec.search.sampler.name == Sampler().name:
        search["sampler"]["name"] = _FIRST_DEFAULT_SAMPLER
    if spec.search.pruner.name == Pruner().name:
        search["pruner"]["name"] = _FIRST_DEFAULT_PRUNER


def engine_declaration(engine: Engine, path: str = "spec.engine") -> EngineDeclaration:
    """Return what the engine at `path` of a manifest declares; raises UnknownEngine."""
    declaration = declaration_of(engine.name)
    if declaration is None:
        raise UnknownEngine(f"{path}.name: no engine named {engine.name!r} is installed")
    return declaration


def fixed_parameters(engine: Engine, workload: Workload, declaration: EngineDeclaration) -> dict[str, Value]:
    """Return, by full name, what a manifest fixes for every trial on `engine`."""
    prompt: dict[str, Value] = {"prompt.few_shot": workload.prompt.few_shot}
    if workload.prompt.system is not None:
        prompt["prompt.system"] = workload.prompt.system
    if workload.prompt.template is not None:
        prompt["prompt.template"] = workload.prompt.template
    return {
        **parse_values(engine.args, declaration, "engine"),
        **parse_values(workload.sampling, declaration, "sampling"),
        **prompt,
    }


def define_study(resource: Resource) -> StudyDefinition:
    """Return the study of `resource`; raises UnknownEngine, or ValueError for a value of the wrong kind.

    Candidates that are results of optimizations are looked up when the study is made: see `from_others`.
    """
    if isinstance(resource, LLMBenchmark):
        return _benchmark(resource)
    return _optimization(resource)


def _optimization(resource: LLMOptimization) -> StudyDefinition:
    spec = resource.spec
    declaration = engine_declaration(spec.engine)
    fixed = fixed_parameters(spec.engine, spec.workload, declaration)
    return StudyDefinition(
        name=study_name(resource),
        resource=resource_name(resource),
        fingerprint=fingerprint(spec),
        space=_space(spec, declaration, fixed),
        objectives=tuple(objective_of(asked) for asked in spec.objectives),
        constraints=_constraints(spec),
        sampler=spec.search.sampler.name,
        pruner=_pruner(spec),
        seed=spec.search.sampler.seed,
        enqueue=tuple(_typed(entry, declaration) for entry in spec.search.enqueue),
        serving=_serving(spec.model, spec.engine, fixed),
        output_tokens=spec.workload.output_tokens,
    )


def _pruner(spec: OptimizationSpec) -> str:
    name = spec.search.pruner.name
    return "none" if len(spec.objectives) > 1 and name in _PRUNERS_OF_ONE_OBJECTIVE else name


def _benchmark(resource: LLMBenchmark) -> StudyDefinition:
    spec = resource.spec
    return StudyDefinition(
        name=study_name(resource),
        resource=resource_name(resource),
        fingerprint=fingerprint(spec),
        space=SearchSpace(()),
        objectives=(objective_of(spec.objective),),
        comparison=ComparisonDefinition(
            candidates=tuple(_candidate(spec, place) for place in range(len(spec.candidates))),
            baseline=spec.baseline_name,
            repeats=spec.repeats,
            metrics=tuple(spec.metrics),
            confidence=spec.confidence_percent / _PERCENT,
        ),
        output_tokens=spec.workload.output_tokens,
    )


def _candidate(spec: BenchmarkSpec, place: int) -> CandidateDefinition:
    """Return a candidate with the shared parts where it has none of its own."""
    asked = spec.candidates[place]
    if asked.optimization_ref is not None:
        reference = asked.optimization_ref
        return CandidateDefinition(asked.name, None, str(reference))
    model, engine = asked.model or spec.model, asked.engine or spec.engine
    assert model is not None and engine is not None  # noqa: S101, PT018 - two rules of the spec say so
    path = "spec.engine" if asked.engine is None else f"spec.candidates[{place}].engine"
    parameters = _candidate_parameters(asked, engine, spec.workload, path)
    return CandidateDefinition(asked.name, _serving(model, engine, parameters))


def _candidate_parameters(
    asked: Candidate, engine: Engine, workload: Workload, path: str
) -> dict[str, Value]:
    declaration = engine_declaration(engine, path)
    fixed = fixed_parameters(engine, workload, declaration)
    return {**fixed, **parse_values(asked.parameters, declaration)}


def _serving(model: Model, engine: Engine, parameters: Mapping[str, Value]) -> Serving:
    return Serving(_document(model), _document(engine), parameters)


def _document(part: Model | Engine) -> dict[str, object]:
    return part.model_dump(mode="json", by_alias=True, exclude_none=True)


def _space(spec: OptimizationSpec, declaration: EngineDeclaration, fixed: Mapping[str, Value]) -> SearchSpace:
    """The manifest's own space, else its preset's without what is fixed."""
    asked = spec.search.space
    if spec.search.preset is not None and not any(asked.all_parameters()):
        # No examples are what a manifest has that says nothing of them: that is not to fix their number.
        settled = {name: value for name, value in fixed.items() if (name, value) != ("prompt.few_shot", 0)}
        asked = preset_space(spec.search.preset, declaration, settled)
    if not any(asked.all_parameters()):
        raise NothingToSearch(
            f"spec.search.preset: {spec.search.preset!r} leaves nothing to search on engine "
            f"{declaration.name}: write a spec.search.space, or fix less"
        )
    return build_space(asked, declaration)


def _typed(entry: Mapping[str, int | str], declaration: EngineDeclaration) -> Mapping[str, Value]:
    return parse_values(dict(entry), declaration)


def objective_of(asked: Objective) -> ObjectiveDefinition:
    """Return an objective of a manifest with the direction that holds."""
    direction = asked.goal or find_metric(asked.metric).direction
    return ObjectiveDefinition(asked.metric, direction, float(asked.weight))


def _constraints(spec: OptimizationSpec) -> tuple[ConstraintDefinition, ...]:
    return tuple(
        ConstraintDefinition(
            asked.metric,
            None if asked.min is None else float(asked.min),
            None if asked.max is None else float(asked.max),
            asked.relative_to,
        )
        for asked in spec.constraints
    )
