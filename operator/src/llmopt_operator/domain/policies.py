"""What the administrator allows resources to ask for."""

from collections.abc import Iterator

from llmopt_core.resources import LLMOptimization, Resource
from llmopt_operator.domain.observed import Problem
from llmopt_operator.settings import Policy
from llmopt_operator.specs.jobs import engine_names, models_of


def denial(resource: Resource, policy: Policy) -> Problem | None:
    """Return why `resource` may not be run here, with every field that is not allowed, or None."""
    found = tuple(_denials(resource, policy))
    return Problem("PolicyDenied", "; ".join(found)) if found else None


def _denials(resource: Resource, policy: Policy) -> Iterator[str]:
    image = resource.spec.runners.image
    if image and not any(image.startswith(beginning) for beginning in policy.images):
        allowed = ", ".join(f"{beginning}…" for beginning in policy.images) or "the administrator's own only"
        yield f"spec.runners.image: {image} is not allowed here (allowed: {allowed})"
    for engine in engine_names(resource):
        if policy.engines and engine not in policy.engines:
            yield f"spec.engine.name: {engine} is not allowed here (allowed: {', '.join(policy.engines)})"
    if _rolls_out(resource):
        yield (
            "spec.rollout.deploymentRef: this version does not write into Deployments; take it out, and use"
            " the ConfigMap of the best parameters"
        )
    if not policy.trust_remote_code and any(model.trust_remote_code for model in models_of(resource)):
        yield "spec.model.trustRemoteCode: code that comes with a model is not allowed here"
    for volume in resource.spec.runners.template.volumes:
        if not set(volume.kinds) <= set(policy.volume_kinds):
            yield f"spec.runners.template.volumes: {volume.name} is of a kind that is not allowed here"


def _rolls_out(resource: Resource) -> bool:
    rollout = resource.spec.rollout if isinstance(resource, LLMOptimization) else None
    return rollout is not None and rollout.deployment_ref is not None
