"""What the administrator allows resources to ask for.

A user who may create a resource starts pods in its namespace. What reaches beyond that (other identities,
other nodes, other runtimes, Secrets) is denied unless it is allowed.
"""

from collections.abc import Iterable, Iterator, Sequence

from llmopt_core.api.reasons import Reason
from llmopt_core.resources import LLMOptimization, Resource
from llmopt_core.resources.pods import Toleration
from llmopt_operator.domain.contents import Part, Referenced, parts_of
from llmopt_operator.domain.observed import Problem, RolloutTarget
from llmopt_operator.settings import ALL, Policy


def denial(
    resource: Resource, policy: Policy, referenced: Referenced, *, rollouts: bool = False
) -> Problem | None:
    """Return why `resource` may not be run here, with every field that is not allowed, or None.

    `referenced` are the optimizations that candidates refer to; `rollouts` says whether winners may be
    written into Deployments.
    """
    found = (
        *_image(resource, policy),
        *_rollout(resource, rollouts=rollouts),
        *_served(parts_of(resource, referenced), policy),
        *_pod(resource, policy),
    )
    return Problem(Reason.POLICY_DENIED, "; ".join(found)) if found else None


def is_allowed_image(image: str, allowed: Iterable[str]) -> bool:
    """Say whether `image` is one of `allowed`, or begins so at the end of a host, a path, a name or a tag.

    A colon ends a name only where a tag follows: `host` does not allow `host:5000/image`.
    """
    return any(_begins(image, beginning) for beginning in allowed)


def _begins(image: str, beginning: str) -> bool:
    if not image.startswith(beginning):
        return False
    rest = image.removeprefix(beginning)
    if not rest or rest[0] == "/" or beginning[-1] == "/":
        return True
    return (rest[0] in ":@" or beginning[-1] in ":@") and "/" not in rest


def _image(resource: Resource, policy: Policy) -> Iterator[str]:
    image = resource.spec.runners.image
    if image and not is_allowed_image(image, policy.images):
        allowed = ", ".join(policy.images) or "the administrator's own only"
        yield f"spec.runners.image: {image} is not allowed here (allowed: {allowed})"


def _rollout(resource: Resource, *, rollouts: bool) -> Iterator[str]:
    if not rollouts and rollout_of(resource):
        yield (
            "spec.rollout.deploymentRef: winners are not written into Deployments here"
            " (settings.rollout.enabled in the chart's values); use the ConfigMap of the best parameters"
        )


def _served(parts: Iterable[Part], policy: Policy) -> Iterator[str]:
    for part in parts:
        if part.engine and policy.engines and part.engine.name not in policy.engines:
            allowed = ", ".join(policy.engines)
            yield f"{part.path}.engine.name: {part.engine.name} is not allowed here (allowed: {allowed})"
        if part.model and part.model.trust_remote_code and not policy.trust_remote_code:
            yield (
                f"{part.path}.model.trustRemoteCode: code that comes with a model is not allowed here"
                " (settings.policy.trustRemoteCode)"
            )


def _pod(resource: Resource, policy: Policy) -> Iterator[str]:
    template = resource.spec.runners.template
    for volume in template.volumes:
        if not set(volume.kinds) <= set(policy.volume_kinds):
            yield f"spec.runners.template.volumes: {volume.name} is of a kind that is not allowed here"
    account, priority, runtime = (
        (name,) if name else ()
        for name in (
            template.service_account_name,
            template.priority_class_name,
            template.runtime_class_name,
        )
    )
    asked: tuple[tuple[str, Iterable[str], Sequence[str], str], ...] = (
        ("serviceAccountName", account, policy.service_accounts, "serviceAccounts"),
        ("priorityClassName", priority, policy.priority_classes, "priorityClasses"),
        ("runtimeClassName", runtime, policy.runtime_classes, "runtimeClasses"),
        ("tolerations", map(_taint, template.tolerations), policy.tolerations, "tolerations"),
        ("annotations", template.annotations, policy.annotations, "annotations"),
        ("labels", template.labels, policy.labels, "labels"),
        ("env", (variable.name for variable in template.env), policy.environment, "environment"),
    )
    for field, names, allowed, setting in asked:
        for name in names:
            if not _is_allowed(name, allowed):
                listed = ", ".join(allowed) or "none"
                yield (
                    f"spec.runners.template.{field}: {name} is not allowed here (allowed: {listed};"
                    f" settings.policy.{setting} in the chart's values)"
                )


def _taint(toleration: Toleration) -> str:
    """The taint's key; a toleration without one tolerates all."""
    return toleration.key or "every taint"


def _is_allowed(name: str, allowed: Iterable[str]) -> bool:
    return any(one in {ALL, name} or (one.endswith(("/", "_")) and name.startswith(one)) for one in allowed)


def rollout_of(resource: Resource) -> RolloutTarget | None:
    """Return the Deployment that the winner of `resource` is written into, if any."""
    rollout = resource.spec.rollout if isinstance(resource, LLMOptimization) else None
    if rollout is None or rollout.deployment_ref is None:
        return None
    return RolloutTarget(rollout.deployment_ref.name, rollout.deployment_ref.container)
