"""Commands that are stopped, killed or started twice, with the real study and real processes."""

import signal
import threading

import psutil
import pytest
from fakes.local_runs import Listener, commands, finding, manifest, trials_of, until_printed
from fakes.looks import looked_for

from llmopt.local.folders import FolderBusy, ResultsFolder
from llmopt.local.sessions import Pace, Stop
from llmopt_core.api.exit_codes import Exit


@pytest.fixture
def command(tmp_path):
    """Start the command on a manifest's text; its results are in the folder `results`."""
    with commands(tmp_path / "results") as start:
        yield start


def running_trial(tmp_path):
    """Return a running trial of the study that a command works on, once there is one."""
    folder = ResultsFolder(tmp_path / "results" / "small")

    def look():
        if not folder.manifest.exists():
            return None
        return next((trial for trial in trials_of(folder) if trial.state == "running"), None)

    return looked_for(look, 30)


def test_ctrl_c_gives_the_trial_back_and_the_same_command_resumes(tmp_path, command):
    """SIGINT ends the runners gracefully with 130; the same command then finishes the study."""
    process = command(manifest(), "--trial-seconds", "30")
    trial = running_trial(tmp_path)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    folder = ResultsFolder(tmp_path / "results" / "small")
    assert process.returncode == Exit.INTERRUPTED
    assert f"Interrupted. Nothing was measured yet; the study is in {folder.path}." in output
    assert "Run the same command to resume" in output
    assert trials_of(folder)[trial.number].outcome.kind == "returned"
    again = command(manifest())
    output, _ = again.communicate(timeout=60)
    assert again.returncode == Exit.FINISHED, output
    assert sum(t.outcome.kind == "measured" for t in trials_of(folder)) == 4 + 4


def test_sigterm_stops_gracefully_too(tmp_path, command):
    """SIGTERM, as a service manager sends it, gives the trial back like Ctrl-C."""
    process = command(manifest(), "--trial-seconds", "30")
    trial = running_trial(tmp_path)
    process.terminate()
    process.communicate(timeout=30)
    trials = trials_of(ResultsFolder(tmp_path / "results" / "small"))
    assert process.returncode == Exit.INTERRUPTED
    assert trials[trial.number].outcome.kind == "returned"


def test_a_second_ctrl_c_kills_at_once(tmp_path):
    """A runner that does not listen is killed at the second Ctrl-C, long before its grace is over."""
    with commands(tmp_path / "results", Pace(poll=0.05, grace=600.0, lease=60.0)) as command:
        process = command(manifest(), "--trial-seconds", "60", "--deaf")
        running_trial(tmp_path)
        runners = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGINT)
        until_printed(process, "once more to stop at once")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == Exit.INTERRUPTED
    assert not any(runner.is_running() for runner in runners)


def test_a_deaf_runner_is_killed_after_its_grace(tmp_path):
    """A runner that does not end on SIGTERM is killed when its grace is over."""
    stop = Stop()
    listener = Listener(lambda status: stop.requested.set() if status.progress.running else None)
    pace = Pace(poll=0.05, grace=0.3, lease=60)
    found = finding(tmp_path, "--trial-seconds", "60", "--deaf", stop=stop, listener=listener, pace=pace)
    assert found.session.stopped
    assert "the runners that did not end were killed" in listener.events


def test_runners_that_outlive_a_killed_command_keep_the_folder(tmp_path, command):
    """After SIGKILL of the command its runner goes on; a second command is refused and names it."""
    process = command(manifest(), "--trial-seconds", "30")
    running_trial(tmp_path)
    (runner,) = psutil.Process(process.pid).children()
    process.kill()
    process.wait()
    try:
        with pytest.raises(FolderBusy, match=str(runner.pid)):
            finding(tmp_path / "results")
    finally:
        runner.terminate()
    looked_for(lambda: not runner.is_running() or runner.status() == psutil.STATUS_ZOMBIE, 30)


def test_a_stop_that_came_before_the_start_starts_nothing(tmp_path):
    """A session that was already asked to stop starts no runner."""
    stop = Stop()
    stop.requested.set()
    finding(tmp_path, stop=stop)
    assert not (tmp_path / "small" / "logs" / "runner-0.log").exists()


def test_concurrent_commands_do_not_mix(tmp_path):
    """While one session works in a folder, a second one is refused."""
    stop, begun = Stop(), threading.Event()
    listener = Listener(lambda status: begun.set() if status.progress.running else None)
    thread = threading.Thread(
        target=finding, args=(tmp_path, "--trial-seconds", "30"), kwargs={"stop": stop, "listener": listener}
    )
    thread.start()
    try:
        assert begun.wait(30)
        with pytest.raises(FolderBusy):
            finding(tmp_path)
    finally:
        stop.requested.set()
        thread.join()
