"""Who may do what: the rules that the chart grants."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.charts import VARIANTS, Rendered, rendered

_READ = ("get", "list", "watch")
# What the operator does where it watches: verbs by (group, resource, name).
WORK = {
    ("llmopt.dev", "llmoptimizations", ""): {*_READ, "delete"},
    ("llmopt.dev", "llmbenchmarks", ""): {*_READ, "delete"},
    ("llmopt.dev", "llmoptimizations/status", ""): {"patch"},
    ("llmopt.dev", "llmbenchmarks/status", ""): {"patch"},
    ("batch", "jobs", ""): {*_READ, "create", "patch", "delete"},
    ("", "configmaps", ""): {"get", "create", "patch", "delete"},
    ("", "pods", ""): {*_READ},
    # Why a Job has no pods is said in events only.
    ("", "events", ""): {"create", "list", "patch"},
    # For the labels of the Secrets that resources refer to.
    ("", "secrets", ""): {"get"},
}
DISCOVERY = {("apiextensions.k8s.io", "customresourcedefinitions", ""): {*_READ}}
NAMESPACES = {("", "namespaces", ""): {"list", "watch"}}
LEASE = {
    ("coordination.k8s.io", "leases", ""): {"create"},
    ("coordination.k8s.io", "leases", "llmopt-operator"): {"get", "update", "patch"},
    ("", "events", ""): {"create"},
}
ROLLOUT = {("apps", "deployments", ""): {"get", "patch"}}


def _rights(role: dict[str, Any]) -> dict[tuple[str, str, str], set[str]]:
    return {
        (group, resource, name): set(rule["verbs"])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
    }


def _roles(chart: Rendered) -> Iterator[dict[str, Any]]:
    yield from chart.all("ClusterRole")
    yield from chart.all("Role")


def test_no_rule_has_a_wildcard(variant: tuple[str, Rendered]) -> None:
    """No group, resource or verb of any role is `*`."""
    for role in _roles(variant[1]):
        for rule in role["rules"]:
            assert "*" not in (*rule["apiGroups"], *rule["resources"], *rule["verbs"]), role["metadata"][
                "name"
            ]


def test_watching_everything_takes_one_cluster_role(helm: Path) -> None:
    """By default the operator has its rights everywhere, and the Lease's in its own namespace alone."""
    chart = rendered(helm, {})
    assert _rights(chart.of("ClusterRole", "llmopt-system-llmopt")) == WORK | DISCOVERY | NAMESPACES
    leader = chart.of("Role")
    assert leader["metadata"]["namespace"] == "llmopt-system"
    assert _rights(leader) == LEASE


def test_watching_some_namespaces_takes_roles_in_these(helm: Path) -> None:
    """With namespaces named, the operator has no right elsewhere but to see which kinds there are."""
    chart = rendered(helm, VARIANTS["namespaced"])
    assert _rights(chart.of("ClusterRole", "llmopt-system-llmopt")) == DISCOVERY
    roles = {role["metadata"]["namespace"]: _rights(role) for role in chart.all("Role")}
    assert roles == {"team-a": WORK, "team-b": WORK, "llmopt-system": LEASE}


def test_deployments_are_touched_only_where_rollouts_are_wanted(helm: Path) -> None:
    """The right to patch Deployments comes with settings.rollout.enabled."""
    chart = rendered(helm, {"settings": {"rollout": {"enabled": True}}})
    rights = _rights(chart.of("ClusterRole", "llmopt-system-llmopt"))
    assert rights == WORK | DISCOVERY | NAMESPACES | ROLLOUT


def test_the_named_secret_is_the_one_that_may_be_read(helm: Path) -> None:
    """Where no labels of Secrets are asked for, one Secret may be read, by its name."""
    policy = {"secretSelector": ""}
    chart = rendered(helm, {"settings": {"storage": {"secretName": "studies"}, "policy": policy}})
    secrets = [
        right for right in _rights(chart.of("ClusterRole", "llmopt-system-llmopt")) if right[1] == "secrets"
    ]
    assert secrets == [("", "secrets", "studies")]


@pytest.mark.parametrize("verbs", ["edit", "view"])
def test_users_get_our_kinds_with_kubernetes_own_roles(helm: Path, verbs: str) -> None:
    """Who may edit or view a namespace may edit or view our kinds in it, never their status."""
    role = rendered(helm, {}).of("ClusterRole", f"llmopt-system-llmopt-{verbs}")
    assert role["metadata"]["labels"][f"rbac.authorization.k8s.io/aggregate-to-{verbs}"] == "true"
    rights = _rights(role)
    assert rights["llmopt.dev", "llmoptimizations/status", ""] == {"get"}
    assert ("create" in rights["llmopt.dev", "llmbenchmarks", ""]) == (verbs == "edit")


def test_every_binding_binds_the_operator_to_a_role_that_is_there(variant: tuple[str, Rendered]) -> None:
    """Each binding names a role of the chart and the operator's service account, nobody else."""
    _, chart = variant
    account = chart.of("ServiceAccount")["metadata"]
    roles = {
        (role["kind"], role["metadata"].get("namespace"), role["metadata"]["name"]) for role in _roles(chart)
    }
    for binding in (*chart.all("ClusterRoleBinding"), *chart.all("RoleBinding")):
        reference = binding["roleRef"]
        assert (reference["kind"], binding["metadata"].get("namespace"), reference["name"]) in roles
        assert binding["subjects"] == [
            {"kind": "ServiceAccount", "name": account["name"], "namespace": account["namespace"]}
        ]
