"""What the administrator's policy does to resources on a real API server."""

import pytest
from fakes.manifests import benchmark

pytestmark = pytest.mark.slow
KIND = "llmbenchmarks"


def secret(tenant, name, **labels):
    body = {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": labels},
        "stringData": {"token": name},
    }  # fmt: skip
    tenant.api.create(tenant.path("", "secrets"), body)


def candidate(name):
    source = {"source": f"hf://org/{name}/file.gguf", "tokenSecretRef": {"name": name, "key": "token"}}
    return {"name": name, "model": source}


def test_a_secret_is_used_only_once_it_is_labelled(tenant, operator):
    """Each candidate's own token reaches its runner, after somebody has allowed the Secret by its label."""
    secret(tenant, "first", **{"llmopt.dev/allowed": "true"})
    tenant.apply(
        "duel", plural=KIND, document=benchmark(), candidates=[candidate("first"), candidate("second")],
        baseline="first", budget={}, confirm=None,
    )  # fmt: skip
    condition = tenant.until("duel", "Accepted", "False", "SecretNotFound", plural=KIND)
    assert "spec.candidates[1].model.tokenSecretRef" in condition["message"]
    secret(tenant, "second")
    condition = tenant.until("duel", "Accepted", "False", "SecretNotAllowed", plural=KIND)
    assert "kubectl label secret second" in condition["message"]
    assert tenant.jobs() == []
    labels = {"metadata": {"labels": {"llmopt.dev/allowed": "true"}}}
    assert tenant.api.patch(tenant.path("", "secrets", "second"), labels)
    tenant.until("duel", "Accepted", "True", plural=KIND)
    with tenant.kubelet():
        tenant.until("duel", "Complete", "True", plural=KIND)
    (job,) = tenant.jobs()
    (container,) = job["spec"]["template"]["spec"]["containers"]
    given = {each["name"]: each["valueFrom"]["secretKeyRef"]["name"] for each in container["env"]
             if "valueFrom" in each}  # fmt: skip
    assert given["LLMOPT_MODEL_TOKEN_FIRST"] == "first"  # noqa: S105 - a Secret's name
    assert given["LLMOPT_MODEL_TOKEN_SECOND"] == "second"  # noqa: S105 - as above


def test_engines_in_different_images_are_rejected(tenant, operator):
    """The condition names the image that each engine needs, and nothing is started."""
    candidates = [{"name": "default"}, {"name": "other", "engine": {"name": "vllm"}}]
    tenant.apply(
        "mixed", plural=KIND, document=benchmark(), candidates=candidates, budget={}, confirm=None
    )  # fmt: skip
    condition = tenant.until("mixed", "Accepted", "False", "ImagesDiffer", plural=KIND)
    assert "llamacpp needs llmopt-runner:llamacpp, vllm needs llmopt-runner:vllm" in condition["message"]
    assert tenant.jobs() == []


def test_a_stricter_policy_leaves_alone_what_runs(tenant, make_operator):
    """Runners that an earlier policy let start end their study; another resource of the kind is denied."""
    runners = {"template": {"priorityClassName": "urgent"}}
    group = "scheduling.k8s.io/v1"
    urgent = {"apiVersion": group, "kind": "PriorityClass", "metadata": {"name": "urgent"}, "value": 1}
    tenant.api.create(f"/apis/{group}/priorityclasses", urgent)
    before = make_operator(tenant.namespace, policy={"priorityClasses": ["urgent"]})
    with tenant.kubelet("--trial-seconds", "2"):
        tenant.apply("running", runners=runners)
        tenant.until("running", "Running", "True")
        (job,) = tenant.jobs()
        before.stop()
        make_operator(tenant.namespace)
        tenant.apply("late", runners=runners)
        condition = tenant.until("late", "Accepted", "False", "PolicyDenied")
        assert "settings.policy.priorityClasses" in condition["message"]
        tenant.until("running", "Complete", "True")
    assert [each["metadata"]["uid"] for each in tenant.jobs()] == [job["metadata"]["uid"]]
