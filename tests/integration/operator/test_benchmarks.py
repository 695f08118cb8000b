"""A benchmark from apply to its verdict."""

import pytest
from fakes.manifests import benchmark, optimization
from fakes.tenants import eventually

pytestmark = pytest.mark.slow
KIND = "llmbenchmarks"


@pytest.fixture
def candidates():
    return [
        {"name": "default"},
        {"name": "cold", "parameters": {"sampling.temperature": "0"}},
        {"name": "same", "parameters": {"sampling.temperature": "1"}},
    ]


def test_it_runs_to_its_verdict(tenant, operator, candidates):
    """Each candidate is measured so often, compared with the baseline, and the winner named."""
    tenant.apply(
        "duel", plural=KIND, document=benchmark(), candidates=candidates, repeats=4,
        objective={"metric": "accuracy"}, budget={}, confirm=None,
    )  # fmt: skip
    with tenant.kubelet("--trial-seconds", "0.1"):
        tenant.until("duel", "Complete", "True", plural=KIND)
    status = tenant.status("duel", plural=KIND)
    assert status["winner"] == "cold"
    assert "cold wins" in status["verdict"]
    found = {result["candidate"]: result for result in status["results"]}
    assert {result["repeats"] for result in found.values()} == {4}
    assert found["cold"]["againstBaseline"]["accuracy"]["significant"]
    assert found["cold"]["againstBaseline"]["accuracy"]["verdict"] == "better"
    assert not found["same"]["againstBaseline"]["accuracy"]["significant"]
    assert status["progress"]["text"] == "12/12"
    assert len(tenant.jobs()) == 1


def test_a_reference_to_another_namespace_cannot_be_written(tenant, operator):
    """A reference names a resource, never a namespace: the API server refuses anything else."""
    reference = {"name": "x", "optimizationRef": {"name": "other-team/secret"}}
    with pytest.raises(AssertionError, match=r"candidates\[1\].optimizationRef.name"):
        tenant.apply(
            "thief", plural=KIND, document=benchmark(), candidates=[{"name": "default"}, reference],
            budget={}, confirm=None,
        )  # fmt: skip
    assert eventually(lambda: tenant.jobs() == [])


def test_what_a_study_builds_upon_is_waited_for(tenant, operator):
    """A candidate or a start that no optimization has found yet is named, and taken once it is there."""
    found = {"name": "found", "optimizationRef": {"name": "later", "rank": 1}}
    tenant.apply(
        "duel", plural=KIND, document=benchmark(), candidates=[{"name": "default"}, found],
        budget={}, confirm=None,
    )  # fmt: skip
    tenant.apply("heir", search={**optimization()["spec"]["search"], "warmStartFrom": [{"name": "later"}]})
    condition = tenant.until("duel", "StudyReady", "False", "ReferenceInvalid", plural=KIND)
    assert "spec.candidates[1].optimizationRef.name: 'later' has no study" in condition["message"]
    assert "run the optimization first" in condition["message"]
    condition = tenant.until("heir", "StudyReady", "False", "WarmStartInvalid")
    assert "spec.search.warmStartFrom[0].name: 'later' has no study" in condition["message"]
    assert tenant.jobs() == []
    tenant.apply("later")
    with tenant.kubelet():
        tenant.until("later", "Complete", "True")
        tenant.until("duel", "Complete", "True", plural=KIND)
        tenant.until("heir", "Complete", "True")
    assert len(tenant.status("duel", plural=KIND)["results"]) == 2
