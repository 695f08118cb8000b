from pathlib import Path
from typing import Any

import pytest
from fakes.manifests import benchmark, changed, optimization

from llmopt_core.api.reasons import Reason
from llmopt_core.resources import LLMOptimization, load_manifest, resource_of
from llmopt_operator.domain.policies import denial, is_allowed_image
from llmopt_operator.reconciling.admission import images_problem
from llmopt_operator.settings import OperatorSettings, Policy

SAMPLES = Path(__file__).parents[3] / "config" / "samples"


def _denied(path: str, value: Any, **policy: Any) -> str:
    found = denial(resource_of(changed(optimization(), path, value)), Policy.model_validate(policy), {})
    return "" if found is None else found.message


@pytest.mark.parametrize(
    ("path", "value", "policy", "says"),
    [
        ("spec.runners.image", "a/b:1", {}, "the administrator's own only"),
        ("spec.runners.image", "a/b:1", {"images": ["c/"]}, "allowed: c/"),
        ("spec.runners.image", "a/b:1", {"images": ["a/"]}, ""),
        ("spec.engine.name", "llamacpp", {"engines": ["vllm"]}, "spec.engine.name: llamacpp"),
        ("spec.engine.name", "llamacpp", {"engines": ["llamacpp"]}, ""),
        ("spec.model.trustRemoteCode", True, {}, "trustRemoteCode"),
        ("spec.model.trustRemoteCode", True, {"trustRemoteCode": True}, ""),
        ("spec.rollout", {"deploymentRef": {"name": "server"}}, {}, "spec.rollout.deploymentRef"),
        *(
            (f"spec.runners.template.{field}", value, policy, says)
            for field, value, setting, allowed, named in (
                ("serviceAccountName", "deployer", "serviceAccounts", "deployer", "deployer is not allowed"),
                ("priorityClassName", "urgent", "priorityClasses", "urgent", "urgent is not allowed"),
                ("runtimeClassName", "nvidia", "runtimeClasses", "nvidia", "nvidia is not allowed"),
                ("annotations", {"a.b/c": "d"}, "annotations", "a.b/", "a.b/c is not allowed"),
                (
                    "env",
                    [{"name": "NCCL_DEBUG", "value": "INFO"}],
                    "environment",
                    "NCCL_",
                    "NCCL_DEBUG is not allowed",
                ),
                (
                    "tolerations",
                    [{"key": "control-plane", "operator": "Exists"}],
                    "tolerations",
                    "control-plane",
                    "control-plane is not allowed",
                ),
                ("tolerations", [{"operator": "Exists"}], "tolerations", "*", "every taint is not allowed"),
            )
            for policy, says in (({}, named), ({setting: [allowed]}, ""), ({setting: ["*"]}, ""))
        ),
        ("spec.runners.template.tolerations", [{"key": "nvidia.com/gpu", "operator": "Exists"}], {}, ""),
        ("spec.runners.template.labels", {"team": "a"}, {}, ""),
        ("spec.runners.template.labels", {"team": "a"}, {"labels": ["cost"]}, "team is not allowed"),
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


@pytest.mark.parametrize(
    ("image", "allowed", "is_allowed"),
    [
        ("ghcr.io/acme/runner:1", "ghcr.io/acme", True),
        ("ghcr.io/acme/runner:1", "ghcr.io/acme/", True),
        ("ghcr.io/acme/runner:1", "ghcr.io/acme/runner", True),
        ("ghcr.io/acme/runner:1", "ghcr.io/acme/runner:1", True),
        ("ghcr.io/acme/runner@sha256:ab", "ghcr.io/acme/runner", True),
        ("ghcr.io/acme/runner@sha256:ab", "ghcr.io/acme/runner@sha256:ab", True),
        ("ghcr.io/acme/runner:1@sha256:ab", "ghcr.io/acme/runner:1", True),
        ("ghcr.io/acme/runner:1", "ghcr.io/acme/runner:", True),
        ("ghcr.io/acme-evil/runner", "ghcr.io/acme", False),
        ("ghcr.io.evil.com/acme/runner", "ghcr.io", False),
        ("ghcr.io:5000/acme/runner", "ghcr.io", False),
        ("ghcr.io:5000/acme/runner", "ghcr.io:", False),
        ("ghcr.io:5000/acme/runner", "ghcr.io:5000", True),
        ("ghcr.io/acme/runner-evil:1", "ghcr.io/acme/runner", False),
        ("ghcr.io/acme/runner:10", "ghcr.io/acme/runner:1", False),
        ("ghcr.io/acme/runner@sha256:abc", "ghcr.io/acme/runner@sha256:ab", False),
        ("ghcr.io@evil.com/x", "ghcr.io", False),
        ("runner", "runner", True),
        ("evil/runner", "runner", False),
    ],
)
def test_an_images_beginning_ends_where_a_part_does(image: str, allowed: str, *, is_allowed: bool) -> None:
    """What is allowed ends before a slash, a tag or a digest: a longer name or another port is not meant."""
    assert is_allowed_image(image, [allowed]) is is_allowed


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_defaults_allow_the_samples(path: Path) -> None:
    """What the documentation shows runs without a change of the policy."""
    resource = load_manifest(path)
    assert denial(resource, Policy(), {}, rollouts=True) is None
    assert images_problem(resource, {}, OperatorSettings()) is None


def test_winners_are_written_only_where_that_is_allowed() -> None:
    """The chart's switch decides whether a Deployment may be named."""
    asked = resource_of(changed(optimization(), "spec.rollout", {"deploymentRef": {"name": "server"}}))
    assert denial(asked, Policy(), {}, rollouts=True) is None
    refused = denial(asked, Policy(), {})
    assert refused is not None
    assert "settings.rollout.enabled" in refused.message


ENDPOINT = {"name": "openai", "endpoint": {"url": "http://a/v1"}}


def test_engines_in_different_images_are_rejected_by_name() -> None:
    """One Job has one image: the message names each engine's, and what to do."""
    candidates = [{"name": "one"}, {"name": "two", "engine": {"name": "vllm"}}]
    document = changed(benchmark(), "spec.candidates", candidates)
    document = changed(document, "spec.baseline", "one")
    settings = OperatorSettings(images={"llamacpp": "r/a:1", "vllm": "r/b@sha256:12"})
    problem = images_problem(resource_of(document), {}, settings)
    assert problem is not None
    assert problem.reason == Reason.IMAGES_DIFFER
    assert "llamacpp needs r/a:1, vllm needs r/b@sha256:12" in problem.message
    assert "spec.runners.image" in problem.message
    named = changed(document, "spec.runners", {"image": "r/both:1"})
    assert images_problem(resource_of(named), {}, settings) is None
    same = settings.model_copy(update={"images": {"default": "r/both:1"}})
    assert images_problem(resource_of(document), {}, same) is None


def test_a_running_server_needs_no_image_of_its_own() -> None:
    """A candidate at an endpoint runs in whatever image the others need."""
    document = changed(benchmark(), "spec.candidates.1", {"name": "slots", "engine": ENDPOINT})
    assert images_problem(resource_of(document), {}, OperatorSettings()) is None


def test_an_engine_without_an_image_needs_one_by_name() -> None:
    """llmopt makes no image with SGLang: the resource or the administrator names one."""
    document = changed(optimization(), "spec.engine", {"name": "sglang"})
    problem = images_problem(resource_of(document), {}, OperatorSettings())
    assert problem is not None
    assert problem.reason == Reason.IMAGE_MISSING
    assert "sglang" in problem.message
    named = OperatorSettings(images={"sglang": "a/b:1"})
    assert images_problem(resource_of(document), {}, named) is None


def test_what_a_reference_brings_is_judged_too() -> None:
    """A candidate's optimization brings a model and an engine: the policy holds for them as well."""
    reference = {"name": "slots", "optimizationRef": {"name": "found"}}
    asked = resource_of(changed(benchmark(), "spec.candidates.1", reference))
    found = resource_of(changed(optimization(), "spec.model.trustRemoteCode", True))  # noqa: FBT003 - a value
    assert isinstance(found, LLMOptimization)
    refused = denial(asked, Policy(), {"found": found})
    assert refused is not None
    assert "spec.candidates[1].optimizationRef.model.trustRemoteCode" in refused.message
