"""The sample for transformers: no combination of its space is impossible, and made small it runs on a CPU."""

import copy
import json

import pytest
import yaml
from fakes.engine_environments import REPOSITORY, use_engine
from fakes.sample_manifests import LIMIT_SECONDS, SAMPLES, configurations, run_offline
from hypothesis import given, settings

from llmopt_core.storage.records import OutcomeKind

SAMPLE = SAMPLES / "transformers.yaml"
BATCHED = {
    "engine.continuous_batching": "true",
    "engine.cb_num_blocks": 64,
    "sampling.temperature": "0.2",
    "sampling.top_p": "0.5",
    "sampling.min_p": "0.2",
}


@given(drawn=configurations(SAMPLE))
@settings(max_examples=300)
def test_every_combination_of_the_sample_can_be_started(drawn):
    """The space's own conditions leave nothing that transformers would refuse or leave out."""
    assert drawn.conflicts == ()
    if drawn.chosen["engine.continuous_batching"]:
        assert "sampling.repetition_penalty" not in drawn.chosen
        assert drawn.configuration.engine["cb_num_blocks"] == drawn.chosen["engine.cb_num_blocks"]


def _made_small():
    """Return the sample for two cores: plain and batched only, the batched configuration among the first."""
    document = copy.deepcopy(yaml.safe_load(SAMPLE.read_text()))
    spec = document["spec"]
    spec["engine"]["args"] |= {"device": "cpu", "dtype": "float32", "threads": 1}
    # So many at once that batching is faster beyond doubt, also on a busy machine.
    spec["workload"] |= {"maxTokens": 8, "load": {"concurrency": 6}}
    spec["workload"]["dataset"]["samples"] = 6
    names = {"continuous_batching", "cb_num_blocks"}
    spec["search"]["space"]["engine"] = [
        each for each in spec["search"]["space"]["engine"] if each["name"] in names
    ]
    spec["search"]["space"]["prompt"] = []
    spec["search"]["enqueue"] = [BATCHED]
    spec["objectives"] = [{"metric": "output_tokens_per_second"}]
    spec["budget"] = {"trials": 2}
    spec["confirm"] = {"top": 1, "repeats": 2}
    return document


@pytest.mark.slow
@pytest.mark.timeout(LIMIT_SECONDS + 30)
def test_the_sample_finds_and_proves_a_configuration_of_transformers(tmp_path):
    """`llmopt run` measures plain and batched serving, proves the winner and says how to serve it."""
    use_engine("transformers")
    folder, outcomes = run_offline(tmp_path, _made_small())
    assert {outcome.kind for outcome in outcomes} <= {OutcomeKind.MEASURED, OutcomeKind.COPIED}
    default, batched = outcomes[:2]
    assert default.configuration.sampling == {}
    assert default.facts["continuous_batching"] is False
    assert batched.facts["continuous_batching"] is True
    assert batched.configuration.sampling == {"temperature": 0.2, "top_p": 0.5, "min_p": 0.2}
    # What was frozen by the first request must not be sent again: answers would never end.
    assert "generation_config" not in batched.facts["request_fields"]
    assert "# before all else, once: curl " in batched.facts["serve_command"]
    best = json.loads(folder.best.read_text())
    assert best["trials"] == len(outcomes) >= 3
    assert f" serve {REPOSITORY} " in best["serve_command"]
