"""The processes of one engine, also those whose parents are gone."""

import os
import signal
import time
from pathlib import Path

import psutil

from llmopt_core.api.environment import Variable
from llmopt_runner.engines.supervisor import has_threads, living_descendants

# Every process of an engine inherits it: daemonising changes parents and sessions, not this.
_KILL_LIMIT_SECONDS = 5.0


def descendants(pid: int) -> tuple[int, ...]:
    """Return the processes below `pid`, without zombies.

    Raises OSError where no more files may be opened: then nobody knows, and there may be some.
    """
    return tuple(living_descendants(pid))


def marked(mark: str) -> tuple[int, ...]:
    """Return all processes of this machine whose environment carries `mark`, without zombies."""
    wanted = f"{Variable.ENGINE_MARK}={mark}".encode()
    return tuple(pid for pid in psutil.pids() if wanted in _environment(pid))


def kill_marked(mark: str) -> tuple[int, ...]:
    """Kill the processes that carry `mark`, also those that appear meanwhile; return what would not die.

    A killed process loses its environment before it is gone, the sooner the more memory it gives back: those
    that were killed are waited for.
    """
    give_up_at = time.monotonic() + _KILL_LIMIT_SECONDS
    killed: set[psutil.Process] = set()
    while True:
        found = marked(mark)
        for pid in found:
            killed |= _kill(pid)
        killed = {process for process in killed if _lives(process)}
        if not found and not killed:
            return ()
        if time.monotonic() > give_up_at:
            return tuple(process.pid for process in killed)
        time.sleep(0.005)


def wait_until_gone(pid: int) -> bool:
    """Wait for the end of a process that was killed; say whether it came."""
    give_up_at = time.monotonic() + _KILL_LIMIT_SECONDS
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return True
    while _lives(process):
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.005)
    return True


def _lives(process: psutil.Process) -> bool:
    try:
        # The number may be another process's by now.
        if not process.is_running():
            return False
        return process.status() != psutil.STATUS_ZOMBIE or has_threads(process.pid)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:  # it is there all the same
        return True


def _environment(pid: int) -> tuple[bytes, ...]:
    try:
        # A zombie's is empty; a process of another user cannot be read and is none of ours.
        return tuple(Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
    except OSError:
        return ()


def _kill(pid: int) -> set[psutil.Process]:
    """Kill `pid`; return it where it was there."""
    try:
        process = psutil.Process(pid)
        os.kill(pid, signal.SIGKILL)
    except (psutil.NoSuchProcess, ProcessLookupError):
        return set()
    except PermissionError:  # it has become another user's: it is reported as one that would not die
        return {process}
    return {process}
