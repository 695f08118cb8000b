"""What the administrator allows resources to ask for."""

from collections.abc import Iterator

from llmopt_core.api.reasons import Reason
from llmopt_core.resources import LLMOptimization, Resource
from llmopt_operator.domain.contents import engine_names, models_of
from llmopt_operator.domain.observed import Problem, RolloutTarget
from llmopt_operator.settings import Policy


def denial(resource: Resource, policy: Policy, *, rollouts: bool = False) -> Problem | None:
    """Return why `resource` may not be run here, with every field that is not allowed, or None.

    `rollouts`: whether winners may be written into Deployments.
    """
    found = tuple(_denials(resource, policy, rollouts=rollouts))
    return Problem(Reason.POLICY_DENIED, "; ".join(found)) if found else None


def _denials(resource: Resource, policy: Policy, *, rollouts: bool) -> Iterator[str]:
    image = resource.spec.runners.image
    if image and not any(image.startswith(beginning) for beginning in policy.images):
        allowed = ", ".join(f"{beginning}…" for beginning in policy.images) or "the administrator's own only"
        yield f"spec.runners.image: {image} is not allowed here (allowed: {allowed})"
    for engine in engine_names(resource):
        if policy.engines and engine not in policy.engines:
            yield f"spec.engine.name: {engine} is not allowed here (allowed: {', '.join(policy.engines)})"
    if not rollouts and rollout_of(resource):
        yield (
            "spec.rollout.deploymentRef: winners are not written into Deployments here"
            " (settings.rollout.enabled in the chart's values); use the ConfigMap of the best parameters"
        )
    if not policy.trust_remote_code and any(model.trust_remote_code for model in models_of(resource)):
        yield "spec.model.trustRemoteCode: code that comes with a model is not allowed here"
    for volume in resource.spec.runners.template.volumes:
        if not set(volume.kinds) <= set(policy.volume_kinds):
            yield f"spec.runners.template.volumes: {volume.name} is of a kind that is not allowed here"


def rollout_of(resource: Resource) -> RolloutTarget | None:
    """Return the Deployment that the winner of `resource` is written into, if any."""
    rollout = resource.spec.rollout if isinstance(resource, LLMOptimization) else None
    if rollout is None or rollout.deployment_ref is None:
        return None
    return RolloutTarget(rollout.deployment_ref.name, rollout.deployment_ref.container)
