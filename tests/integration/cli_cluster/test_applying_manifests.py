"""`llmopt apply` on a real API server: all or nothing, and what it says of what it did."""

import pytest
from fakes.cluster_commands import small
from fakes.manifests import benchmark, changed

from llmopt_core.api.exit_codes import Exit

pytestmark = pytest.mark.slow
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "items"}, "data": {"a": "b"}}


def apply(llmopt, tenant, *documents, options=()):
    return llmopt("apply", "-f", llmopt.written(*documents), "-n", tenant.namespace, *options)


def test_created_unchanged_configured(llmopt, tenant):
    """Each document is said to be what it is, as kubectl says it."""
    documents = [CONFIG_MAP, small(), benchmark()]
    assert apply(llmopt, tenant, *documents).output.splitlines() == [
        "configmap/items created",
        "llmoptimization/mine created",
        "llmbenchmark/small created",
        f"next: llmopt watch llmb/small -n {tenant.namespace}",
    ]
    assert "llmoptimization/mine unchanged" in apply(llmopt, tenant, *documents).output
    raised = changed(small(), "spec.budget", {"trials": 9})
    assert "llmoptimization/mine configured" in apply(llmopt, tenant, raised).output
    assert tenant.resource("mine")["spec"]["budget"]["trials"] == 9


def test_one_bad_document_keeps_all_from_being_applied(llmopt, tenant):
    """Nothing reaches the cluster when anything is wrong in any file."""
    bad = llmopt.written(changed(small("bad"), "spec.budget", {"trials": 0}), name="bad.yaml")
    good = llmopt.written(small("good"), name="good.yaml")
    result = llmopt("apply", "-f", good, "-f", bad, "-n", tenant.namespace)
    assert result.exit_code == Exit.INVALID
    assert "bad.yaml:" in result.output
    assert tenant.resource("good") is None


def test_what_a_study_depends_on_cannot_change(llmopt, tenant):
    """The message of the API server's own rule names the field."""
    apply(llmopt, tenant, small())
    result = apply(llmopt, tenant, changed(small(), "spec.workload.maxTokens", 7))
    assert result.exit_code == Exit.INVALID
    assert "workload cannot change" in result.stderr


def test_another_managers_fields_are_taken_over_only_when_asked(llmopt, tenant, plane):
    """The conflict names the other manager and the option that takes the fields over."""
    plane.kubectl(
        "apply", "--server-side", "-n", tenant.namespace, "-f", str(llmopt.written(small(), name="k.yaml"))
    )
    raised = changed(small(), "spec.budget", {"trials": 9})
    refused = apply(llmopt, tenant, raised)
    assert refused.exit_code == Exit.INVALID
    assert '"kubectl"' in refused.stderr
    assert "--force-conflicts" in refused.stderr
    assert "configured" in apply(llmopt, tenant, raised, options=["--force-conflicts"]).output


def test_a_missing_namespace_is_named(llmopt):
    """The error says how to make it."""
    result = llmopt("apply", "-f", llmopt.written(small()), "-n", "nowhere")
    assert result.exit_code == Exit.INVALID
    assert "kubectl create namespace nowhere" in result.stderr


def test_the_manifests_own_namespace_counts(llmopt, tenant):
    """Without -n it is the manifest's, and the next command says it."""
    document = changed(small(), "metadata.namespace", tenant.namespace)
    result = llmopt("apply", llmopt.written(document))
    assert f"next: llmopt watch llmo/mine -n {tenant.namespace}" in result.output
    assert tenant.resource("mine") is not None
