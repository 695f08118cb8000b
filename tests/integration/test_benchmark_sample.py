"""The benchmark of the samples, made small, on llama.cpp's own server with a real model."""

import copy
import json
import signal
import subprocess
import time

import psutil
import pytest
import yaml
from fakes.engine_cases import gguf
from fakes.sample_manifests import LIMIT_SECONDS, SAMPLES, run, run_command

from llmopt.local.folders import ResultsFolder
from llmopt_core.storage.records import OutcomeKind
from llmopt_core.storage.storages import open_storage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * LIMIT_SECONDS)]
NAME = "smollm2-slots"


def _made_small(*more):
    """Return the sample for two busy cores, with `more` candidates."""
    document = copy.deepcopy(yaml.safe_load((SAMPLES / "benchmark.yaml").read_text()))
    spec = document["spec"]
    spec["workload"] |= {"maxTokens": 4, "load": {"concurrency": 4}}
    spec["workload"]["dataset"]["samples"] = 4
    spec["engine"]["args"] |= {"n_ctx": 2048, "threads": 1}
    spec["candidates"] += more
    spec["repeats"] = 2
    return document


def test_the_sample_compares_three_ways_to_serve_a_model(tmp_path):
    """Each repeat is measured on the candidate's own server; a damaged model fails alone and is reported."""
    damaged = tmp_path / "damaged.gguf"
    # Whole by its sizes, so that the command starts; only the engine finds that a tensor has no known name.
    damaged.write_bytes(gguf().path.read_bytes().replace(b"output_norm.weight", b"output_form.weight", 1))
    candidate = {"name": "damaged", "model": {"source": damaged.as_uri()}}
    folder, outcomes = run(tmp_path, _made_small(candidate))
    assert [outcome.kind for outcome in outcomes] == [*[OutcomeKind.MEASURED] * 3, OutcomeKind.FAILED] * 2
    slots = [outcome.configuration.engine.get("n_parallel") for outcome in outcomes[:3]]
    assert slots[1:] == [8, 8]
    assert slots[0] != 8
    assert outcomes[2].configuration.sampling["temperature"] == 0
    assert all(outcome.metrics["peak_memory_mib"] > 100 for outcome in outcomes[:3])
    assert {frozenset(outcome.samples) for outcome in outcomes[:3]} == {frozenset(outcomes[4].samples)}
    best = json.loads(folder.best.read_text())
    assert best["headline"].endswith("not measured: damaged (ModelCorrupt)")
    by_name = {candidate["name"]: candidate for candidate in best["candidates"]}
    assert by_name["eight-slots"]["repeats"] == 2
    assert "n_parallel" not in by_name["default"]["serve_command"]
    assert set(by_name["eight-slots"]["metrics"]) == {
        "requests_per_second", "accuracy", "ttft_ms_p95", "peak_memory_mib",
    }  # fmt: skip
    assert "eight-slots-greedy" in folder.report.read_text()


def test_a_benchmark_killed_with_its_runner_leaves_no_engine_and_goes_on(tmp_path):
    """SIGKILL of command and runner while a server measures: it goes too, and nothing is measured twice."""
    document = _made_small()
    del document["spec"]["candidates"][2:]
    command = subprocess.Popen(run_command(tmp_path, document), cwd=tmp_path, stdout=subprocess.DEVNULL)
    folder = ResultsFolder(tmp_path / "results" / NAME)
    try:
        family = _measuring(command, folder)
    finally:
        for process in (*psutil.Process(command.pid).children(), psutil.Process(command.pid)):
            process.send_signal(signal.SIGKILL)
        command.wait()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []
    _, outcomes = run(tmp_path, document)
    kinds = [outcome.kind for outcome in outcomes]
    assert kinds.count(OutcomeKind.MEASURED) == 4
    assert set(kinds) == {OutcomeKind.MEASURED, OutcomeKind.RETURNED}


def _measuring(command, folder):
    """Wait until a repeat is measured on a server; return all processes below the command."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        if folder.database.exists() and _stage(folder) == "measuring":
            return psutil.Process(command.pid).children(recursive=True)
        time.sleep(0.2)
    raise AssertionError("no repeat was measured in time")


def _stage(folder):
    with open_storage(folder.storage_url()) as storage:
        if NAME not in storage.study_names():
            return None
        return next((runner.stage for runner in storage.open_study(NAME).runners()), None)
