"""How an engine's end is known to the runner."""

import errno
import os
import signal
import sys

from llmopt_runner.engines import processes
from llmopt_runner.engines.base import ServerCommand
from llmopt_runner.engines.supervised import SupervisedProcess


def test_an_engine_has_ended_though_what_it_left_cannot_be_looked_for(tmp_path, monkeypatch, caplog):
    """A supervisor that is killed while too many files are open keeps nobody waiting; the end looks again."""

    def refused(_mark):
        raise OSError(errno.EMFILE, "Too many open files")

    command = ServerCommand((sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"))
    process = SupervisedProcess(
        command, log_path=tmp_path / "engine.log", workdir=tmp_path, grace_seconds=0.1
    )
    with monkeypatch.context() as patched:
        patched.setattr(processes, "kill_marked", refused)
        os.kill(process.supervisor_pid, signal.SIGKILL)
        assert process.wait(10)
    assert process.exit.signal == signal.SIGKILL
    assert "cannot be looked for: Too many open files" in caplog.text
    assert process.end() == ()
