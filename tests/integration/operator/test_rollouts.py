"""Winners on their way into real Deployments, whose pods become ready or not."""

import json
import signal
from dataclasses import replace

import pytest
from fakes.tenants import eventually

from llmopt_core.resources import resource_of
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.search.configurations import Configuration
from llmopt_core.search.spaces import ChoiceDimension, SearchSpace, SpaceParameter
from llmopt_core.storage.definitions import define_study
from llmopt_core.storage.records import Outcome, OutcomeKind

pytestmark = pytest.mark.slow
FORMER = ["--port", "80", "--temp", "0.9"]
# What is searched has a flag, so that a winner can be written.
SPEC = {
    "rollout": {"deploymentRef": {"name": "server"}},
    "search": {
        "space": {"sampling": [{"name": "temperature", "float": {"low": "0", "high": "1", "step": "0.1"}}]}
    },
}


@pytest.fixture
def operator(make_operator, tenant):
    return make_operator(tenant.namespace, rollout={"enabled": True})


def deploy(tenant):
    labels = {"app": "server"}
    container = {"name": "main", "image": "server:1", "command": ["serve"], "args": FORMER}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "server"},
        "spec": {
            "selector": {"matchLabels": labels},
            "progressDeadlineSeconds": 8,
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    tenant.api.create(tenant.path("apps/v1", "deployments"), body)
    eventually(lambda: deployment(tenant)["status"].get("availableReplicas"))


def deployment(tenant):
    return tenant.api.get(tenant.path("apps/v1", "deployments", "server"))


def arguments(tenant):
    return deployment(tenant)["spec"]["template"]["spec"]["containers"][0]["args"]


def test_a_proven_winner_is_served(tenant, operator):
    """The Deployment gets the winner's arguments beside its own, and the former ones are kept in it."""
    with tenant.kubelet():
        deploy(tenant)
        tenant.apply("wins", **SPEC)
        tenant.until("wins", "RolledOut", "True", "Available")
    best = tenant.status("wins")["best"]
    *kept, last = arguments(tenant)
    assert kept == ["--port", "80", "--ctx-size", "4096", "--temp"]
    assert float(last) == pytest.approx(float(best["parameters"]["sampling.temperature"]))
    note = json.loads(deployment(tenant)["metadata"]["annotations"]["llmopt.dev/rollout"])
    assert note["former"] == FORMER
    assert note["trial"] == best["trial"]
    assert {"RolloutStarted", "RolledOut"} <= set(tenant.events("wins"))


def test_what_does_not_serve_is_taken_back_though_the_operator_is_killed(tenant, operator):
    """Killed while the new pods fail and started again, the operator gives the former arguments back."""
    with tenant.kubelet(serves=lambda said: list(said) == FORMER):
        deploy(tenant)
        tenant.apply("fails", **SPEC)
        tenant.until("fails", "RolledOut", "False", "InProgress")
        operator.stop(signal.SIGKILL)
        operator.start()
        condition = tenant.until("fails", "RolledOut", "False", "RolledBack")
        eventually(lambda: deployment(tenant)["status"].get("availableReplicas"))
    assert "did not become available" in condition["message"]
    assert arguments(tenant) == FORMER
    assert tenant.condition("fails", "Complete")["status"] == "True"
    assert "RolledBack" in tenant.events("fails")


def test_no_text_of_a_forged_row_reaches_a_manifest(tenant, operator):
    """A tenant that writes its own rows gets the arguments that follow from its resource, and no others."""
    with tenant.kubelet("--forge", "$(SECRET)"):
        deploy(tenant)
        tenant.apply("forged", **SPEC)
        tenant.until("forged", "RolledOut", "True", "Available")
    assert arguments(tenant)[:-1] == ["--port", "80", "--ctx-size", "4096", "--temp"]
    config_map = tenant.api.get(tenant.path("", "configmaps", "forged-best"))
    best = tenant.status("forged")["best"]
    assert "$(SECRET)" not in json.dumps([deployment(tenant), config_map, best])
    assert config_map["data"]["serve-args"].startswith("llama-server --model ")


def test_a_winner_outside_the_space_is_not_written(tenant, make_operator):
    """A tenant that makes the study itself, with a parameter of its own, changes nothing."""
    tenant.apply("outside", **SPEC)
    resource = resource_of({**tenant.resource("outside"), "status": None})
    forged = SearchSpace((SpaceParameter("engine.api_key", ChoiceDimension(("$(A)", "$(B)"))),))
    with open_for_search(tenant.url) as storage:
        study = storage.create_study(replace(define_study(resource), space=forged, enqueue=()))
        for accuracy in (0.1, 0.9, 0.9):
            claim = study.claim("forger", budget=4)
            configuration = Configuration.from_flat(claim.parameters)
            metrics = {"accuracy": accuracy}
            study.finish(claim, Outcome(OutcomeKind.MEASURED, configuration, metrics=metrics))
    with tenant.kubelet("--gain", "0", "--forge", "x"):
        deploy(tenant)
        make_operator(tenant.namespace, rollout={"enabled": True})
        condition = tenant.until("outside", "RolledOut", "False", "ParametersOutsideSpace")
    assert "'engine.api_key' is not searched" in condition["message"]
    assert tenant.condition("outside", "ResultValid")["status"] == "False"
    assert arguments(tenant) == FORMER
    assert "best" not in tenant.status("outside")
    assert tenant.api.get(tenant.path("", "configmaps", "outside-best")) is None


def test_without_a_proven_gain_nothing_is_touched(tenant, operator):
    """A search that only found the default again leaves the Deployment as it is."""
    with tenant.kubelet("--gain", "0"):
        deploy(tenant)
        before = deployment(tenant)["metadata"]["generation"]
        tenant.apply("even", **SPEC)
        tenant.until("even", "RolledOut", "False", "NoSignificantGain")
    assert deployment(tenant)["metadata"]["generation"] == before
    assert arguments(tenant) == FORMER


def test_a_deployment_that_is_made_later_is_found(tenant, operator):
    """What is missing is named, and the winner is written once it is there."""
    with tenant.kubelet():
        tenant.apply("early", **SPEC)
        condition = tenant.until("early", "RolledOut", "False", "DeploymentNotFound")
        assert "server does not exist" in condition["message"]
        deploy(tenant)
        tenant.until("early", "RolledOut", "True")


def test_a_refused_change_is_quoted_and_made_once_it_is_allowed(tenant, operator, policy):
    """What forbids the Deployment's change is in the condition and an event; when it is gone it is made."""
    with tenant.kubelet():
        deploy(tenant)
        lift = policy("apps", "deployments", "no changes before the release")
        tenant.apply("frozen", **SPEC)
        condition = tenant.until("frozen", "RolledOut", "False", "AdmissionDenied")
        assert "no changes before the release" in condition["message"]
        assert "RolloutRefused" in tenant.events("frozen")
        assert arguments(tenant) == FORMER
        lift()
        tenant.until("frozen", "RolledOut", "True", "Available")
    assert arguments(tenant)[:2] == ["--port", "80"]
