"""What the real API server refuses is on the resource, with what to do, and is done once it is allowed."""

import pytest
from fakes.manifests import optimization
from fakes.tenants import eventually

from llmopt_operator.specs.names import child_name, manifest_hash

pytestmark = pytest.mark.slow
_ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
_ALL = ["get", "list", "watch", "create", "patch", "delete"]
_QUEUED = {"queueName": "none"}


def _quota(tenant, name, **hard):
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": {"hard": hard}}
    tenant.api.create(tenant.path("", "resourcequotas"), body)
    path = tenant.path("", "resourcequotas", name)
    eventually(lambda: (tenant.api.get(path).get("status") or {}).get("hard") == hard)
    return path


def _is_free(tenant, name):
    """Whether nothing is refused any more."""
    status = tenant.status(name)
    return status.get("conditions") and tenant.condition(name, "Blocked") is None


def _rules(*missing):
    """The rights of the chart's role, but for `missing` pairs of a verb and a resource."""
    groups = {
        "apiextensions.k8s.io": ["customresourcedefinitions"],
        "llmopt.dev": [
            "llmoptimizations", "llmbenchmarks", "llmoptimizations/status", "llmbenchmarks/status",
        ],
        "batch": ["jobs"],
        "": ["configmaps", "pods", "events", "secrets", "namespaces"],
    }  # fmt: skip
    return [
        {
            "apiGroups": [group],
            "resources": [resource],
            "verbs": [verb for verb in _ALL if (verb, resource) not in missing],
        }
        for group, resources in groups.items()
        for resource in resources
    ]


@pytest.fixture
def make_limited(tenant, plane, make_operator):
    """Return what starts an operator that lacks rights, and what gives it all of them."""
    name = tenant.namespace

    def make(*missing):
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "limited"}}
        tenant.api.create(tenant.path("", "serviceaccounts"), account)
        api_version = "rbac.authorization.k8s.io/v1"
        role = {"apiVersion": api_version, "kind": "ClusterRole", "metadata": {"name": name}}
        tenant.api.create(_ROLES, {**role, "rules": _rules(*missing)})
        binding = {
            "apiVersion": api_version,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "limited", "namespace": tenant.namespace}],
        }
        tenant.api.create(_ROLES.replace("roles", "rolebindings"), binding)
        kubeconfig = plane.service_account_kubeconfig(tenant.namespace, "limited")
        make_operator(tenant.namespace, kubeconfig=kubeconfig)
        return lambda: tenant.api.patch(f"{_ROLES}/{name}", {"rules": _rules()})

    yield make
    for path in (_ROLES, _ROLES.replace("roles", "rolebindings")):
        tenant.api.delete(f"{path}/{name}")


def test_a_quota_for_jobs_is_named_and_waited_for(tenant, operator):
    """Where the quota allows no Job, the status and an event name it; once it does, the Job exists."""
    path = _quota(tenant, "few-jobs", **{"count/jobs.batch": "0"})
    tenant.apply("waiting", runners=_QUEUED)
    blocked = tenant.until("waiting", "Blocked", "True", "QuotaExceeded")
    running = tenant.until("waiting", "Running", "False", "QuotaExceeded")
    for condition in (blocked, running):
        assert "waits for quota" in condition["message"]
        assert "few-jobs" in condition["message"]
        assert "count/jobs.batch=1" in condition["message"]
    assert "QuotaExceeded" in tenant.events("waiting")
    assert tenant.jobs() == []
    tenant.api.patch(path, {"spec": {"hard": {"count/jobs.batch": "5"}}})
    eventually(lambda: len(tenant.jobs()) == 1)
    eventually(lambda: _is_free(tenant, "waiting"))
    assert tenant.condition("waiting", "Running")["reason"] == "QueueInadmissible"


def test_pods_that_a_quota_forbids_are_the_jobs_reason(tenant, operator):
    """A Job whose pods are refused says which quota it is, and runs once the quota allows them."""
    path = _quota(tenant, "no-pods", pods="0")
    tenant.apply("podless")
    running = tenant.until("podless", "Running", "False", "QuotaExceeded")
    assert "waits for quota: ResourceQuota no-pods" in running["message"]
    assert "has no pods" in running["message"]
    tenant.api.patch(path, {"spec": {"hard": {"pods": "5"}}})
    with tenant.kubelet():
        tenant.until("podless", "Complete", "True")


def test_a_quota_that_another_frees_is_used_at_once(tenant, operator):
    """When the resource that used the quota is deleted, the one that waits need not wait for its pause."""
    _quota(tenant, "one-job", **{"count/jobs.batch": "1"})
    tenant.apply("first", runners=_QUEUED)
    eventually(tenant.jobs)
    tenant.apply("second", runners=_QUEUED)
    tenant.until("second", "Blocked", "True", "QuotaExceeded")
    # Its pauses have grown to several seconds by then.
    eventually(lambda: sum("again in" in line["message"] for line in operator.said()) >= 5)
    tenant.api.delete(tenant.path("llmopt.dev/v1alpha1", "llmoptimizations", "first"))
    owner = eventually(lambda: [job for job in tenant.jobs() if "second" in job["metadata"]["name"]])
    assert len(owner) == 1
    eventually(lambda: _is_free(tenant, "second"))


def test_a_missing_right_names_what_grants_it(tenant, make_limited):
    """Who, verb, resource, namespace and the chart's part that grants it are said, and it heals by itself."""
    grant = make_limited(("create", "jobs"))
    tenant.apply("powerless", runners=_QUEUED)
    condition = tenant.until("powerless", "Running", "False", "PermissionMissing")
    for word in ("limited", "create jobs.batch", tenant.namespace, "ClusterRole", "settings.namespaces"):
        assert word in condition["message"]
    assert "PermissionMissing" in tenant.events("powerless")
    grant()
    eventually(lambda: len(tenant.jobs()) == 1)
    eventually(lambda: _is_free(tenant, "powerless"))


def test_a_missing_right_to_look_at_a_study_is_said(tenant, make_operator, make_limited):
    """A study that runs and may not be looked at says why, and goes on; once it may be, nothing is said."""
    first = make_operator(tenant.namespace)
    tenant.apply("unseen", budget={"trials": 6})
    with tenant.kubelet("--trial-seconds", "1"):
        eventually(lambda: tenant.status("unseen").get("progress", {}).get("finished"))
        first.stop()
        grant = make_limited(("get", "customresourcedefinitions"))
        blocked = tenant.until("unseen", "Blocked", "True", "PermissionMissing")
        for word in ("limited", "get customresourcedefinitions.apiextensions.k8s.io in the cluster"):
            assert word in blocked["message"]
        assert tenant.status("unseen")["progress"]["finished"]
        grant()
        tenant.until("unseen", "Complete", "True", "TrialsExhausted")
    eventually(lambda: _is_free(tenant, "unseen"))
    assert len(tenant.jobs()) == 1


def test_two_refusals_at_once_are_both_said(tenant, make_operator):
    """A quota that forbids the Job and a ConfigMap in the way of the result: each is named and waited for."""
    first = make_operator(tenant.namespace)
    tenant.apply("twice", budget={"trials": 6})
    with tenant.kubelet("--trial-seconds", "1"):
        eventually(lambda: tenant.status("twice").get("best"))
        first.stop()
    path = tenant.path("", "configmaps", "twice-best")
    tenant.api.delete(path)
    taken = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "twice-best"}}
    tenant.api.create(tenant.path("", "configmaps"), taken)
    (job,) = tenant.jobs()
    tenant.api.delete(
        tenant.path("batch/v1", "jobs", job["metadata"]["name"]), propagationPolicy="Background"
    )
    eventually(lambda: not tenant.jobs())
    quota = _quota(tenant, "no-jobs", **{"count/jobs.batch": "0"})
    # The status is that of a study that had no best yet.
    tenant.api.patch(
        f"{tenant.path('llmopt.dev/v1alpha1', 'llmoptimizations', 'twice')}/status",
        {"status": {"best": None, "studyMark": None}},
    )
    operator = make_operator(tenant.namespace)
    blocked = tenant.until("twice", "Blocked", "True", "QuotaExceeded")
    assert "twice-best" in blocked["message"]
    assert tenant.condition("twice", "Running")["reason"] == "QuotaExceeded"
    assert not [line for line in operator.said() if "still something to do" in line["message"]]
    tenant.api.delete(path)
    tenant.api.patch(quota, {"spec": {"hard": {"count/jobs.batch": "5"}}})
    eventually(lambda: len(tenant.jobs()) == 1)
    eventually(lambda: _is_free(tenant, "twice"))


def test_a_status_that_may_not_be_written_is_an_event(tenant, make_limited):
    """What cannot be said in the status is said in an event, and the status is written once it may be."""
    grant = make_limited(("patch", "llmoptimizations/status"))
    tenant.apply("mute", runners=_QUEUED)
    eventually(lambda: "PermissionMissing" in tenant.events("mute"))
    assert len(tenant.jobs()) == 1
    grant()
    tenant.until("mute", "Running", "False", "QueueInadmissible")
    assert len(tenant.jobs()) == 1


def test_a_policy_that_denies_jobs_is_quoted(tenant, operator, policy):
    """The policy's name and its sentence are in the status; when it is gone the Job is created."""
    lift = policy("batch", "jobs", "no Jobs on Thursdays")
    tenant.apply("denied", runners=_QUEUED)
    condition = tenant.until("denied", "Blocked", "True", "AdmissionDenied")
    assert "no Jobs on Thursdays" in condition["message"]
    assert tenant.namespace in condition["message"]
    assert "AdmissionDenied" in tenant.events("denied")
    lift()
    eventually(lambda: len(tenant.jobs()) == 1)
    eventually(lambda: _is_free(tenant, "denied"))


def test_an_invalid_job_names_the_field_and_the_correction(tenant, operator):
    """What only the API server finds wrong names its field and the resource's; a corrected one runs."""
    resources = {"requests": {"memory": "4Gi"}, "limits": {"memory": "2Gi"}}
    tenant.apply("wrong", runners={**_QUEUED, "resources": resources})
    condition = tenant.until("wrong", "Running", "False", "ObjectInvalid")
    assert "spec.template.spec.containers[0].resources" in condition["message"]
    assert "spec.runners.resources" in condition["message"]
    tenant.edit("wrong", {"spec": {"runners": {"resources": {"requests": {"memory": "1Gi"}}}}})
    eventually(lambda: len(tenant.jobs()) == 1)
    eventually(lambda: _is_free(tenant, "wrong"))


def test_a_name_that_another_has_names_the_owner(tenant, make_operator):
    """A ConfigMap in the way is left as it is and its owner is named; when it is gone the Job is created."""
    tenant.apply("squatted", runners=_QUEUED)
    document = tenant.resource("squatted")
    name = child_name(document, manifest_hash(document))
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}}
    tenant.api.create(tenant.path("", "configmaps"), {**other, "data": {"a": "b"}})
    make_operator(tenant.namespace)
    condition = tenant.until("squatted", "Running", "False", "NameTaken")
    assert f"ConfigMap {tenant.namespace}/{name}" in condition["message"]
    assert "Helm" in condition["message"]
    assert "NameTaken" in tenant.events("squatted")
    assert tenant.api.get(tenant.path("", "configmaps", name))["data"] == {"a": "b"}
    tenant.api.delete(tenant.path("", "configmaps", name))
    eventually(tenant.jobs)
    eventually(lambda: _is_free(tenant, "squatted"))


def test_a_result_is_shown_though_its_config_map_is_taken(tenant, operator):
    """The study ends in the status; who has the ConfigMap's name is said; it is written once it is free."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "taken-best"}, "data": {"a": "b"}}
    path = tenant.path("", "configmaps", "taken-best")
    tenant.api.create(tenant.path("", "configmaps"), body)
    tenant.apply("taken", document=optimization())
    with tenant.kubelet():
        tenant.until("taken", "Complete", "True")
    blocked = tenant.until("taken", "Blocked", "True", "NameTaken")
    assert "taken-best" in blocked["message"]
    assert tenant.status("taken")["best"]
    assert tenant.api.get(path)["data"] == {"a": "b"}
    tenant.api.delete(path)
    eventually(lambda: "best.json" in (tenant.api.get(path) or {}).get("data", {}))
    eventually(lambda: _is_free(tenant, "taken"))
    assert tenant.condition("taken", "Complete")["status"] == "True"


def test_events_that_may_not_be_created_are_posted_later(tenant, make_limited):
    """A refused event neither holds the status up nor is it lost."""
    grant = make_limited(("create", "events"))
    tenant.apply("silent", engine={"name": "nosuch"})
    tenant.until("silent", "Accepted", "False")
    assert "create events" in tenant.until("silent", "Blocked", "True", "PermissionMissing")["message"]
    assert tenant.events("silent") == []
    grant()
    eventually(lambda: "InvalidSpec" in tenant.events("silent"))
    eventually(lambda: _is_free(tenant, "silent"))


def test_one_refusal_delays_no_other(tenant, make_tenant, make_operator):
    """While twenty resources of one namespace are refused, another namespace's Job exists at once."""
    other = make_tenant()
    make_operator(tenant.namespace, other.namespace)
    _quota(tenant, "none", **{"count/jobs.batch": "0"})
    for number in range(20):
        tenant.apply(f"refused-{number}", runners=_QUEUED)
    tenant.until("refused-19", "Blocked", "True", "QuotaExceeded")
    other.apply("free", runners=_QUEUED)
    eventually(other.jobs, seconds=10)
