"""The chart's life on a real API server: installed, upgraded, removed; what stays, and who may do what.

No node runs pods here, so the one hook of the chart is left out; its scripts have tests of their own.
"""

import base64
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster.control_plane import ControlPlane, KubectlFailed
from fakes.charts import CHART

NAMESPACE = "llmopt-system"
TENANTS = ("team-a", "team-b")
VALUES = {"tenants": [{"namespace": name} for name in TENANTS], "postgres": {"enabled": True}}
OPERATOR = f"system:serviceaccount:{NAMESPACE}:llmopt"

Helm = Callable[..., str]


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane that knows nothing of ours: the chart brings it."""
    with ControlPlane(tmp_path_factory.mktemp("plane")) as plane:
        for name in (NAMESPACE, *TENANTS):
            plane.kubectl("create", "namespace", name)
            plane.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
        yield plane


@pytest.fixture(scope="module")
def run_helm(helm: Path, plane: ControlPlane) -> Helm:
    def run(*arguments: str, values: dict[str, Any] | None = None) -> str:
        options = ("--namespace", NAMESPACE, "--kubeconfig", str(plane.kubeconfig))
        done = subprocess.run(
            (helm, *arguments, *options, *(("--values=-",) if values is not None else ())),
            input=yaml.safe_dump(values or {}), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def release(run_helm: Helm) -> Iterator[str]:
    """The chart installed with an embedded Postgres and two tenants; what helm said."""
    yield run_helm("install", "llmopt", str(CHART), "--no-hooks", values=VALUES)
    run_helm("uninstall", "llmopt", "--ignore-not-found", "--no-hooks")


def _get(plane: ControlPlane, kind: str, name: str, namespace: str = NAMESPACE) -> dict[str, Any]:
    found = json.loads(plane.kubectl("get", kind, name, "--namespace", namespace, "--output=json"))
    assert isinstance(found, dict)
    return found


def _url(plane: ControlPlane, tenant: str) -> str:
    return base64.b64decode(_get(plane, "secret", "llmopt-storage", tenant)["data"]["url"]).decode()


def _may(plane: ControlPlane, verb: str, what: str, namespace: str) -> bool:
    """Ask the API server whether the operator may; `what` is `group/resource/subresource/name`."""
    group, resource, subresource, name = what.split("/")
    attributes = {
        "verb": verb, "group": group, "resource": resource, "subresource": subresource, "name": name,
        "namespace": namespace,
    }  # fmt: skip
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": OPERATOR, "resourceAttributes": attributes},
    }
    answer = plane.kubectl("create", "--output=json", "-f", "-", input=json.dumps(review))
    return bool(json.loads(answer)["status"]["allowed"])


def test_each_tenant_gets_its_own_password(release: str, plane: ControlPlane) -> None:
    """Each tenant's URL leads to its own database, with a password that is in no other namespace."""
    urls = {tenant: _url(plane, tenant) for tenant in TENANTS}
    for tenant, url in urls.items():
        user, _, rest = url.removeprefix("postgresql+psycopg://").partition(":")
        password, _, place = rest.partition("@")
        assert user == f"llmopt-{tenant}"
        assert place == f"llmopt-postgres.{NAMESPACE}.svc:5432/llmopt-{tenant}"
        assert len(password) == 32
        assert not any(password in other for name, other in urls.items() if name != tenant)
        shared = _get(plane, "secret", "llmopt-postgres-tenants")["data"][f"llmopt-{tenant}"]
        assert base64.b64decode(shared).decode() == password


def test_an_upgrade_keeps_every_password(release: str, plane: ControlPlane, run_helm: Helm) -> None:
    """After an upgrade that adds a tenant, and one that changes nothing, passwords are what they were."""
    before = {tenant: _url(plane, tenant) for tenant in TENANTS}
    superuser = _get(plane, "secret", "llmopt-postgres")["data"]
    run_helm("upgrade", "llmopt", str(CHART), "--no-hooks", values=VALUES)
    more = {**VALUES, "tenants": [*VALUES["tenants"], {"namespace": "default"}]}
    run_helm("upgrade", "llmopt", str(CHART), "--no-hooks", values=more)
    assert {tenant: _url(plane, tenant) for tenant in TENANTS} == before
    assert _get(plane, "secret", "llmopt-postgres")["data"] == superuser
    assert "llmopt-default" in _url(plane, "default")


def test_a_password_is_drawn_anew_when_the_old_one_is_taken_away(
    release: str, plane: ControlPlane, run_helm: Helm
) -> None:
    """An upgrade gives a tenant a new password where the kept one was deleted, and the others none."""
    before = {tenant: _url(plane, tenant) for tenant in TENANTS}
    gone = json.dumps([{"op": "remove", "path": "/data/llmopt-team-a"}])
    target = ("secret", "llmopt-postgres-tenants", f"--namespace={NAMESPACE}")
    plane.kubectl("patch", *target, "--type=json", "--patch", gone)
    run_helm("upgrade", "llmopt", str(CHART), "--no-hooks", values=VALUES)
    after = {tenant: _url(plane, tenant) for tenant in TENANTS}
    assert after["team-a"] != before["team-a"]
    assert after["team-b"] == before["team-b"]


def test_an_upgrade_brings_newer_definitions(plane: ControlPlane, run_helm: Helm, tmp_path: Path) -> None:
    """What an older version of the chart defined is what the chart defines after an upgrade."""
    older = tmp_path / "llmopt"
    shutil.copytree(CHART, older)
    template = older / "templates" / "crds" / "llmopt.dev_llmoptimizations.yaml"
    template.write_text(template.read_text().replace("- llmo\n", "- old\n"))
    try:
        run_helm("install", "llmopt", str(older), "--no-hooks", values=VALUES)
        assert _short_names(plane) == ["old"]
        run_helm("upgrade", "llmopt", str(CHART), "--no-hooks", values=VALUES)
        assert _short_names(plane) == ["llmo"]
    finally:
        run_helm("uninstall", "llmopt", "--no-hooks")


def _short_names(plane: ControlPlane) -> list[str]:
    names = _get(plane, "crd", "llmoptimizations.llmopt.dev")["spec"]["names"]["shortNames"]
    return [str(name) for name in names]


def test_what_users_have_outlives_the_release(release: str, plane: ControlPlane, run_helm: Helm) -> None:
    """Removed and installed again, a release finds its definitions, resources, Secrets and passwords."""
    before = {tenant: _url(plane, tenant) for tenant in TENANTS}
    sample = CHART.parents[1] / "config" / "samples" / "quickstart.yaml"
    plane.kubectl("apply", "--namespace", "team-a", "-f", str(sample))
    run_helm("uninstall", "llmopt", "--no-hooks")

    assert "arithmetic-smollm2" in plane.kubectl("get", "llmopt", "--namespace", "team-a", "--output=name")
    assert {tenant: _url(plane, tenant) for tenant in TENANTS} == before
    with pytest.raises(KubectlFailed, match="not found"):
        _get(plane, "deployment", "llmopt")
    run_helm("install", "llmopt", str(CHART), "--no-hooks", values=VALUES)
    assert {tenant: _url(plane, tenant) for tenant in TENANTS} == before


def test_its_pods_are_let_in_where_only_restricted_ones_are(release: str, plane: ControlPlane) -> None:
    """The API server takes the operator's pod and Postgres' in a namespace of the restricted standard."""
    for kind, name in (("deployment", "llmopt"), ("statefulset", "llmopt-postgres")):
        spec = _get(plane, kind, name)["spec"]["template"]["spec"]
        spec["volumes"].append({"name": "data", "emptyDir": {}})  # which a StatefulSet makes of its claim
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
        plane.kubectl("create", "--dry-run=server", f"-n={NAMESPACE}", "-f", "-", input=json.dumps(pod))


def test_the_operator_may_do_its_work_and_no_more(release: str, plane: ControlPlane) -> None:
    """The API server itself grants the operator what it needs, and refuses what it does not."""
    lease = "coordination.k8s.io/leases//"
    granted = [
        ("patch", "llmopt.dev/llmoptimizations/status/", "team-a"),
        ("create", "batch/jobs//", "team-a"),
        ("get", "/secrets//llmopt-storage", "team-a"),
        ("get", "/secrets//other", "team-a"),  # for its labels: settings.policy.secretSelector
        ("update", f"{lease}llmopt-operator", NAMESPACE),
    ]
    refused = [
        ("list", "/secrets//", "team-a"),
        ("create", "/pods//", "team-a"),
        ("patch", "apps/deployments//", "team-a"),
        ("update", "llmopt.dev/llmoptimizations//", "team-a"),
        ("update", f"{lease}other", NAMESPACE),
        ("create", lease, "team-a"),
    ]
    asked = [*granted, *refused]
    assert [each for each in asked if _may(plane, *each)] == granted


def test_helm_says_what_to_do_next(release: str) -> None:
    """The notes name a namespace that is ready, and the commands to apply and watch."""
    assert "kubectl apply --namespace team-a" in release
    assert "kubectl get llmopt --all-namespaces --watch" in release
