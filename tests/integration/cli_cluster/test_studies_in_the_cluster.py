"""A study from the terminal, on a real API server with a real operator: applied, followed, read, reported."""

import json
import signal

import pytest
import yaml
from fakes.cluster_commands import small
from fakes.manifests import benchmark, changed
from fakes.tenants import eventually

from llmopt_core.api.exit_codes import Exit
from llmopt_core.resources.loading import resource_of
from llmopt_core.results.numbers import value_texts
from llmopt_core.results.reading import search_result
from llmopt_core.results.wording import headline, serve_title
from llmopt_core.storage.storages import open_storage

pytestmark = pytest.mark.slow


def test_from_apply_to_the_report(llmopt, tenant, operator):
    """Applied, followed to its result, listed and reported: what is said is what the study says."""
    file = llmopt.written(small())
    applied = llmopt("apply", "-f", file, "-n", tenant.namespace)
    assert applied.output.splitlines() == [
        "llmoptimization/mine created",
        f"next: llmopt watch llmo/mine -n {tenant.namespace}",
    ]
    with tenant.kubelet("--trial-seconds", "0.3"):
        watched = llmopt("watch", "mine", "-n", tenant.namespace)
    assert watched.exit_code == Exit.FINISHED
    assert "; 4/4 trials" in watched.output
    assert "The study is finished (TrialsExhausted)" in watched.output
    with open_storage(tenant.url) as storage:
        study = storage.open_study(tenant.resource("mine")["metadata"]["uid"])
        result = search_result(study, resource_of(small()).spec)
    assert headline(result.status) in watched.output.replace("\n", " ")
    assert f"{serve_title(result.status)}: {result.serve_command}" in watched.output
    shown = value_texts(result.request_fields, ": ")
    assert "temperature: " in shown
    assert f"with these fields in each request: {shown}" in watched.output
    row = llmopt("get", "-n", tenant.namespace).stdout.splitlines()[1].split()
    assert row[:3] == ["llmo", "mine", "Complete"]
    reported = llmopt("report", "mine", "-n", tenant.namespace, "--output", llmopt.folder / "r.html")
    assert reported.exit_code == Exit.FINISHED, reported.output
    page = (llmopt.folder / "r.html").read_text()
    assert headline(result.status) in page
    assert "managedFields" not in page
    assert "name: mine" in page
    assert "<h1>llmopt report: mine</h1>" in page
    answers = json.loads(llmopt("answers", "mine", "-n", tenant.namespace, "--json").stdout)
    assert answers["first"]["title"] == "baseline"
    assert answers["items"][0]["question"] == "0 < 0 + 1?"
    compared = llmopt("compare", "mine", "mine", "-n", tenant.namespace, "--format", "md")
    assert compared.stdout.startswith("## llmopt: mine, mine (2)\n")


def test_a_benchmark_is_followed_to_its_verdict(llmopt, tenant, operator):
    """The same commands take the other kind: candidates by metric, the verdict, the report."""
    document = benchmark()
    cold = {"name": "cold", "parameters": {"sampling.temperature": "0"}}
    document["spec"] |= {"candidates": [{"name": "default"}, cold], "repeats": 4}
    document["spec"]["objective"] = {"metric": "accuracy"}
    assert llmopt("apply", llmopt.written(document), "-n", tenant.namespace).exit_code == Exit.FINISHED
    with tenant.kubelet("--trial-seconds", "0.1"):
        watched = llmopt("watch", "llmb", "small", "-n", tenant.namespace)
    assert watched.exit_code == Exit.FINISHED, watched.output
    assert "cold wins: accuracy" in watched.output
    assert "Parameters of cold:" in watched.output
    assert "better," in watched.output
    assert "cold wins" in llmopt("get", "llmb", "-n", tenant.namespace, "-o", "wide").stdout
    page = llmopt.folder / "b.html"
    assert llmopt("report", "small", "-n", tenant.namespace, "--output", page).exit_code == Exit.FINISHED
    assert "cold wins" in page.read_text()


def test_get_prints_what_the_api_server_has(llmopt, tenant, operator):
    """As JSON and YAML, one or a list, in one namespace or in all, without what only servers read."""
    tenant.apply("one")
    tenant.until("one", "StudyReady", "True")
    one = json.loads(llmopt("get", "llmo", "one", "-n", tenant.namespace, "-o", "json").stdout)
    assert one["metadata"]["name"] == "one"
    assert "managedFields" not in one["metadata"]
    listed = yaml.safe_load(llmopt("get", "-A", "-o", "yaml").stdout)
    mine = [each for each in listed["items"] if each["metadata"]["namespace"] == tenant.namespace]
    assert [(each["kind"], each["metadata"]["name"]) for each in mine] == [("LLMOptimization", "one")]
    wide = llmopt("get", "-A", "-o", "wide").stdout
    assert one["metadata"]["uid"] in wide
    assert tenant.namespace in wide
    assert "nothing in namespace nowhere" in llmopt("get", "-n", "nowhere").stdout
    missing = llmopt("get", "onne", "-n", tenant.namespace)
    assert missing.exit_code == Exit.INVALID
    assert "did you mean one?" in missing.stderr


def test_a_failed_study_is_shown_with_its_errors(llmopt, tenant, operator):
    """watch ends with 1, the class of the errors and what to do."""
    tenant.apply("fatal")
    with tenant.kubelet("--fail", "ModelNotFound"):
        watched = llmopt("watch", "fatal", "-n", tenant.namespace)
    assert watched.exit_code == Exit.FAILED
    assert "The study failed (ModelNotFound): the model is not there" in watched.output
    assert "-> name one that exists" in watched.output


def test_a_refused_resource_ends_the_watching(llmopt, tenant, operator):
    """watch ends with 2 and says which field, as the operator does; get says it, too."""
    document = changed(small(), "spec.model.trustRemoteCode", value=True)
    tenant.apply("refused", document=document)
    watched = llmopt("watch", "refused", "-n", tenant.namespace)
    assert watched.exit_code == Exit.INVALID
    assert "It cannot run as it is. PolicyDenied: spec.model.trustRemoteCode" in watched.output
    assert "-> change the field, or ask the cluster's administrator" in watched.output
    listed = llmopt("get", "refused", "-n", tenant.namespace)
    assert "Rejected: PolicyDenied" in listed.stdout


def test_what_a_pod_waits_for_is_reported_while_it_waits(llmopt, tenant, operator):
    """The reason is a line with what to do as soon as it is known, and the study goes on after it."""
    tenant.apply("stuck")
    (pod,) = eventually(tenant.pods)
    pending = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3 nodes have gpus",
    }
    path = f"{tenant.path('', 'pods', pod['metadata']['name'])}/status"
    tenant.api.patch(path, {"status": {"phase": "Pending", "conditions": [pending]}})
    watch = llmopt.start("watch", "stuck", "-n", tenant.namespace)
    lines = iter(watch.stdout.readline, "")
    assert next(line for line in lines if "0/3 nodes have gpus" in line).startswith("Unschedulable: ")
    assert next(lines).startswith("  -> wait for such a node")
    with tenant.kubelet():
        rest = watch.communicate(timeout=120)[0]
    assert watch.returncode == Exit.FINISHED
    assert "The study is finished" in rest


def test_a_missing_secret_is_reported(llmopt, make_tenant, make_operator):
    """get of a study without a storage names the Secret that is missing."""
    tenant = make_tenant(secret=False)
    make_operator(tenant.namespace)
    tenant.apply("homeless")
    tenant.until("homeless", "StudyReady", "False")
    assert "llmopt-storage" in llmopt("get", "homeless", "-n", tenant.namespace).stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupting_the_watching_leaves_the_study_alone(llmopt, tenant, operator, number):
    """Ctrl-C and SIGTERM end with 130 and say how to look again; the runners go on."""
    tenant.apply("long", budget={"trials": 500})
    with tenant.kubelet("--trial-seconds", "0.5") as node:
        watch = llmopt.start("watch", "long", "-n", tenant.namespace)
        eventually(lambda: "trials" in watch.stdout.readline())
        watch.send_signal(number)
        said = watch.communicate(timeout=30)[0]
        assert watch.returncode == Exit.INTERRUPTED
        assert f"llmopt watch long -n {tenant.namespace}" in said
        assert "Traceback" not in said
        eventually(lambda: node.running)


def test_deleting_the_resource_ends_the_watching(llmopt, tenant, operator):
    """watch ends with 1 and says why."""
    tenant.apply("doomed", budget={"trials": 500})
    watch = llmopt.start("watch", "doomed", "-n", tenant.namespace)
    eventually(lambda: "trials" in watch.stdout.readline())
    tenant.api.delete(tenant.path("llmopt.dev/v1alpha1", "llmoptimizations", "doomed"))
    said = watch.communicate(timeout=30)[0]
    assert watch.returncode == Exit.FAILED
    assert "doomed was deleted while it was watched" in said


def test_without_an_operator_that_is_said(llmopt, tenant):
    """Watching what no operator attends to says so, and how to look for the operator."""
    tenant.apply("alone")
    watch = llmopt.start("watch", "alone", "-n", tenant.namespace)
    line = next(line for line in iter(watch.stdout.readline, "") if "NoOperator" in line)
    assert "no operator has looked at alone" in line
