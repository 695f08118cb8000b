"""From a resource to the study it stands for: every reader and every runner derives the same one."""

import hashlib
import json
from collections.abc import Mapping

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.engines.registry import declaration_of
from llmopt_core.errors.classes import ErrorClass, LlmoptError
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.resources.optimization import LLMOptimization, OptimizationSpec
from llmopt_core.search.building import build_space, parse_values
from llmopt_core.search.configurations import Value
from llmopt_core.search.presets import preset_space
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.study.records import ConstraintDefinition, ObjectiveDefinition, StudyDefinition

# What may change while a study runs; all else makes another study.
_CHANGEABLE = {
    "budget", "confirm", "memory_guard", "runners", "rollout",
    "suspend", "ttl_seconds_after_finished", "study_retention",
}  # fmt: skip


class UnknownEngine(LlmoptError):
    """The manifest names an engine that is neither built in nor installed as a plug-in."""

    error_class = ErrorClass.ENGINE_NOT_INSTALLED


class NothingToSearch(LlmoptError):
    """The preset holds nothing that this engine has and the manifest leaves open."""

    error_class = ErrorClass.INVALID_CONFIGURATION


def study_name(resource: LLMOptimization) -> str:
    """Return the study's name: the resource's UID, or without a cluster its name."""
    return resource.metadata.uid or resource.metadata.name


def resource_name(resource: LLMOptimization, name: str | None = None) -> str:
    """Return `namespace/name` of the resource, or of the one called `name` in its namespace."""
    return f"{resource.metadata.namespace or 'default'}/{name or resource.metadata.name}"


def fingerprint(spec: OptimizationSpec) -> str:
    """Return a short text that differs when anything differs that a running study depends on."""
    document = spec.model_dump(mode="json", by_alias=True, exclude=_CHANGEABLE)
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def engine_declaration(spec: OptimizationSpec) -> EngineDeclaration:
    """Return what the manifest's engine declares; raises UnknownEngine."""
    declaration = declaration_of(spec.engine.name)
    if declaration is None:
        raise UnknownEngine(f"spec.engine.name: no engine named {spec.engine.name!r} is installed")
    return declaration


def fixed_parameters(spec: OptimizationSpec, declaration: EngineDeclaration) -> dict[str, Value]:
    """Return, by full name, what the manifest fixes outside the search."""
    prompt: dict[str, Value] = {"prompt.few_shot": spec.workload.prompt.few_shot}
    if spec.workload.prompt.system is not None:
        prompt["prompt.system"] = spec.workload.prompt.system
    if spec.workload.prompt.template is not None:
        prompt["prompt.template"] = spec.workload.prompt.template
    return {
        **parse_values(spec.engine.args, declaration, "engine"),
        **parse_values(spec.workload.sampling, declaration, "sampling"),
        **prompt,
    }


def define_study(resource: LLMOptimization) -> StudyDefinition:
    """Return the study of `resource`; raises UnknownEngine, or ValueError for a value of the wrong kind."""
    spec = resource.spec
    declaration = engine_declaration(spec)
    return StudyDefinition(
        name=study_name(resource),
        resource=resource_name(resource),
        fingerprint=fingerprint(spec),
        space=_space(spec, declaration),
        objectives=_objectives(spec),
        constraints=_constraints(spec),
        sampler=spec.search.sampler.name,
        pruner="none" if len(spec.objectives) > 1 else spec.search.pruner.name,
        seed=spec.search.sampler.seed,
        enqueue=tuple(_typed(entry, declaration) for entry in spec.search.enqueue),
    )


def _space(spec: OptimizationSpec, declaration: EngineDeclaration) -> SearchSpace:
    """The manifest's own space, else its preset's without what is fixed."""
    asked = spec.search.space
    if spec.search.preset is not None and not any(asked.all_parameters()):
        fixed = fixed_parameters(spec, declaration)
        asked = preset_space(spec.search.preset, declaration, fixed)
    if not any(asked.all_parameters()):
        raise NothingToSearch(
            f"spec.search.preset: {spec.search.preset!r} leaves nothing to search on engine "
            f"{declaration.name}: write a spec.search.space, or fix less"
        )
    return build_space(asked, declaration)


def _typed(entry: Mapping[str, int | str], declaration: EngineDeclaration) -> Mapping[str, Value]:
    return parse_values(dict(entry), declaration)


def _objectives(spec: OptimizationSpec) -> tuple[ObjectiveDefinition, ...]:
    return tuple(
        ObjectiveDefinition(
            asked.metric, asked.goal or find_metric(asked.metric).direction, float(asked.weight)
        )
        for asked in spec.objectives
    )


def _constraints(spec: OptimizationSpec) -> tuple[ConstraintDefinition, ...]:
    return tuple(
        ConstraintDefinition(
            asked.metric,
            None if asked.min is None else float(asked.min),
            None if asked.max is None else float(asked.max),
        )
        for asked in spec.constraints
    )
