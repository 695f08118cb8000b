from typing import Any

import pytest
from fakes.manifests import changed, optimization

from llmopt_core.resources import resource_of
from llmopt_operator.domain.policies import denial
from llmopt_operator.settings import Policy


def _denied(path: str, value: Any, **policy: Any) -> str:
    found = denial(resource_of(changed(optimization(), path, value)), Policy.model_validate(policy))
    return "" if found is None else found.message


@pytest.mark.parametrize(
    ("path", "value", "policy", "says"),
    [
        ("spec.runners.image", "a/b:1", {}, "the administrator's own only"),
        ("spec.runners.image", "a/b:1", {"images": ["c/"]}, "allowed: c/…"),
        ("spec.runners.image", "a/b:1", {"images": ["a/"]}, ""),
        ("spec.engine.name", "llamacpp", {"engines": ["vllm"]}, "spec.engine.name: llamacpp"),
        ("spec.engine.name", "llamacpp", {"engines": ["llamacpp"]}, ""),
        ("spec.model.trustRemoteCode", True, {}, "trustRemoteCode"),
        ("spec.model.trustRemoteCode", True, {"trustRemoteCode": True}, ""),
        ("spec.rollout", {"deploymentRef": {"name": "server"}}, {}, "spec.rollout.deploymentRef"),
        (
            "spec.runners.template",
            {"volumes": [{"name": "v", "mountPath": "/data", "emptyDir": {}}]},
            {"volumeKinds": ["persistentVolumeClaim"]},
            "volumes: v",
        ),
    ],
)
def test_what_is_not_allowed_is_named(path: str, value: Any, policy: dict[str, Any], says: str) -> None:
    """Each rule of the administrator refuses what it is about, by field, and nothing else."""
    message = _denied(path, value, **policy)
    assert says in message
    assert bool(message) == bool(says)


def test_winners_are_written_only_where_that_is_allowed() -> None:
    """The chart's switch decides whether a Deployment may be named."""
    asked = resource_of(changed(optimization(), "spec.rollout", {"deploymentRef": {"name": "server"}}))
    assert denial(asked, Policy(), rollouts=True) is None
    refused = denial(asked, Policy())
    assert refused is not None
    assert "settings.rollout.enabled" in refused.message
