"""The results folder of one study on this machine: what lies where, and who works in it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from llmopt.path_checks import exists, unreadable
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources.faults import nearest_name


class FolderBusy(LlmoptError):
    """Another llmopt, or a runner that outlived one, works in the folder."""

    retryable = True


class NoResults(LlmoptError):
    """There is no study where it was looked for."""


@dataclass(frozen=True)
class ResultsFolder:
    """RESULTS/NAME: the study, a copy of its manifest, logs, the report and the best parameters."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's own name, which is the manifest's."""
        return self.path.name

    @property
    def database(self) -> Path:
        """The SQLite file of the study."""
        return self.path / "study.db"

    @property
    def manifest(self) -> Path:
        """The copy of the manifest that the study was made from."""
        return self.path / "manifest.yaml"

    @property
    def report(self) -> Path:
        """The report as one HTML file."""
        return self.path / "report.html"

    @property
    def best(self) -> Path:
        """The best parameters as JSON."""
        return self.path / "best.json"

    @property
    def engine_logs(self) -> Path:
        """Where the engines write, one log for each start."""
        return self.path / "logs" / "engines"

    @property
    def busy(self) -> bool:
        """Whether somebody works in the folder now."""
        try:
            descriptor = os.open(self._lock_path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    @property
    def _lock_path(self) -> Path:
        return self.path / "lock"

    def runner_log(self, index: int) -> Path:
        """Return where runner `index` writes."""
        return self.path / "logs" / f"runner-{index}.log"

    def size_bytes(self) -> int:
        """Return what the folder's files take together."""
        return sum(file.lstat().st_size for file in self.path.rglob("*") if file.is_file())

    def storage_url(self) -> str:
        """Return the URL of the folder's own study."""
        return f"sqlite:///{self.database.resolve()}"

    def prepare(self) -> None:
        """Make the folder and its logs."""
        (self.path / "logs").mkdir(parents=True, exist_ok=True)

    def set_aside(self) -> Path | None:
        """Rename the folder so that the name is free again, and return where it is now (None: no folder)."""
        if not self.path.exists():
            return None
        stamp = datetime.now(tz=UTC).strftime("%Y%m%d-%H%M%S-%f")
        return self.path.rename(self.path.with_name(f"{self.name}.until-{stamp}"))

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Hold the folder's lock and yield its file descriptor; raises FolderBusy.

        Runners inherit the descriptor: the lock lives as long as any of them, also when this process is
        killed, so that two generations never measure side by side.
        """
        self.prepare()
        descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._lock(descriptor)
            yield descriptor
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holders = os.pread(descriptor, 4096, 0).decode().strip() or "unknown"
            raise FolderBusy(
                f"{self.path} is in use by another llmopt or its runners (process ids: {holders}); "
                f"wait for it, stop it with `kill -TERM {holders}`, or choose another name"
            ) from error


def note_holders(descriptor: int, pids: list[int]) -> None:
    """Write who holds the lock into it, for the message that the next one gets."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, " ".join(map(str, pids)).encode(), 0)


def found_folder(name: str, results: Path) -> ResultsFolder | None:
    """Return the results folder `name`, or the one called so in `results`; None: there is none."""
    paths = (path for path in (Path(name), results / name) if exists(path / "manifest.yaml"))
    return next(map(ResultsFolder, paths), None)


def required_folder(name: str, results: Path) -> ResultsFolder:
    """Return what `found_folder` does; raises NoResults, which names those that there are."""
    if (folder := found_folder(name, results)) is not None:
        return folder
    if expected := unreadable(Path(name)):
        raise NoResults(f"{name}: expected {expected}")
    known = sorted(path.parent.name for path in results.glob("*/manifest.yaml"))
    hint = nearest_name(name, known) or f"in {results} there are: {', '.join(known) or 'none'}"
    raise NoResults(f"no results in {name} or {results / name}; {hint}")
