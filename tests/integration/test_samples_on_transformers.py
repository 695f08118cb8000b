"""The sample for transformers: no combination of its space is impossible, and made small it runs on a CPU."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from fakes.engine_environments import REPOSITORY, safetensors_home, use_engine
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt_core.resources import load_manifest
from llmopt_core.search.building import complete
from llmopt_core.search.spaces import ChoiceDimension, IntDimension
from llmopt_core.study.adapter import open_storage
from llmopt_core.study.definitions import define_study, engine_declaration, fixed_parameters
from llmopt_core.study.records import OutcomeKind

SAMPLE = Path(__file__).parents[2] / "config/samples/transformers.yaml"
LIMIT_SECONDS = 600
BATCHED = {
    "engine.continuous_batching": "true",
    "engine.cb_num_blocks": 64,
    "sampling.temperature": "0.2",
    "sampling.top_p": "0.5",
    "sampling.min_p": "0.2",
}


def _some_value(draw, dimension):
    if isinstance(dimension, ChoiceDimension):
        return draw(st.sampled_from(dimension.choices))
    if isinstance(dimension, IntDimension):
        return draw(st.integers(dimension.low, dimension.high))
    return draw(st.floats(dimension.low, dimension.high))


@given(st.data())
@settings(max_examples=300)
def test_every_combination_of_the_sample_can_be_started(data):
    """The space's own conditions leave nothing that transformers would refuse or leave out."""
    resource = load_manifest(SAMPLE)
    declaration = engine_declaration(resource.spec)
    chosen = {}
    for parameter in define_study(resource).space.parameters:
        if parameter.active(chosen):
            chosen[parameter.name] = _some_value(data.draw, parameter.dimension)
    configuration = complete(chosen, fixed_parameters(resource.spec, declaration), declaration)
    assert declaration.conflicts(configuration) == ()
    if chosen["engine.continuous_batching"]:
        assert "sampling.repetition_penalty" not in chosen
        assert configuration.engine["cb_num_blocks"] == chosen["engine.cb_num_blocks"]


def _made_small():
    """Return the sample for two cores: plain and batched only, the batched configuration among the first."""
    document = copy.deepcopy(yaml.safe_load(SAMPLE.read_text()))
    spec = document["spec"]
    spec["engine"]["args"] |= {"device": "cpu", "dtype": "float32", "threads": 1}
    spec["workload"] |= {"maxTokens": 8, "load": {"concurrency": 4}}
    spec["workload"]["dataset"]["samples"] = 4
    names = {"continuous_batching", "cb_num_blocks"}
    spec["search"]["space"]["engine"] = [
        each for each in spec["search"]["space"]["engine"] if each["name"] in names
    ]
    spec["search"]["space"]["prompt"] = []
    spec["search"]["enqueue"] = [BATCHED]
    spec["objectives"] = [{"metric": "output_tokens_per_second"}]
    spec["budget"] = {"trials": 3}
    spec["confirm"] = {"top": 1, "repeats": 2}
    return document


@pytest.mark.slow
@pytest.mark.timeout(LIMIT_SECONDS + 30)
def test_the_sample_finds_and_proves_a_configuration_of_transformers(tmp_path):
    """`llmopt run` measures plain and batched serving, proves the winner and tells how to serve it."""
    use_engine("transformers")
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(_made_small()))
    command = (Path(sys.executable).with_name("llmopt"), "run", "small.yaml", "--no-progress")
    environment = {**os.environ, "HF_HOME": str(safetensors_home()), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    folder = tmp_path / "results" / "arithmetic-transformers"
    with open_storage(f"sqlite:///{folder / 'study.db'}") as storage:
        outcomes = [trial.outcome for trial in storage.open_study("arithmetic-transformers").trials()]
    assert {outcome.kind for outcome in outcomes} <= {OutcomeKind.MEASURED, OutcomeKind.COPIED}
    default, batched = outcomes[:2]
    assert default.configuration.sampling == {}
    assert default.facts["continuous_batching"] is False
    assert batched.facts["continuous_batching"] is True
    assert batched.configuration.sampling == {"temperature": 0.2, "top_p": 0.5, "min_p": 0.2}
    # What was frozen by the first request must not be sent again: answers would never end.
    assert "generation_config" not in batched.facts["request_fields"]
    assert "# before all else, once: curl " in batched.facts["serve_command"]
    best = json.loads((folder / "best.json").read_text())
    assert best["trials"] == len(outcomes) >= 3
    assert f" serve {REPOSITORY} " in best["serve_command"]
