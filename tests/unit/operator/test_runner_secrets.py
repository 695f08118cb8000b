"""Which secrets a benchmark's runners are given, and for whom."""

from typing import Any

from fakes.manifests import benchmark, changed, optimization

from llmopt_core.resources import LLMOptimization, resource_of
from llmopt_operator.domain.contents import Referenced, secret_references
from llmopt_operator.settings import OperatorSettings, Policy
from llmopt_operator.specs.jobs import runner_job


def _secret(name: str) -> dict[str, str]:
    return {"name": name, "key": "token"}


def _model(name: str) -> dict[str, Any]:
    return {"source": f"hf://org/{name}/file.gguf", "tokenSecretRef": _secret(f"{name}-token")}


def _endpoint(name: str) -> dict[str, Any]:
    endpoint = {"url": f"http://{name}/v1", "apiKeySecretRef": _secret(f"{name}-key")}
    return {"name": "openai", "endpoint": endpoint}


def _document(*candidates: dict[str, Any]) -> dict[str, Any]:
    document = changed(benchmark(), "spec.candidates", list(candidates))
    document = changed(document, "spec.baseline", None)
    document["metadata"] |= {"namespace": "team-a", "uid": "uid"}
    return document


def _environment(document: dict[str, Any], referenced: Referenced | None = None) -> dict[str, str]:
    """Return the Secret of each variable."""
    job = runner_job(document, resource_of(document), OperatorSettings(), referenced or {})
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return {
        variable["name"]: variable["valueFrom"]["secretKeyRef"]["name"]
        for variable in container["env"]
        if "valueFrom" in variable
    }


def test_each_candidate_has_its_own_secrets() -> None:
    """Tokens and keys of two candidates have variables of their own; the shared model's token stays apart."""
    document = _document(
        {"name": "one", "model": _model("one"), "engine": _endpoint("one")},
        {"name": "two-b", "model": _model("two"), "engine": _endpoint("two")},
        {"name": "three"},
    )
    assert _environment(changed(document, "spec.model", _model("shared"))) == {
        "LLMOPT_STORAGE_URL": "llmopt-storage",
        "LLMOPT_MODEL_TOKEN": "shared-token",
        "LLMOPT_MODEL_TOKEN_ONE": "one-token",
        "LLMOPT_ENDPOINT_API_KEY_ONE": "one-key",
        "LLMOPT_MODEL_TOKEN_TWO_B": "two-token",
        "LLMOPT_ENDPOINT_API_KEY_TWO_B": "two-key",
    }


def test_an_optimizations_secrets_come_with_its_result() -> None:
    """A candidate that is a result of an optimization gets that one's token and volume."""
    found = optimization()
    found["spec"]["model"] = {**_model("gated"), "source": "pvc://claim/file.gguf"}
    resource = resource_of(found)
    assert isinstance(resource, LLMOptimization)
    document = _document({"name": "default"}, {"name": "best", "optimizationRef": {"name": "found"}})
    assert _environment(document, {"found": resource})["LLMOPT_MODEL_TOKEN_BEST"] == "gated-token"  # noqa: S105 - a Secret's name
    job = runner_job(document, resource_of(document), OperatorSettings(), {"found": resource})
    claims = [volume.get("persistentVolumeClaim") for volume in job["spec"]["template"]["spec"]["volumes"]]
    assert {"claimName": "claim", "readOnly": True} in claims


def test_every_reference_is_named_by_its_field() -> None:
    """A user who decides which Secrets may be used sees them all, those that pull images too."""
    document = _document({"name": "one", "model": _model("one"), "engine": _endpoint("one")})
    document["spec"]["runners"] = {"template": {"imagePullSecrets": ["registry"]}}
    judge = {"name": "judge", "endpoint": _endpoint("judge")["endpoint"]}
    document["spec"]["workload"]["evaluator"] = judge
    assert dict(secret_references(resource_of(document), {})) == {
        "spec.candidates[0].model.tokenSecretRef": "one-token",
        "spec.candidates[0].engine.endpoint.apiKeySecretRef": "one-key",
        "spec.workload.evaluator.endpoint.apiKeySecretRef": "judge-key",
        "spec.runners.template.imagePullSecrets[0]": "registry",
    }


def test_runners_learn_that_remote_code_is_denied() -> None:
    """The policy reaches the runner too: a candidate's model may come from a study that its tenant wrote."""
    document = _document({"name": "default"})

    def may_read(settings: OperatorSettings) -> bool:
        (container,) = runner_job(document, resource_of(document), settings)["spec"]["template"]["spec"][
            "containers"
        ]
        return {"name": "LLMOPT_REMOTE_CODE", "value": "deny"} in container["env"]

    assert may_read(OperatorSettings())
    assert not may_read(OperatorSettings(policy=Policy(trust_remote_code=True)))
