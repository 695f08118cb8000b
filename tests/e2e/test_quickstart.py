"""The whole product in a cluster: what a user applies is measured by real runners and ends with an answer."""

import json

import pytest
from fakes.cluster_commands import Commands
from fakes.sample_manifests import small_optimization

from llmopt_core.api.exit_codes import Exit
from llmopt_core.storage.storages import open_storage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

_STUDY_SECONDS = 600
_TRIALS = 4


@pytest.fixture(scope="module")
def finished(operator, tenant):
    """The sample, applied and waited for; the resource as it then is."""
    document = small_optimization(_TRIALS)
    operator.kubectl("apply", "-n", tenant.namespace, "-f", "-", input=json.dumps(document))
    name = document["metadata"]["name"]
    operator.kubectl(
        "wait", f"llmo/{name}", "-n", tenant.namespace,
        "--for=condition=Complete", f"--timeout={_STUDY_SECONDS}s", limit_seconds=_STUDY_SECONDS + 30,
    )  # fmt: skip
    return json.loads(operator.kubectl("get", f"llmo/{name}", "-n", tenant.namespace, "--output=json"))


def test_resource_ends_with_best_parameters(finished):
    """The status says that the budget was spent, and which parameters came out best."""
    conditions = {condition["type"]: condition for condition in finished["status"]["conditions"]}
    assert conditions["Complete"]["reason"] == "TrialsExhausted"
    assert finished["status"]["phase"] == "Complete"
    assert finished["status"]["best"]["parameters"]


def test_config_map_holds_the_same_parameters(operator, tenant, finished):
    """What programs read is what the status shows, and belongs to the resource."""
    name = f"{finished['metadata']['name']}-best"
    best = json.loads(operator.kubectl("get", "configmap", name, "-n", tenant.namespace, "--output=json"))
    assert [owner["uid"] for owner in best["metadata"]["ownerReferences"]] == [finished["metadata"]["uid"]]
    parameters = json.loads(best["data"]["best.json"])["parameters"]
    flat = {f"{kind}.{name}": value for kind, named in parameters.items() for name, value in named.items()}
    shown = finished["status"]["best"]["parameters"]
    # Kubernetes' own rule: a resource holds no floating point numbers, but their text.
    numbers = {name: float(shown[name]) for name, value in flat.items() if isinstance(value, float)}
    assert {**shown, **numbers} == pytest.approx(flat)


def test_study_holds_every_trial(tenant, finished):
    """The tenant's database holds the study under the resource's identity, with every trial measured."""
    with open_storage(tenant.url) as storage:
        trials = storage.open_study(finished["metadata"]["uid"]).trials()
    assert len(trials) >= _TRIALS


def test_command_tells_the_same(operator, tenant, finished, tmp_path):
    """The command shows the result, the runner's log from the kubelet, and a report from the database."""
    llmopt = Commands(operator.kubeconfig, tmp_path)
    name, space = finished["metadata"]["name"], ("-n", tenant.namespace)
    watched = llmopt("watch", name, *space)
    assert watched.exit_code == Exit.FINISHED, watched.output
    assert "The study is finished (TrialsExhausted)" in watched.output
    assert finished["status"]["best"]["serveArgs"] in watched.output
    logs = llmopt("logs", name, *space)
    assert logs.exit_code == Exit.FINISHED, logs.output
    assert "trial 0" in logs.stdout
    reported = llmopt("report", name, *space, "--storage", tenant.url, "--output", tmp_path / "r.html")
    assert reported.exit_code == Exit.FINISHED, reported.output
    assert finished["status"]["best"]["summary"].partition(":")[0] in (tmp_path / "r.html").read_text()


def test_runner_was_restricted(operator, tenant, finished):
    """The runner's pod ends well, under the restricted rules and without a token for the API server."""
    selector = f"--selector=llmopt.dev/resource={finished['metadata']['name']}"
    ended = ("--for=jsonpath={.status.phase}=Succeeded", "--timeout=90s")
    operator.kubectl("wait", "pods", "-n", tenant.namespace, selector, *ended)
    found = operator.kubectl("get", "pods", "-n", tenant.namespace, selector, "--output=json")
    (pod,) = json.loads(found)["items"]
    assert pod["spec"]["automountServiceAccountToken"] is False
