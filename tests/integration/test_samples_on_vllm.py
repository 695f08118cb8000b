"""The samples for vLLM: no combination of their spaces is impossible, and they run, made small, on a CPU."""

import copy
import json

import pytest
import yaml
from fakes.engine_environments import REPOSITORY, use_engine
from fakes.sample_manifests import LIMIT_SECONDS, SAMPLES, configurations, run_offline
from hypothesis import given, settings

from llmopt_core.storage.records import OutcomeKind

SAMPLE = SAMPLES / "vllm.yaml"
SPECULATION = SAMPLES / "vllm-speculation.yaml"
# What the sample's own comment says of CPUs, as small as it gets.
ON_A_CPU = {"kv_cache_memory_mib": 256, "enforce_eager": "true", "max_num_seqs": 8}


@given(drawn=configurations(SAMPLE))
@settings(max_examples=300)
def test_every_combination_of_the_sample_can_be_started(drawn):
    """The space's own conditions leave nothing that vLLM would refuse."""
    assert drawn.conflicts == ()


def _made_small():
    """Return the sample for two cores: its sampling and prompts are searched, so that one load serves all."""
    document = copy.deepcopy(yaml.safe_load(SAMPLE.read_text()))
    spec = document["spec"]
    spec["engine"]["args"] |= ON_A_CPU
    spec["workload"] |= {"maxTokens": 8, "load": {"concurrency": 4}}
    spec["workload"]["dataset"]["samples"] = 8
    spec["search"]["space"]["engine"] = []
    spec["budget"] = {"trials": 4}
    spec["confirm"] = {"top": 1, "repeats": 2}
    return document


@pytest.mark.slow
@pytest.mark.timeout(LIMIT_SECONDS + 30)
def test_the_sample_finds_and_proves_a_configuration_of_vllm(tmp_path):
    """`llmopt run` measures, proves and says how to serve; one engine load serves all trials, freshly."""
    use_engine("vllm")
    folder, outcomes = run_offline(tmp_path, _made_small())
    # A prompt that an earlier trial had left in the cache would make its trial invalid.
    assert {outcome.kind for outcome in outcomes} <= {OutcomeKind.MEASURED, OutcomeKind.COPIED}
    assert len([outcome for outcome in outcomes if "engine_start_seconds" in outcome.metrics]) == 1
    assert outcomes[0].configuration.sampling == {}
    assert outcomes[0].facts["kv_cache_mib"] == 256
    assert outcomes[0].facts["preemptions"] == 0
    best = json.loads(folder.best.read_text())
    assert best["trials"] == len(outcomes) >= 4
    assert f" serve {REPOSITORY} --served-model-name {REPOSITORY} " in best["serve_command"]
    found = outcomes[best["trial"]].facts["serve_command"].partition("--override-generation-config")[2]
    for name in best["trial_parameters"]["sampling"]:
        assert f'"{name}": ' in found


@given(drawn=configurations(SPECULATION))
@settings(max_examples=300)
def test_every_speculation_of_the_sample_can_be_started(drawn):
    """Its conditions leave nothing that vLLM would refuse."""
    assert drawn.conflicts == ()


def _speculation_made_small():
    """Return the sample for two cores: the baseline and one speculation, with short answers."""
    document = copy.deepcopy(yaml.safe_load(SPECULATION.read_text()))
    spec = document["spec"]
    spec["engine"]["args"] |= ON_A_CPU
    spec["workload"] |= {"outputTokens": 24, "load": {"concurrency": 2}}
    spec["workload"]["dataset"]["samples"] = 4
    spec["search"]["enqueue"] = [
        {
            "engine.speculative_method": "ngram",
            "engine.num_speculative_tokens": 3,
            "engine.prompt_lookup_max": 2,
            "engine.max_num_batched_tokens": 2048,
        }
    ]
    spec["budget"] = {"trials": 2}
    spec["confirm"] = {"top": 0}
    return document


@pytest.mark.slow
@pytest.mark.timeout(LIMIT_SECONDS + 30)
def test_the_sample_measures_a_speculation_of_vllm(tmp_path):
    """The baseline guesses nothing; the other trial's facts say how many guesses were right."""
    use_engine("vllm")
    _, outcomes = run_offline(tmp_path, _speculation_made_small())
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.MEASURED] * 2
    plain, guessing = (outcome.facts for outcome in outcomes)
    assert plain.get("draft_tokens", 0) == 0
    assert 0 < guessing["accepted_draft_tokens"] <= guessing["draft_tokens"]
    assert "--speculative-config" in guessing["serve_command"]
