import pytest

from llmopt_operator.adapters.kubernetes import refusal_of
from llmopt_operator.domain.refusals import name_taken, problem_of

_JOBS = "/apis/batch/v1/namespaces/team-a/jobs"
_ACCOUNT = "system:serviceaccount:llmopt-system:llmopt"
_STATUS = "/apis/llmopt.dev/v1alpha1/namespaces/team-a/llmoptimizations/demo/status"
_EXCEEDED = (
    'jobs.batch "demo" is forbidden: exceeded quota: small, requested: count/jobs.batch=1,limits.cpu=2,'
    " used: count/jobs.batch=3,limits.cpu=6, limited: count/jobs.batch=3,limits.cpu=6"
)


def _no_right(verb: str, resource: str, group: str) -> str:
    return (
        f'{resource} is forbidden: User "{_ACCOUNT}" cannot {verb} resource "{resource}"'
        f' in API group "{group}" in the namespace "team-a"'
    )


@pytest.mark.parametrize(
    ("verb", "path", "status", "message", "reason", "words"),
    [
        (
            "POST", _JOBS, 403,
            _EXCEEDED,
            "QuotaExceeded",
            ("waits for quota: ResourceQuota small of namespace team-a", "count/jobs.batch=3,limits.cpu=6"),
        ),
        (
            "POST", _JOBS, 403,
            'pods "x" is forbidden: failed quota: q: must specify limits.cpu for: runner',
            "QuotaExceeded",
            ("must specify limits.cpu", "spec.runners"),
        ),
        (
            "POST", _JOBS, 403, "status unknown for quota: q, resources: count/jobs.batch", "QuotaExceeded",
            ("waits for quota", "ResourceQuota q"),
        ),
        (
            "POST", _JOBS, 403,
            _no_right("create", "jobs", "batch"),
            "PermissionMissing",
            (_ACCOUNT, "create jobs.batch in namespace team-a", "ClusterRole", "settings.namespaces"),
        ),
        (
            "PATCH", "/apis/apps/v1/namespaces/team-a/deployments/server", 403,
            _no_right("patch", "deployments", "apps"),
            "PermissionMissing",
            ("patch deployments.apps", "settings.rollout.enabled"),
        ),
        (
            "GET", "/api/v1/namespaces/team-a/secrets/llmopt-storage", 403,
            _no_right("get", "secrets", ""),
            "PermissionMissing",
            ("get secrets in namespace team-a", "settings.storage.secretName"),
        ),
        (
            "GET", "/apis/coordination.k8s.io/v1/namespaces/team-a/leases/one", 403,
            _no_right("get", "leases", "coordination.k8s.io"),
            "PermissionMissing",
            ("settings.leaderElection.namespace",),
        ),
        (
            "GET",
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/llmoptimizations.llmopt.dev",
            403,
            _no_right("get", "customresourcedefinitions", "apiextensions.k8s.io"),
            "PermissionMissing",
            ("customresourcedefinitions.apiextensions.k8s.io in the cluster: the chart's ClusterRole",),
        ),
        (
            "GET",
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/llmoptimizations.llmopt.dev",
            503,
            "etcd is away",
            "ApiServerFailing",
            ("get customresourcedefinitions:",),
        ),
        (
            "POST", _JOBS, 403,
            'pods "demo" is forbidden: violates PodSecurity "restricted:latest": hostPath (volume "m")',
            "AdmissionDenied",
            ("enforces PodSecurity restricted:latest", "hostPath", "spec.runners.template"),
        ),
        (
            "POST", _JOBS, 422,
            "jobs.batch is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
            "AdmissionDenied",
            ("ValidatingAdmissionPolicy p", "no"),
        ),
        (
            "POST", _JOBS, 400, 'admission webhook "w.example" denied the request: bad label',
            "AdmissionDenied",
            ("w.example", "bad label"),
        ),
        (
            "POST", _JOBS, 403, 'admission webhook "w.example" denied the request without explanation',
            "AdmissionDenied",
            ("w.example", "no reason"),
        ),
        (
            "POST", _JOBS, 403, 'jobs.batch "demo" is forbidden: maximum cpu usage per Container is 2',
            "AdmissionDenied",
            ("create jobs", "maximum cpu usage"),
        ),
        (
            "POST", _JOBS, 500,
            'Internal error occurred: failed calling webhook "w.example": connection refused',
            "AdmissionUnavailable",
            ("w.example", "connection refused", "repair"),
        ),
        (
            "POST", _JOBS, 403,
            "unable to create new content in namespace team-a because it is being terminated",
            "NamespaceEnding",
            ("namespace team-a is being deleted",),
        ),
        ("POST", _JOBS, 404, 'namespaces "team-a" not found', "NamespaceEnding", ("team-a",)),
        ("POST", _JOBS, 500, "etcd is away", "ApiServerFailing", ("create jobs", "500: etcd is away")),
        ("POST", _JOBS, 0, "timeout", "ApiServerFailing", ("no answer",)),
        ("POST", _JOBS, 429, "later", "ApiServerFailing", ("429",)),
        ("POST", _JOBS, 409, "modified", "ApiServerFailing", ("409",)),
        ("POST", _JOBS, 400, "quantities must match", "ObjectInvalid", ("quantities", "spec.runners")),
        ("PATCH", _STATUS, 422, "conditions[1].type: Unsupported value", "ObjectInvalid", ("CRDs",)),
    ],
)  # fmt: skip
def test_each_refusal_says_what_to_do(verb, path, status, message, reason, words):
    """The reason distinguishes the kinds, and the message names what a person needs to change."""
    problem = problem_of(refusal_of(verb, path, status, message))
    assert problem.reason == reason
    for word in words:
        assert word in problem.message


@pytest.mark.parametrize(
    ("field", "correction"),
    [
        ("spec.template.spec.containers[0].resources.requests", "spec.runners.resources"),
        ("spec.template.spec.volumes[2].name", "spec.runners.template.volumes"),
        ("spec.template.spec.tolerations[0].operator", "spec.runners.template"),
        ("metadata.labels", "spec.runners.queueName"),
        ("spec.backoffLimit", "spec.runners"),
    ],
)
def test_an_invalid_job_names_its_field_and_the_resources(field, correction):
    """The field of the Job is translated to the one a user wrote."""
    problem = problem_of(refusal_of("POST", _JOBS, 422, "Job is invalid", {field: "Invalid value"}))
    assert problem.reason == "ObjectInvalid"
    assert f"{field}: Invalid value" in problem.message
    assert f"correct {correction} of the resource" in problem.message


@pytest.mark.parametrize(
    ("metadata", "owner"),
    [
        ({"ownerReferences": [{"kind": "Deployment", "name": "web", "controller": True}]}, "Deployment web"),
        ({"labels": {"app.kubernetes.io/managed-by": "Helm"}}, "Helm"),
        ({"managedFields": [{"manager": "kubectl-create"}]}, "written by kubectl-create"),
        ({}, "somebody else"),
    ],
)
def test_a_taken_name_names_the_object_and_its_owner(metadata, owner):
    """A user who reads it knows which object is in the way and whom to ask."""
    body = {"kind": "ConfigMap", "metadata": {"name": "demo-best", "namespace": "team-a", **metadata}}
    problem = name_taken(body)
    assert problem.reason == "NameTaken"
    assert "ConfigMap team-a/demo-best" in problem.message
    assert owner in problem.message
