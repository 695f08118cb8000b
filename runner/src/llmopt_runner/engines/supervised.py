"""The runner's side of the supervisor: one engine process, watched and ended."""

import ast
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from llmopt_core.engines.packaging import NO_PACKAGING, Packaging
from llmopt_core.errors.files import without_number
from llmopt_runner.engines import processes, supervisor
from llmopt_runner.engines.base import ServerCommand
from llmopt_runner.engines.environment import engine_environment

log = logging.getLogger(__name__)

# A runner that was killed must leave nothing within two seconds, also on a busy machine: nobody waits for a
# last answer, and what an engine would tidy up is removed without it.
_ORPHAN_GRACE_SECONDS = 0.5
_SUPERVISOR_SLACK_SECONDS = 15.0


@dataclass(frozen=True)
class Exit:
    """How an engine ended: one of an exit code and a signal. `remained` are processes that would not die."""

    code: int | None
    signal: int | None
    remained: tuple[int, ...] = ()


class SupervisedProcess:
    """An engine behind its supervisor. Started by the constructor; `end` leaves nothing of it."""

    def __init__(
        self,
        command: ServerCommand,
        *,
        log_path: Path,
        workdir: Path,
        grace_seconds: float,
        packaging: Packaging = NO_PACKAGING,
    ) -> None:
        """Start `command` in `workdir`; both its outputs go to `log_path`.

        `packaging` says which environment variables are its own.
        """
        self._mark = uuid.uuid4().hex
        self._grace_seconds = grace_seconds
        self._ended = threading.Event()
        self._exit: Exit | None = None
        self._shared_memory: set[bytes] = set()
        self._began_at = time.time()
        # Sockets and locks that an engine leaves behind go with it.
        self._scratch = tempfile.mkdtemp(prefix="llmopt-")
        self._supervisor = subprocess.Popen(
            _supervised(command, log_path, self._scratch, grace_seconds),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            cwd=workdir,
            env=engine_environment(
                os.environ,
                command.env,
                mark=self._mark,
                passed=packaging.variables,
                caches=packaging.caches,
            ),
            start_new_session=True,  # a Ctrl-C meant for the runner is the runner's to pass on
        )
        self._watcher = threading.Thread(target=self._watch, name="engine-watcher", daemon=True)
        self._watcher.start()

    @property
    def supervisor_pid(self) -> int:
        """The supervisor's process id."""
        return self._supervisor.pid

    @property
    def exit(self) -> Exit | None:
        """How the engine ended, None while it lives."""
        return self._exit

    def wait(self, timeout_seconds: float) -> bool:
        """Wait for the engine's end; return whether it came."""
        return self._ended.wait(timeout_seconds)

    def pids(self) -> tuple[int, ...]:
        """Return the engine's processes, the supervisor not among them."""
        return processes.descendants(self._supervisor.pid) if self._exit is None else ()

    def note_shared_memory(self) -> None:
        """Remember what the engine has in shared memory: after a kill of its supervisor nobody knows."""
        self._shared_memory = supervisor.shared_memory_of(self.pids())

    def end(self, *, at_once: bool = False) -> tuple[int, ...]:
        """End the whole tree, gracefully or `at_once`; return the processes that would not die."""
        self._order(b"K" if at_once else b"T")
        grace = 0.0 if at_once else self._grace_seconds
        if not self._ended.wait(grace + _SUPERVISOR_SLACK_SECONDS):
            self._supervisor.kill()
        self._watcher.join()
        self._close()
        return processes.kill_marked(self._mark)

    def kill(self) -> None:
        """Order the end of the whole tree at once, and wait for nothing. Any thread may, again and again."""
        self._order(b"K")

    def _order(self, order: bytes) -> None:
        try:
            _pipe(self._supervisor.stdin).write(order)
        except (BrokenPipeError, ValueError):  # it ended meanwhile, or was closed by an earlier call
            return

    def _close(self) -> None:
        _pipe(self._supervisor.stdin).close()
        _pipe(self._supervisor.stdout).close()

    def _watch(self) -> None:
        reports: dict[str, Mapping[str, object]] = {"started": {}, "ended": {}}
        for line in _pipe(self._supervisor.stdout):
            document = ast.literal_eval(line.decode())
            reports[document["event"]] = document
        self._supervisor.wait()
        supervisor.remove_shared_memory(self._shared_memory, self._began_at)
        self._exit = (
            self._exit_from(reports["ended"]) if reports["ended"] else self._killed(reports["started"])
        )
        self._ended.set()

    def _killed(self, started: Mapping[str, object]) -> Exit:
        """The supervisor was killed, and only the engine's first process with it."""
        try:
            remained = self._remains(started.get("pid"))
        except OSError as error:  # such as too many open files: `end` looks again
            log.warning("what a killed engine left cannot be looked for: %s", without_number(error))
            remained = ()
        shutil.rmtree(self._scratch, ignore_errors=True)
        return Exit(None, signal.SIGKILL, remained)

    def _remains(self, first: object) -> tuple[int, ...]:
        """Kill what is left of the engine, whose first process was `first`; return what would not die."""
        remained = processes.kill_marked(self._mark)
        if isinstance(first, int) and not processes.wait_until_gone(first):
            remained = (*remained, first)
        return remained

    def _exit_from(self, ending: Mapping[str, object]) -> Exit:
        code, number, remained = ending["exit_code"], ending["signal"], ending["remained"]
        return Exit(
            code if isinstance(code, int) else None,
            number if isinstance(number, int) else None,
            tuple(remained) if isinstance(remained, list) else (),
        )


def _supervised(
    command: ServerCommand, log_path: Path, scratch: str, grace_seconds: float
) -> tuple[str, ...]:
    program = (sys.executable, "-I", "-S", supervisor.__file__)
    # The supervisor starts in another folder, where a relative path would name another file.
    settings = (str(log_path.resolve()), scratch, str(grace_seconds), str(_ORPHAN_GRACE_SECONDS))
    return (*program, *settings, *command.argv)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the supervisor was started without its pipes")
    return pipe
