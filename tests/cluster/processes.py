"""One process of the test cluster: it ends with the process that started it, even by SIGKILL."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from llmopt_runner.engines.base import ServerCommand
from llmopt_runner.engines.logs import bounded_text
from llmopt_runner.engines.supervised import SupervisedProcess

_GRACE_SECONDS = 5.0
_LOOK_SECONDS = 0.05
_LOG_TAIL_BYTES = 3000


class ClusterFailed(Exception):
    """A part of the test cluster did not do what it must; the message shows the end of its log."""


class Process:
    """A running part of the cluster. Started by the constructor; its log is `FOLDER/NAME.log`."""

    def __init__(self, name: str, command: Sequence[str | Path], folder: Path, **env: str) -> None:
        self.name = name
        self.log_path = folder / f"{name}.log"
        self._process = SupervisedProcess(
            ServerCommand(tuple(str(part) for part in command), env),
            log_path=self.log_path,
            workdir=folder,
            grace_seconds=_GRACE_SECONDS,
        )

    @property
    def pid(self) -> int | None:
        """The id of the process itself, not of its supervisor; None while it does not run."""
        return next(iter(self._process.pids()), None)

    def wait_until(self, ready: Callable[[], bool], what: str, limit_seconds: float) -> None:
        """Wait until `ready()`; raise ClusterFailed when it does not come in time or the process ends."""
        give_up_at = time.monotonic() + limit_seconds
        while not ready():
            if self._process.exit is not None:
                raise self.failure(f"ended before {what}: {self._process.exit}")
            if time.monotonic() > give_up_at:
                raise self.failure(f"took more than {limit_seconds:.0f} s until {what}")
            time.sleep(_LOOK_SECONDS)

    def failure(self, problem: str) -> ClusterFailed:
        """Return an error that says `problem` and shows the end of the log."""
        tail = bounded_text(self.log_path, head_bytes=0, tail_bytes=_LOG_TAIL_BYTES)
        return ClusterFailed(f"{self.name} {problem}; its log {self.log_path} ends with:\n{tail}")

    def stop(self) -> None:
        """End the process gracefully, and then everything it started."""
        self._process.end()

    def kill(self) -> None:
        """Kill the process and everything it started: what a test cluster leaves needs no order."""
        self._process.end(at_once=True)
