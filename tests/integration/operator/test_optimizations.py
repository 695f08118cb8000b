"""One optimization from apply to its end, and everything that may come between."""

import json
import re
import signal

import pytest
import yaml
from fakes.manifests import changed, optimization
from fakes.tenants import eventually, give_secret

from llmopt_core.storage.storages import open_storage

pytestmark = pytest.mark.slow


def _job_names(tenant):
    return [job["metadata"]["name"] for job in tenant.jobs() if "deletionTimestamp" not in job["metadata"]]


def test_warnings_of_trials_are_reported(tenant, operator):
    """What measured trials warn of is counted in the status, numbers aside."""
    tenant.apply("warns")
    with tenant.kubelet("--warn", "# of 9 answers were cut"):
        tenant.until("warns", "Complete", "True")
    (warning,) = tenant.status("warns")["warnings"]
    assert warning["count"] >= 4
    assert warning["lastMessage"] == f"{warning['lastTrial']} of 9 answers were cut"


def test_it_runs_to_its_end(tenant, operator):
    """Applied, it gets one Job, and its status and ConfigMap hold the best that its runners found."""
    tenant.apply("whole", runners={"count": 2})
    with tenant.kubelet():
        tenant.until("whole", "Complete", "True", "TrialsExhausted")
    status = tenant.status("whole")
    assert status["phase"] == "Complete"
    assert status["progress"]["finished"] == status["progress"]["budget"] == 4
    assert status["baseline"]["trial"] == 0
    best = status["best"]
    assert best["confirmed"]
    gain = best["gain"][0]
    assert gain["metric"] == "accuracy"
    assert float(gain["interval"]["low"]) <= float(gain["difference"]) <= float(gain["interval"]["high"])
    assert gain["verdict"] in {"better", "worse", "equivalent", "undecided"}
    config_map = tenant.api.get(tenant.path("", "configmaps", "whole-best"))
    assert json.loads(config_map["data"]["best.json"])["trial"] == best["trial"]
    assert config_map["data"]["serve-args"].strip() == best["serveArgs"]
    assert json.loads(config_map["data"]["generation_config.json"])
    assert config_map["metadata"]["ownerReferences"][0]["name"] == "whole"
    assert len(tenant.jobs()) == 1
    assert "Started" in tenant.events("whole")
    assert "TrialsExhausted" in tenant.events("whole")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("spec.engine.name", "lamacpp", 'spec.engine.name: "lamacpp": expected an installed engine'),
        ("spec.workload.dataset.name", "nothing", "spec.workload.dataset.name"),
        ("spec.runners.image", "evil:latest", "spec.runners.image: evil:latest is not allowed here"),
        ("spec.model.trustRemoteCode", True, "trustRemoteCode"),
    ],
)
def test_what_cannot_run_is_refused(tenant, operator, field, value, says):
    """Nothing is created for it, and the condition names the field, the value and what to do."""
    tenant.apply("refused", document=changed(optimization(), field, value))
    condition = tenant.until("refused", "Accepted", "False")
    assert says in condition["message"]
    assert tenant.jobs() == []
    assert tenant.status("refused")["phase"] == "Rejected"
    assert says in tenant.status("refused")["reason"]


def test_kubectl_shows_what_is_refused_and_why(tenant, operator, plane):
    """A table of kubectl says of a refused resource that it is, and what to correct."""
    tenant.apply("wrong", document=changed(optimization(), "spec.engine.name", "lamacpp"))
    tenant.until("wrong", "Accepted", "False")
    header, row = plane.kubectl("get", "llmopt", "-n", tenant.namespace).splitlines()
    assert header.split()[:2] == ["NAME", "PHASE"]
    assert row.split()[1] == "Rejected"
    assert row[header.index("REASON") :].startswith(
        'spec.engine.name: "lamacpp": expected an installed engine'
    )


def test_a_default_that_cannot_run_is_reported_and_replaced_as_the_reference(tenant, operator):
    """Status, event and best.json say why it cannot run, and the gains are over the best configuration."""
    tenant.apply("refusing", budget={"trials": 6})
    with tenant.kubelet("--refuse-default"):
        tenant.until("refusing", "Complete", "True")
    status = tenant.status("refusing")
    failure, best = status["baselineFailure"], status["best"]
    assert (failure["class"], failure["lastMessage"]) == ("InvalidConfiguration", "max_num_seqs at most 856")
    assert "baseline" not in status
    assert best["reference"] > 0
    assert best["confirmed"]
    assert best["headline"]
    assert best["summary"].startswith("The baseline cannot run here (InvalidConfiguration)")
    condition = tenant.condition("refusing", "BaselineMeasured")
    assert "max_num_seqs at most 856" in condition["message"]
    assert f"trial {best['reference']}" in condition["message"]
    assert "BaselineInfeasible" in tenant.events("refusing")
    written = json.loads(tenant.api.get(tenant.path("", "configmaps", "refusing-best"))["data"]["best.json"])
    assert written["default_failure"]["error_class"] == "InvalidConfiguration"
    assert written["reference"] == best["reference"]


def test_kubectl_shows_how_long_it_will_take(tenant, operator, plane):
    """The time left is a duration, which no unit has to be guessed for."""
    tenant.apply("timed", budget={"trials": 200})
    with tenant.kubelet("--trial-seconds", "1"):
        eventually(lambda: "eta" in tenant.status("timed").get("progress", {}))
        header, row = plane.kubectl("get", "llmo", "timed", "-n", tenant.namespace, "-o", "wide").splitlines()
    assert re.match(r"\d+m(\d+s)? ", row[header.index("ETA") :])


def test_suspend_and_resume(tenant, operator):
    """Suspended, its runners give their trials back and go; resumed, new ones go on with the same study."""
    tenant.apply("paused", budget={"trials": 6})
    with tenant.kubelet("--trial-seconds", "1") as node:
        eventually(lambda: tenant.status("paused").get("progress", {}).get("finished"))
        tenant.edit("paused", {"spec": {"suspend": True}})
        tenant.until("paused", "Suspended", "True")
        eventually(lambda: not tenant.jobs())
        eventually(lambda: not node.running)
        assert {code for _, code in node.exits} == {75}
        eventually(lambda: tenant.status("paused")["runners"][0].get("ended"))
        tenant.edit("paused", {"spec": {"suspend": False}})
        tenant.until("paused", "Complete", "True")
    assert tenant.status("paused")["progress"]["finished"] == 6
    assert tenant.condition("paused", "Suspended") is None


def test_a_raised_budget_is_used(tenant, operator):
    """Runners of the old budget end, those of the new one go on with the study, before its end and after."""
    tenant.apply("raised", budget={"trials": 3})
    with tenant.kubelet():
        tenant.until("raised", "Complete", "True")
        first = _job_names(tenant)
        tenant.edit("raised", {"spec": {"budget": {"trials": 5}}})
        eventually(lambda: tenant.status("raised")["progress"]["finished"] == 5)
        tenant.until("raised", "Complete", "True")
    assert _job_names(tenant) != first
    assert len(tenant.jobs()) == 1


def test_a_killed_operator_changes_nothing(tenant, make_operator):
    """Killed in the middle and started again, it goes on with the same Job, and is quiet when all is done."""
    operator = make_operator(tenant.namespace)
    tenant.apply("steady", budget={"trials": 6})
    with tenant.kubelet("--trial-seconds", "0.5"):
        eventually(lambda: tenant.status("steady").get("progress", {}).get("finished"))
        operator.stop(signal.SIGKILL)
        jobs = {job["metadata"]["uid"] for job in tenant.jobs()}
        operator.start()
        tenant.until("steady", "Complete", "True")
    assert {job["metadata"]["uid"] for job in tenant.jobs()} == jobs
    operator.stop()
    before = tenant.resource("steady")["metadata"]["resourceVersion"]
    operator.start()
    eventually(lambda: operator.asked(operator.metrics, "/metrics")[1].count('result="done"'))
    text = operator.asked(operator.metrics, "/metrics")[1]
    assert 'verb="PATCH"' not in text
    assert 'verb="POST"' not in text
    assert tenant.resource("steady")["metadata"]["resourceVersion"] == before


def test_a_missing_secret_is_named_and_heals(make_tenant, make_operator):
    """Without its storage's Secret nothing starts, and it starts by itself once the Secret is there."""
    tenant = make_tenant(secret=False)
    make_operator(tenant.namespace)
    tenant.apply("waiting")
    condition = tenant.until("waiting", "StudyReady", "False", "StorageSecretInvalid")
    assert "llmopt-storage" in condition["message"]
    assert tenant.jobs() == []
    give_secret(tenant)
    tenant.until("waiting", "StudyReady", "True")
    eventually(tenant.jobs)


def test_the_password_is_never_shown(make_tenant, make_operator):
    """A storage that does not answer is named without its password, in the status and in the log."""
    tenant = make_tenant(secret=False)
    operator = make_operator(tenant.namespace)
    give_secret(tenant, "postgresql+psycopg://me:hunter2@127.0.0.1:9/none")
    tenant.apply("away")
    condition = tenant.until("away", "StudyReady", "False", "StorageUnavailable")
    assert "127.0.0.1:9" in condition["message"]
    assert "hunter2" not in condition["message"]
    operator.stop()
    assert "hunter2" not in operator.log.read_text()


def test_a_dropped_study_begins_anew(tenant, operator):
    """A user who drops the study of a running resource is informed of it, and the search begins again."""
    tenant.apply("lost", budget={"trials": 8})
    with tenant.kubelet("--trial-seconds", "0.5") as node:
        eventually(lambda: tenant.status("lost").get("progress", {}).get("finished"))
        node.held = True
        with open_storage(tenant.url) as storage:
            storage.drop_study(tenant.resource("lost")["metadata"]["uid"])
        eventually(lambda: "StudyLost" in tenant.events("lost"))
        node.held = False
        tenant.until("lost", "Complete", "True")
    assert tenant.status("lost")["progress"]["finished"] == 8


@pytest.mark.parametrize(("code", "reason"), [(65, "RunnerRefused"), (64, "RunnerFailed")])
def test_runners_that_cannot_work_fail_it_with_their_words(tenant, operator, code, reason):
    """What the runner said last stands in the condition, and no new one is started."""
    tenant.apply("broken")
    with tenant.kubelet("--exit", str(code)):
        condition = tenant.until("broken", "Failed", "True", reason)
    assert "something is wrong with this machine" in condition["message"]
    assert tenant.status("broken")["phase"] == "Failed"


def test_a_fatal_class_fails_it(tenant, operator):
    """The class that ended the study is the reason, and its errors are listed with what to do."""
    tenant.apply("fatal")
    with tenant.kubelet("--fail", "ModelNotFound"):
        condition = tenant.until("fatal", "Failed", "True", "ModelNotFound")
    assert condition["message"] == "the model is not there"
    (error,) = tenant.status("fatal")["errors"]
    assert (error["class"], error["suggestion"]) == ("ModelNotFound", "name one that exists")


def test_a_killed_runner_is_replaced(tenant, operator):
    """A runner that dies costs no trial: its replacement runs the same again."""
    tenant.apply("killed", budget={"trials": 6})
    with tenant.kubelet("--trial-seconds", "0.5") as node:
        (pod,) = eventually(lambda: node.running)
        eventually(lambda: tenant.status("killed").get("progress", {}).get("finished"))
        node.kill(pod)
        tenant.until("killed", "Complete", "True")
    assert tenant.status("killed")["progress"]["finished"] == 6
    assert len(tenant.jobs()) == 1


@pytest.mark.parametrize(
    ("status", "reason", "says"),
    [
        (
            {"containerStatuses": [{"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}]},
            "ImagePullFailed",
            "spec.runners.image",
        ),
        (
            {"containerStatuses": [{"waiting": {"reason": "CreateContainerConfigError", "message": "no s"}}]},
            "ReferenceMissing",
            "create the Secret",
        ),
        (
            {"conditions": [{"reason": "Unschedulable", "message": "0/3 nodes have nvidia.com/gpu"}]},
            "Unschedulable",
            "nvidia.com/gpu",
        ),
    ],
)
def test_what_a_pod_waits_for_is_reported(tenant, operator, status, reason, says):
    """What keeps a runner from starting is a condition with what to do, and goes when the runner starts."""
    tenant.apply("waiting")
    (pod,) = eventually(tenant.pods)
    if "conditions" in status:
        pending = [{"type": "PodScheduled", "status": "False", **status["conditions"][0]}]
        body = {"status": {"phase": "Pending", "conditions": pending}}
    else:
        container = {"name": "runner", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
        body = {"status": {"containerStatuses": [{**container, "state": status["containerStatuses"][0]}]}}
    tenant.api.patch(f"{tenant.path('', 'pods', pod['metadata']['name'])}/status", body)
    assert says in tenant.until("waiting", "Running", "False", reason)["message"]
    with tenant.kubelet():
        tenant.until("waiting", "Complete", "True")


def test_a_queue_admits_and_preempts(tenant, operator):
    """As Kueue does it: created suspended, resumed when admitted, suspended again when preempted."""
    tenant.apply("queued", budget={"trials": 6}, runners={"queueName": "gpus"})
    (job,) = eventually(tenant.jobs)
    assert job["spec"]["suspend"]
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
    tenant.until("queued", "Running", "False", "QueueInadmissible")
    path = tenant.path("batch/v1", "jobs", job["metadata"]["name"])
    with tenant.kubelet("--trial-seconds", "0.5") as node:
        tenant.api.patch(path, {"spec": {"suspend": False}})
        tenant.until("queued", "Running", "True")
        eventually(lambda: tenant.status("queued").get("progress", {}).get("finished"))
        tenant.api.patch(path, {"spec": {"suspend": True}})
        tenant.until("queued", "Running", "False", "QueueInadmissible")
        eventually(lambda: not node.running)
        tenant.api.patch(path, {"spec": {"suspend": False}})
        tenant.until("queued", "Complete", "True")
    assert tenant.status("queued")["progress"]["finished"] == 6
    assert len(tenant.jobs()) == 1


def test_delete_takes_everything_along_but_the_study(tenant, operator):
    """Job, pods and ConfigMaps go with the resource; the study stays unless it was asked for otherwise."""
    tenant.apply("gone", budget={"trials": 50})
    with tenant.kubelet("--trial-seconds", "0.5") as node:
        eventually(lambda: node.running)
        uid = tenant.resource("gone")["metadata"]["uid"]
        tenant.api.delete(tenant.path("llmopt.dev/v1alpha1", "llmoptimizations", "gone"))
        eventually(lambda: not tenant.jobs() and not tenant.pods())
    with open_storage(tenant.url) as storage:
        assert storage.study_names() == (uid,)


def test_a_study_goes_with_its_resource_where_that_was_asked_for(tenant, operator):
    """With studyRetention Delete the study is dropped some time after its resource; others stay."""
    tenant.apply("going", studyRetention="Delete")
    tenant.apply("staying")
    with tenant.kubelet():
        tenant.until("going", "Complete", "True")
        tenant.until("staying", "Complete", "True")
    uid = tenant.resource("staying")["metadata"]["uid"]
    for name in ("going", "staying"):
        tenant.api.delete(tenant.path("llmopt.dev/v1alpha1", "llmoptimizations", name))
    with open_storage(tenant.url) as storage:
        eventually(lambda: storage.study_names() == (uid,))


def test_a_shared_database_keeps_the_studies_of_other_namespaces(make_tenant, make_operator):
    """Where two namespaces keep their studies in one database, each one's sweep drops only its own."""
    one, other = make_tenant(), make_tenant(secret=False)
    other.url = one.url
    give_secret(other)
    make_operator(one.namespace, other.namespace)
    one.apply("going", studyRetention="Delete")
    other.apply("staying", studyRetention="Delete")
    with one.kubelet(), other.kubelet():
        one.until("going", "Complete", "True")
        other.until("staying", "Complete", "True")
    gone, kept = (
        each.resource(name)["metadata"]["uid"] for each, name in ((one, "going"), (other, "staying"))
    )
    one.api.delete(one.path("llmopt.dev/v1alpha1", "llmoptimizations", "going"))
    with open_storage(one.url) as storage:
        eventually(lambda: gone not in storage.study_names())
        assert storage.study_names() == (kept,)


def test_it_is_deleted_in_its_time(tenant, operator):
    """With a time to live it goes by itself after its end."""
    tenant.apply("mortal", ttlSecondsAfterFinished=1)
    with tenant.kubelet():
        eventually(lambda: tenant.resource("mortal") is None)


def test_what_a_study_depends_on_cannot_change(tenant, operator):
    """The API server itself refuses the edit, and says why."""
    tenant.apply("fixed")
    with pytest.raises(AssertionError, match="workload cannot change"):
        tenant.edit("fixed", {"spec": {"workload": {"maxTokens": 7}}})


def test_the_manifest_of_runners_holds_no_more_than_they_need(tenant, operator):
    """Runners read the spec without what is the operator's own, and neither status nor annotations."""
    tenant.apply("manifest", ttlSecondsAfterFinished=3600)
    (job,) = eventually(tenant.jobs)
    config_map = tenant.api.get(tenant.path("", "configmaps", job["metadata"]["name"]))
    manifest = yaml.safe_load(config_map["data"]["manifest.yaml"])
    assert set(manifest) == {"apiVersion", "kind", "metadata", "spec"}
    assert "ttlSecondsAfterFinished" not in manifest["spec"]
    assert config_map["immutable"]
