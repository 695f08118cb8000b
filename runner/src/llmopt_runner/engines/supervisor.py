"""Stands between the runner and an engine, so that no process of the engine outlives either of them.

Run by path as `python -I -S supervisor.py LOG SCRATCH GRACE_SECONDS ORPHAN_GRACE_SECONDS COMMAND…`: standard
library only, ready in a few milliseconds. It is the reaper of all descendants, so those that daemonise come
back to it. SCRATCH is a folder for the engine's temporary files, which goes with the engine, as does what it
keeps in shared memory: a killed engine would leave it there, in RAM. Standard input is the lifeline: `T` ends
the engine gracefully, `K` at once, and its end means that the runner is gone. Standard output says, one
Python literal a line, that the engine started and how it ended. SIGTERM and SIGINT are `T`, SIGUSR1 is
`K`.
"""

import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Iterable, Sequence

# pathlib, typing and json would double the start, which is part of every engine's measured start.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_SET_PDEATHSIG = 1  # prctl(2)
_SET_CHILD_SUBREAPER = 36
_MORE_LIKELY_KILLED = 200  # of 1000: when memory runs out, the kernel kills the engine, not the runner
_KILL_LIMIT_SECONDS = 5.0  # a process in uninterruptible sleep outlives SIGKILL for a while
_SHARED_MEMORY = b"/dev/shm/"  # shm_overview(7)
_TERMINATE, _KILL, _ORPHANED = b"T", b"K", b""
_SIGNALS = {signal.SIGTERM: _TERMINATE, signal.SIGINT: _TERMINATE, signal.SIGUSR1: _KILL}


def living_descendants(root: int) -> list[int]:
    """Return the processes below `root` that are not gone, parents before children.

    One whose first thread has ended is a zombie and yet not gone while another thread lives: until then it
    holds its memory, that of GPUs too.
    """
    children: dict[int, list[int]] = {}
    zombies = set()
    for pid in (int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()):
        state, parent = _state_and_parent(pid)
        children.setdefault(parent, []).append(pid)
        if state == b"Z" and not has_threads(pid):
            zombies.add(pid)
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return [pid for pid in found[1:] if pid not in zombies]


def has_threads(pid: int) -> bool:
    """Say whether the zombie `pid` has threads that still live."""
    try:
        return any(int(task) != pid for task in os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208 - as said above
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False


def shared_memory_of(pids: Iterable[int]) -> set[bytes]:
    """Return the files of named shared memory that processes `pids` have mapped, proc_pid_maps(5)."""
    found = set()
    for pid in pids:
        try:
            with open(f"/proc/{pid}/maps", "rb") as file:  # noqa: PTH123 - as said at the imports
                lines = file.read().split(b"\n")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        found |= {line[line.index(_SHARED_MEMORY) :] for line in lines if _SHARED_MEMORY in line}
    return {path for path in found if not path.endswith(b" (deleted)")}


def remove_shared_memory(paths: Iterable[bytes], since: float) -> None:
    """Remove those of `paths` that this user made after `since`, in seconds of the epoch: an engine's own."""
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 - as said at the imports
            if status.st_uid == os.geteuid() and status.st_ctime >= since:
                os.unlink(path)  # noqa: PTH108 - as said at the imports
        except OSError:
            continue  # the engine removed it itself


def _state_and_parent(pid: int) -> tuple[bytes, int]:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - as said at the imports
            # The name in parentheses may itself hold anything, parentheses too.
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b"Z", 0  # it is gone, or another user's where /proc is mounted with hidepid
    return fields[0], int(fields[1])


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value})")


class Supervisor:
    """One engine, from its start to the end of its last descendant."""

    def __init__(
        self, log: str, scratch: str, grace_seconds: float, orphan_grace_seconds: float, argv: Sequence[str]
    ) -> None:
        self._log, self._scratch, self._argv = log, scratch, argv
        self._graces = {_TERMINATE: grace_seconds, _ORPHANED: orphan_grace_seconds, _KILL: 0.0}
        self._kill_at: float | None = None
        self._engine = 0
        self._began_at = time.time()
        self._looked_at: set[int] = set()
        self._shared_memory: set[bytes] = set()
        self._wait_status: int | None = None

    def run(self) -> int:
        """Return the engine's exit code, or 128 and its signal, when nothing of it is left."""
        _prctl(_SET_CHILD_SUBREAPER, 1)
        wake = self._catch_signals()
        self._engine = self._start()
        _report(event="started", pid=self._engine)
        sources = [0, wake]
        while self._wait_status is None:
            for source in select.select(sources, [], [], self._seconds_to_kill())[0]:
                order = _read_order(source, wake)
                self._obey(order)
                if order == _ORPHANED:
                    sources = [wake]
            if self._seconds_to_kill() == 0:
                self._kill_all()
            self._reap()
        remained = self._kill_all()
        _remove(self._scratch)
        remove_shared_memory(self._shared_memory, self._began_at)
        code, number = _code_and_signal(self._wait_status)
        _report(event="ended", exit_code=code, signal=number, remained=remained)
        return 128 + number if code is None and number else code or 0

    def _catch_signals(self) -> int:
        wake, write = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in (*_SIGNALS, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        return wake

    def _start(self) -> int:
        supervisor = os.getpid()
        return os.fork() or self._become_engine(supervisor)

    def _become_engine(self, supervisor: int) -> "NoReturn":
        os.setsid()
        _prctl(_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != supervisor:  # it died before the line above
            os._exit(1)
        _be_killed_first()
        signal.set_wakeup_fd(-1)
        for number in (*_SIGNALS, signal.SIGCHLD, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for target, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, log), (2, log)):
            os.dup2(source, target)
        os.environ["TMPDIR"] = self._scratch
        try:
            os.execvp(self._argv[0], list(self._argv))  # noqa: S606 - the engine's own command line
        except OSError as error:
            os.write(2, f"cannot run {self._argv[0]}: {error.strerror}\n".encode())
            os._exit(127)

    def _obey(self, order: bytes | None) -> None:
        if order not in self._graces:
            return
        if self._kill_at is None and order != _KILL:
            self._note_shared_memory(living_descendants(os.getpid()))
            _send(-self._engine, signal.SIGTERM)
        kill_at = time.monotonic() + self._graces[order]
        self._kill_at = kill_at if self._kill_at is None else min(kill_at, self._kill_at)

    def _seconds_to_kill(self) -> float | None:
        return None if self._kill_at is None else max(0.0, self._kill_at - time.monotonic())

    def _kill_all(self) -> list[int]:
        """Kill every descendant, also those that appear meanwhile; return those that would not die."""
        give_up_at = time.monotonic() + _KILL_LIMIT_SECONDS
        while living := living_descendants(os.getpid()):
            for pid in living:
                _send(pid, signal.SIGSTOP)  # none takes more memory while it is looked at
            self._note_shared_memory(living)
            for pid in living:
                _send(pid, signal.SIGKILL)
            self._reap()
            if time.monotonic() > give_up_at:
                return living
            time.sleep(0.005)
        self._reap()
        return []

    def _note_shared_memory(self, living: list[int]) -> None:
        self._shared_memory |= shared_memory_of(set(living) - self._looked_at)
        self._looked_at.update(living)

    def _reap(self) -> None:
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._engine:
                    self._wait_status = ended[1]
        except ChildProcessError:
            return


def _remove(folder: str) -> None:
    import shutil  # noqa: PLC0415 - at the end it delays no start

    shutil.rmtree(folder, ignore_errors=True)


def _read_order(source: int, wake: int) -> bytes | None:
    try:
        received = os.read(source, 1)
    except BlockingIOError:
        return None
    return _SIGNALS.get(signal.Signals(received[0])) if source == wake else received


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _code_and_signal(wait_status: int) -> tuple[int | None, int | None]:
    code = os.waitstatus_to_exitcode(wait_status)
    return (code, None) if code >= 0 else (None, -code)


def _be_killed_first() -> None:
    try:
        with open("/proc/self/oom_score_adj", "r+") as file:  # noqa: PTH123 - as said at the imports
            score = min(1000, int(file.read()) + _MORE_LIKELY_KILLED)
            file.seek(0)
            file.write(str(score))
    except OSError:
        return  # a sandbox may hide it: then the kernel chooses by size, which is the engine's anyhow


def _report(**document: object) -> None:
    try:
        os.write(1, f"{document!r}\n".encode())
    except BrokenPipeError:
        return  # the runner is gone: nobody is left to inform


def _main(arguments: Sequence[str]) -> int:
    log, scratch, grace, orphan_grace, *argv = arguments
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    return Supervisor(log, scratch, float(grace), float(orphan_grace), argv).run()


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
