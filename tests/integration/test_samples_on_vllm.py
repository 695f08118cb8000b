"""The sample for vLLM: no combination of its space is impossible, and it runs, made small, on a CPU."""

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

SAMPLE = Path(__file__).parents[2] / "config/samples/vllm.yaml"
LIMIT_SECONDS = 600
# What the sample's own comment says of CPUs, as small as it gets.
ON_A_CPU = {"kv_cache_memory_mib": 256, "enforce_eager": "true", "max_num_seqs": 8}


def _some_value(draw, dimension):
    if isinstance(dimension, ChoiceDimension):
        return draw(st.sampled_from(dimension.choices))
    if isinstance(dimension, IntDimension):
        return draw(st.integers(dimension.low, dimension.high))
    return draw(st.floats(dimension.low, dimension.high))


@given(st.data())
@settings(max_examples=300)
def test_every_combination_of_the_sample_can_be_started(data):
    """The space's own conditions leave nothing that vLLM would refuse."""
    resource = load_manifest(SAMPLE)
    declaration = engine_declaration(resource.spec)
    chosen = {}
    for parameter in define_study(resource).space.parameters:
        if parameter.active(chosen):
            chosen[parameter.name] = _some_value(data.draw, parameter.dimension)
    fixed = fixed_parameters(resource.spec, declaration)
    assert declaration.conflicts(complete(chosen, fixed, declaration)) == ()


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
    """`llmopt run` measures, proves and tells how to serve; one engine load serves all trials, freshly."""
    use_engine("vllm")
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
    folder = tmp_path / "results" / "arithmetic-vllm"
    with open_storage(f"sqlite:///{folder / 'study.db'}") as storage:
        outcomes = [trial.outcome for trial in storage.open_study("arithmetic-vllm").trials()]
    # A prompt that an earlier trial had left in the cache would make its trial void.
    assert {outcome.kind for outcome in outcomes} <= {OutcomeKind.MEASURED, OutcomeKind.COPIED}
    assert len([outcome for outcome in outcomes if "engine_start_seconds" in outcome.metrics]) == 1
    assert outcomes[0].configuration.sampling == {}
    assert outcomes[0].facts["kv_cache_mib"] == 256
    assert outcomes[0].facts["preemptions"] == 0
    best = json.loads((folder / "best.json").read_text())
    assert best["trials"] == len(outcomes) >= 4
    assert f" serve {REPOSITORY} --served-model-name {REPOSITORY} " in best["serve_command"]
    for name in best["parameters"]["sampling"]:
        assert f'"{name}": ' in best["serve_command"].partition("--override-generation-config")[2]
