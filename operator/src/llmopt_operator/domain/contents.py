"""What a resource names: its models, engines and candidates, and the Secrets it refers to. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from llmopt_core.api.environment import Variable, of_candidate
from llmopt_core.resources import LLMBenchmark, LLMOptimization, Resource
from llmopt_core.resources.serving import Engine, Model, SecretKey

# Optimizations that a benchmark's candidates refer to, by name.
Referenced = Mapping[str, LLMOptimization]


@dataclass(frozen=True)
class Part:
    """A model and an engine that a resource names, at `path`; `candidate` is None for the shared ones."""

    path: str
    candidate: str | None
    model: Model | None
    engine: Engine | None


@dataclass(frozen=True)
class SecretUse:
    """A reference at `path` of the resource, and the variable that holds it for runners."""

    path: str
    variable: str
    secret: SecretKey


def parts_of(resource: Resource, referenced: Referenced) -> Iterator[Part]:
    """Yield what a resource serves: the shared model and engine first, then each candidate's own."""
    spec = resource.spec
    yield Part("spec", None, spec.model, spec.engine)
    if not isinstance(resource, LLMBenchmark):
        return
    for place, candidate in enumerate(resource.spec.candidates):
        path = f"spec.candidates[{place}]"
        if candidate.optimization_ref is None:
            yield Part(path, candidate.name, candidate.model, candidate.engine)
        elif (found := referenced.get(candidate.optimization_ref.name)) is not None:
            yield Part(f"{path}.optimizationRef", candidate.name, found.spec.model, found.spec.engine)


def engines_of(resource: Resource) -> tuple[Engine, ...]:
    """Return the engines that a resource describes itself, the shared one first."""
    return tuple(part.engine for part in parts_of(resource, {}) if part.engine is not None)


def models_of(resource: Resource, referenced: Referenced) -> tuple[Model, ...]:
    """Return the models that a resource names, the shared one first."""
    return tuple(part.model for part in parts_of(resource, referenced) if part.model is not None)


def secret_uses(resource: Resource, referenced: Referenced) -> Iterator[SecretUse]:
    """Yield each secret that runners are given: a candidate's own under a name of its own."""
    for part in parts_of(resource, referenced):
        if part.model is not None and part.model.token_secret_ref is not None:
            yield _use(
                part, f"{part.path}.model.tokenSecretRef", Variable.MODEL_TOKEN, part.model.token_secret_ref
            )
        endpoint = part.engine.endpoint if part.engine is not None else None
        if endpoint is not None and endpoint.api_key_secret_ref is not None:
            path = f"{part.path}.engine.endpoint.apiKeySecretRef"
            yield _use(part, path, Variable.ENDPOINT_API_KEY, endpoint.api_key_secret_ref)
    evaluator = resource.spec.workload.evaluator
    if evaluator is not None and evaluator.endpoint is not None and evaluator.endpoint.api_key_secret_ref:
        path = "spec.workload.evaluator.endpoint.apiKeySecretRef"
        yield SecretUse(path, Variable.EVALUATOR_API_KEY, evaluator.endpoint.api_key_secret_ref)


def secret_references(resource: Resource, referenced: Referenced) -> Iterator[tuple[str, str]]:
    """Yield the path and the Secret's name of each reference of a resource, those for pulling images too."""
    for use in secret_uses(resource, referenced):
        yield use.path, use.secret.name
    for place, name in enumerate(resource.spec.runners.template.image_pull_secrets):
        yield f"spec.runners.template.imagePullSecrets[{place}]", name


def _use(part: Part, path: str, variable: Variable, secret: SecretKey) -> SecretUse:
    name = variable if part.candidate is None else of_candidate(variable, part.candidate)
    return SecretUse(path, name, secret)
