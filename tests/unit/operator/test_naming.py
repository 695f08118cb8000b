"""What the operator calls its objects: the same in every version, so that it finds those of earlier ones."""

import copy

import pytest
from releases.recorded import FIRST, RECORDED, hashes, objects, resources

from llmopt_operator.specs.config_maps import manifest_config_map
from llmopt_operator.specs.naming import child_name, manifest_hash


@pytest.mark.parametrize("release", RECORDED, ids=lambda release: release.name)
def test_the_runners_of_a_recorded_resource_are_the_right_ones(release):
    """Hash and Job name of each recorded resource are those that its release computed and stored."""
    computed = hashes(release)
    for name, document in resources(release).items():
        hash_ = manifest_hash(document)
        assert (name, hash_) == (name, computed[name]["manifestHash"])
        assert child_name(document["metadata"]["name"], hash_) == computed[name]["job"]
        assert document.get("status", {}).get("manifestHash", hash_) == hash_


@pytest.mark.parametrize("release", RECORDED, ids=lambda release: release.name)
def test_the_manifest_of_the_runners_is_what_it_was(release):
    """Runners of an earlier image can read it: it holds no field that they do not know."""
    recorded = {each["metadata"]["name"]: each["data"] for each in objects(release, "configmaps")}
    told = [manifest_config_map(document) for document in resources(release).values()]
    same = [each["data"] == recorded[name] for each in told if (name := each["metadata"]["name"]) in recorded]
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
