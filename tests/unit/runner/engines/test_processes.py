"""When a process is gone: a zombie whose threads live still holds its memory, that of GPUs too."""

import errno
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from llmopt_runner.engines import processes, supervisor

# The first thread ends by itself, not its process: exit(2) of that thread alone.
_LEADER_ENDS = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(600,)).start()
print(flush=True)
ctypes.CDLL(None).syscall(60, 0)
"""


def _until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline


def _is_zombie(pid):
    return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def headless():
    """A process whose leader is a zombie while another of its threads lives."""
    process = subprocess.Popen((sys.executable, "-I", "-S", "-c", _LEADER_ENDS), stdout=subprocess.PIPE)
    process.stdout.readline()
    _until(lambda: _is_zombie(process.pid))
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_zombie_with_threads_is_not_gone(headless):
    """Until the last thread has ended, the supervisor waits for it and it counts as the engine's."""
    assert headless.pid in supervisor.living_descendants(os.getpid())
    assert headless.pid in processes.descendants(os.getpid())


def test_a_zombie_without_threads_is_gone(headless):
    """What remains of it is an entry in a table that its parent has not read."""
    os.kill(headless.pid, signal.SIGKILL)
    _until(lambda: not supervisor.has_threads(headless.pid))
    assert _is_zombie(headless.pid)
    assert headless.pid not in supervisor.living_descendants(os.getpid())
    assert headless.pid not in processes.descendants(os.getpid())
    assert processes.wait_until_gone(headless.pid)


def test_a_process_that_was_reaped_has_no_threads(headless):
    """It may end between two looks."""
    headless.kill()
    headless.wait()
    assert not supervisor.has_threads(headless.pid)


def test_processes_that_cannot_be_read_hide_no_other(headless, monkeypatch):
    """Where /proc shows others' processes by their numbers alone, the engine's own are found."""
    read = open

    def refused(path, *arguments, **more):
        if path == "/proc/1/stat":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return read(path, *arguments, **more)

    monkeypatch.setattr(supervisor, "open", refused, raising=False)
    assert headless.pid in supervisor.living_descendants(os.getpid())
    assert headless.pid in processes.descendants(os.getpid())
