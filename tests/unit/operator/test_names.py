"""What the operator calls its objects: the same in every version, so that it finds those of earlier ones."""

import copy
from typing import Any

import pytest
from fakes.manifests import optimization
from releases.recorded import FIRST, RECORDED, hashes, objects, resources

from llmopt_core.resources import resource_of
from llmopt_operator.settings import OperatorSettings
from llmopt_operator.specs.config_maps import manifest_config_map
from llmopt_operator.specs.jobs import runner_job
from llmopt_operator.specs.names import child_name, manifest_hash


@pytest.mark.parametrize("release", RECORDED, ids=lambda release: release.name)
def test_the_runners_of_a_recorded_resource_are_the_right_ones(release):
    """Hash and Job name of each recorded resource are those that its release computed and stored."""
    computed = hashes(release)
    for name, document in resources(release).items():
        hash_ = manifest_hash(document)
        assert (name, hash_) == (name, computed[name]["manifestHash"])
        assert child_name(document, hash_) == computed[name]["job"]
        assert document.get("status", {}).get("manifestHash", hash_) == hash_


@pytest.mark.parametrize("release", RECORDED, ids=lambda release: release.name)
def test_the_manifest_of_the_runners_is_what_it_was(release):
    """Runners of an earlier image can read it: it holds no field that they do not know."""
    recorded = {each["metadata"]["name"]: each["data"] for each in objects(release, "configmaps")}
    named = [manifest_config_map(document) for document in resources(release).values()]
    same = [
        each["data"] == recorded[name] for each in named if (name := each["metadata"]["name"]) in recorded
    ]
    assert len(same) >= 5
    assert all(same)


def test_what_starts_runners_anew_still_does():
    """A changed setting gives another hash; one that only the operator reads does not."""
    document = resources(FIRST)["cluster/llmoptimizations/running.json"]
    before = manifest_hash(document)
    for field, value, same in (("suspend", True, True), ("budget", {"trials": 7}, False)):
        edited = copy.deepcopy(document)
        edited["spec"][field] = value
        assert (manifest_hash(edited) == before) is same


def _document(name: str) -> dict[str, Any]:
    body = optimization()
    return {**body, "metadata": {"name": name, "namespace": "team-a", "uid": f"uid-of-{name}"}}


def test_resources_with_one_beginning_have_jobs_of_their_own() -> None:
    """With the same manifest and 50 characters in common, Job, ConfigMap and volume are each one's own."""
    names = [f"{'a' * 50}-{end}" for end in ("one", "two")]
    documents = [_document(name) for name in names]
    jobs = [runner_job(each, resource_of(each), OperatorSettings()) for each in documents]
    maps = [manifest_config_map(each) for each in documents]
    assert jobs[0]["metadata"]["name"] != jobs[1]["metadata"]["name"]
    for job, config_map in zip(jobs, maps, strict=True):
        name = job["metadata"]["name"]
        assert len(f"{name}-31-abcde") <= 63
        assert config_map["metadata"]["name"] == name
        assert job["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"] == name
