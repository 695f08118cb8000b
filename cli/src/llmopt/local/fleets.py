"""The runner processes of one study on this machine: started, watched, ended gracefully."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from llmopt.local.folders import ResultsFolder, note_holders
from llmopt.local.metrics import LOOPBACK
from llmopt.machine import preflight
from llmopt.machine.gpus import Deal
from llmopt_core.api.environment import Variable
from llmopt_core.api.exit_codes import RunnerExit

RUNNER_COMMAND = (sys.executable, "-m", "llmopt_runner.main", "--end-with-stdin")

RESTARTS = 5
# After these exit codes another start would end the same way; any other code can be a crash.
HOPELESS = frozenset(code for code in RunnerExit if not code.retryable)


def preflight_of(runner_command: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the program that looks at this machine before runners do; None: the runner is another one."""
    return preflight.COMMAND if runner_command == RUNNER_COMMAND else None


@dataclass(frozen=True)
class Launcher:
    """How a runner of one study is started.

    `command` is the program. `lifeline` is the end of a pipe that runners read and nobody writes: it ends
    when this process does, however that came, and the runners with it. The storage's URL goes through the
    environment because an argument list can be read by every user of the machine. `metrics_ports` are where
    the runners serve metrics, by index; empty: nowhere. `gpus` says which GPUs each runner sees; None: all.
    """

    folder: ResultsFolder
    storage_url: str
    lock: int
    lifeline: int
    command: tuple[str, ...] = RUNNER_COMMAND
    environment: Mapping[str, str] = field(default_factory=dict)
    metrics_ports: tuple[int, ...] = ()
    gpus: Deal | None = None

    def arguments(self, index: int) -> list[str]:
        """Return the command line of runner `index`."""
        folder = self.folder
        return [
            *self.command,
            "--manifest", str(folder.manifest), "--results", str(folder.path), "--index", str(index),
            *self._metrics(index),
        ]  # fmt: skip

    def _metrics(self, index: int) -> tuple[str, ...]:
        if not self.metrics_ports:
            return ()
        return "--metrics-port", str(self.metrics_ports[index]), "--metrics-host", LOOPBACK

    def start(self, index: int) -> "subprocess.Popen[bytes]":
        """Start runner `index` in a session of its own: the terminal's Ctrl-C is for us to pass on."""
        session: dict[str, str] = {
            Variable.STORAGE_URL: self.storage_url,
            Variable.SESSION: str(self.folder.path.resolve()),
        }
        gpus = self.gpus.environment(index) if self.gpus is not None else {}
        environment = {**os.environ, **self.environment, **gpus, **session}
        with self.folder.runner_log(index).open("ab") as log:
            return subprocess.Popen(
                self.arguments(index),
                stdin=self.lifeline,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                pass_fds=(self.lock,),
            )


@contextmanager
def lifeline() -> Iterator[int]:
    """Give the reading end of a pipe whose other end only this process holds."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


@dataclass
class Runner:
    """One runner's place: the process that fills it now, and how often it had to be filled again."""

    index: int
    process: "subprocess.Popen[bytes]"
    restarts: int = 0

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None


class Fleet:
    """All runners of a study."""

    def __init__(self, launcher: Launcher, count: int, *, restarts: int = RESTARTS) -> None:
        self._launcher = launcher
        self._restarts = restarts
        self._runners: list[Runner] = []
        self._count = count

    def start(self) -> None:
        """Start every runner; raises OSError when its program cannot be started."""
        for index in range(self._count):
            self._runners.append(Runner(index, self._launcher.start(index)))
        self._note()

    @property
    def pids(self) -> list[int]:
        """The process ids of the runners that run."""
        return [runner.process.pid for runner in self._runners if runner.alive]

    @property
    def alive(self) -> int:
        """How many runners run."""
        return len(self.pids)

    @property
    def exit_codes(self) -> tuple[int, ...]:
        """The exit codes of the runners that have ended for good; below zero: the signal."""
        return tuple(runner.process.returncode for runner in self._runners if not runner.alive)

    def tend(self) -> tuple[str, ...]:
        """Start again what died, as long as that may help; return one sentence for each."""
        sentences = tuple(self._again(runner) for runner in self.restartable)
        if sentences:
            self._note()
        return sentences

    def _note(self) -> None:
        note_holders(self._launcher.lock, [os.getpid(), *self.pids])

    @property
    def restartable(self) -> tuple[Runner, ...]:
        """The runners that ended where another start may help."""
        return tuple(
            runner
            for runner in self._runners
            if not runner.alive
            and runner.process.returncode not in HOPELESS
            and runner.restarts < self._restarts
        )

    def _again(self, runner: Runner) -> str:
        how = ending(runner.process.returncode)
        runner.restarts += 1
        runner.process = self._launcher.start(runner.index)
        return f"runner {runner.index} {how}; started again ({runner.restarts} of {self._restarts})"

    def terminate(self) -> None:
        """Ask every runner to give its trial back and end."""
        for runner in self._runners:
            if runner.alive:
                runner.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float, *, hurry: Callable[[], bool]) -> bool:
        """Wait until all have ended, at most `seconds` or until `hurry` says so; say whether they have."""
        deadline = time.monotonic() + seconds
        while self.alive and time.monotonic() < deadline and not hurry():
            time.sleep(0.05)
        return not self.alive

    def kill(self) -> None:
        """End at once what still runs; an engine notices that its runner is gone and ends too."""
        for runner in self._runners:
            if runner.alive:
                runner.process.kill()
            runner.process.wait()

    def log_tail(self, lines: int = 12) -> str:
        """Return the last lines that a runner wrote which ended with an error."""
        failed = [r for r in self._runners if not r.alive and r.process.returncode]
        return tail(self._launcher.folder.runner_log(failed[0].index), lines) if failed else ""


def ending(code: int) -> str:
    """Return in words how a process with the exit code `code` ended."""
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def tail(path: Path, lines: int) -> str:
    """Return the last `lines` lines of the file `path`."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 16_384))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
