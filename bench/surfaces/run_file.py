"""Runs on disk, one line of JSON each, so that a benchmark can go on where it ended."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from surfaces.disturbances import DisturbanceKind
from surfaces.recorded import DESCRIPTION, TRIALS
from surfaces.running import Run, Task
from surfaces.simulation import Step


@dataclass(frozen=True)
class _Identity:
    """What distinguishes runs; a surface by its content."""

    surface: str
    rival: str
    factor: float | None
    seed: int
    budget: int
    disturbed: str = DisturbanceKind.NONE


class RunFile:
    """The runs in `file`; without a file, nothing is kept."""

    def __init__(self, file: Path | None, folders: Iterable[Path]) -> None:
        self._file = file
        self._content = {folder: _digest(folder) for folder in folders}
        self._known = dict(self._read())

    def split(self, todo: Iterable[Task]) -> tuple[list[Run], list[Task]]:
        """Return the runs that are known of `todo`, and the tasks that are left."""
        known, left = [], []
        for task in todo:
            if (found := self._known.get(self._identity(task))) is None:
                left.append(task)
            else:
                known.append(Run(task, *found))
        return known, left

    def add(self, run: Run) -> None:
        """Write one more run."""
        if self._file is None:
            return
        identity = self._identity(run.task)
        line = {**vars(identity), "processor_seconds": round(run.processor_seconds, 3)}
        line["steps"] = [astuple(step) for step in run.steps]
        with self._file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")

    def _identity(self, task: Task) -> _Identity:
        surface = self._content[task.folder]
        return _Identity(surface, task.rival, task.factor, task.seed, task.budget, task.disturbed)

    def _read(self) -> Iterator[tuple[_Identity, tuple[tuple[Step, ...], float]]]:
        if self._file is None or not self._file.exists():
            return
        with self._file.open(encoding="utf-8") as lines:
            for text in lines:
                line = json.loads(text)
                steps = tuple(Step(*fields) for fields in line.pop("steps"))
                seconds = line.pop("processor_seconds")
                yield _Identity(**line), (steps, seconds)


def _digest(folder: Path) -> str:
    """Return the name of the folder and a short text that changes with its content."""
    content = b"".join((folder / name).read_bytes() for name in (DESCRIPTION, TRIALS))
    return f"{folder.resolve().name}-{hashlib.sha256(content).hexdigest()[:12]}"
