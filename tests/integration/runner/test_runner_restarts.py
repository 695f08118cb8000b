"""The runner program that is killed, stopped or run again: no trial is lost, and the study goes on."""

import signal
import subprocess

from fakes.endpoint_manifests import manifest
from fakes.graded_answers import counted
from fakes.runner_folders import PATIENCE_SECONDS

from llmopt_core.analysis.confirmation import confirmation
from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.storage.records import Phase


def running_search(trials):
    return any(trial.state == "running" and trial.phase is Phase.SEARCH for trial in trials)


def test_a_killed_runner_loses_nothing(folder, server):
    """SIGKILL in the middle of a trial: its replacement runs that trial again, and the budget is exact."""
    folder.write(manifest(server.base_url, trials=6))
    runner = folder.start()
    folder.until(running_search)
    runner.send_signal(signal.SIGKILL)
    runner.wait(PATIENCE_SECONDS)
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        assert len(counted(study)) == 6
        assert all(trial.state == "finished" for trial in study.trials())


def test_sigterm_gives_the_trial_back_and_the_same_command_resumes(folder, server):
    """A runner that is asked to stop says so, leaves no trial running, and costs the budget nothing."""
    folder.write(manifest(server.base_url, trials=6))
    runner = folder.start()
    folder.until(running_search)
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(PATIENCE_SECONDS) == RunnerExit.INTERRUPTED, folder.log()
    with folder.study() as study:
        assert not any(trial.state == "running" for trial in study.trials())
        assert study.runners()[0].ended == "interrupted"
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        assert len(counted(study)) == 6


def test_a_runner_ends_gracefully_when_its_parent_is_gone(folder, server):
    """The other end of its standard input is closed by SIGKILL too: the trial is given back."""
    folder.write(manifest(server.base_url, trials=6))
    runner = folder.start(0, "--end-with-stdin", stdin=subprocess.PIPE)
    folder.until(running_search)
    runner.stdin.close()
    assert runner.wait(PATIENCE_SECONDS) == RunnerExit.INTERRUPTED, folder.log()
    with folder.study() as study:
        assert not any(trial.state == "running" for trial in study.trials())


def test_a_confirmation_that_was_interrupted_goes_on(folder, server):
    """SIGTERM between two repeats: the same command runs the missing ones, and no trial of the search."""
    document = manifest(server.base_url, trials=3, confirm={"top": 1, "repeats": 4})
    document["spec"]["search"]["enqueue"] = [{"sampling.temperature": "0"}]  # better than the baseline
    folder.write(document)
    runner = folder.start()
    folder.until(lambda trials: any(t.phase is Phase.CONFIRM and t.state == "running" for t in trials))
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(PATIENCE_SECONDS) == RunnerExit.INTERRUPTED, folder.log()
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        assert len(counted(study)) == 3
        assert confirmation(study).winner.repeats >= 3
        measured = [
            (t.candidate, t.repeat) for t in study.trials() if t.phase is Phase.CONFIRM and t.outcome.metrics
        ]
        assert len(measured) == len(set(measured)) <= 8


def test_a_raised_budget_goes_on_where_the_study_ended(folder, server):
    """After four of four trials, a budget of six runs two more, and proves their winner anew."""
    document = manifest(server.base_url, trials=4, confirm={"top": 1, "repeats": 2})
    document["spec"]["search"]["enqueue"] = [{"sampling.temperature": "0"}]  # better than the baseline
    folder.write(document)
    assert folder.run() == RunnerExit.DONE, folder.log()
    document["spec"]["budget"]["trials"] = 6
    folder.write(document)
    assert folder.go_on() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        assert len(counted(study)) == 6
        assert study.confirm_plan.basis == 6
        assert confirmation(study).winner.repeats == 2
        assert len([trial for trial in study.trials() if trial.phase is Phase.CONFIRM]) == 2 * 2 * 2


def test_a_runner_that_begins_late_leaves_an_ended_study_as_it_is(folder, server):
    """A study that has ended well is not opened again, even by a raised budget: the runner ends at once."""
    folder.write(manifest(server.base_url, trials=2))
    assert folder.run() == RunnerExit.DONE, folder.log()
    before = len(server.truth())
    folder.write(manifest(server.base_url, trials=6))
    assert folder.start(1).wait(PATIENCE_SECONDS) == RunnerExit.DONE, folder.log(1)
    with folder.study() as study:
        assert study.ended.reason == "TrialsExhausted"
        assert len(counted(study)) == 2
        assert {runner.ended for runner in study.runners()} == {"TrialsExhausted"}
    assert len(server.truth()) == before


def test_a_runner_that_begins_late_on_a_failed_study_ends_as_it_did(folder, server):
    """What failed it may be fixed meanwhile: the exit code is still the study's, and nothing is run."""
    document = manifest(server.base_url, trials=2, samples=4)
    path = folder.path / "items.jsonl"
    document["spec"]["workload"]["dataset"] = {"path": str(path), "samples": 4}
    folder.write(document)
    assert folder.run() == RunnerExit.STUDY_FAILED, folder.log()
    path.write_text("\n".join(f'{{"question": "What is {n} + 1?", "answer": "{n + 1}"}}' for n in range(12)))
    assert folder.start(1).wait(PATIENCE_SECONDS) == RunnerExit.STUDY_FAILED, folder.log(1)
    assert "the study failed: DatasetInvalid" in folder.log(1)
    with folder.study() as study:
        assert study.ended.reason == "DatasetInvalid"
        assert {trial.state for trial in study.trials()} == {"waiting"}
