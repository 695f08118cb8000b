"""What was measured, on disk as it comes: a recording that was killed goes on where it ended."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

OK = "ok"


class JournalOfAnother(ValueError):
    """The journal is that of another recipe, or of one that was changed since."""


@dataclass(frozen=True)
class Measurement:
    """One configuration, measured once.

    `state` is `ok`, or how it failed, and `cause` why. `seconds` are those of the measurement with its
    warm-up, `start_seconds` those of stopping the engine before and starting this one, where that was needed.
    `served`: the engine started. `at` is when it ended, in Unix seconds.
    """

    repeat: int
    engine: int
    request: int
    state: str
    seconds: float
    start_seconds: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    cause: str = ""
    disturbed: bool = False
    served: bool = True
    at: float = 0.0

    @property
    def place(self) -> tuple[int, int, int]:
        """Which of the planned measurements this is."""
        return self.repeat, self.engine, self.request


class Journal:
    """The measurements of one recipe in `file`, one line of JSON each; `recipe` says which it is."""

    def __init__(self, file: Path, recipe: Mapping[str, Any]) -> None:
        self._file = file
        self._recipe = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = self._whole_lines()
        if not lines:
            file.write_text("")
            self._append({"recipe": self._recipe})
        elif lines[0] != {"recipe": self._recipe}:
            raise JournalOfAnother(f"{file}: it is of another recipe; move it away, or name another journal")

    def measurements(self) -> list[Measurement]:
        """Return all measurements in the order in which they were made."""
        return [Measurement(**line) for line in self._whole_lines()[1:]]

    def add(self, measurement: Measurement) -> None:
        """Write one more; it is on the disk when this returns."""
        self._append(asdict(measurement))

    def _append(self, line: Mapping[str, Any]) -> None:
        with self._file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")
            lines.flush()
            os.fsync(lines.fileno())

    def _whole_lines(self) -> Sequence[Mapping[str, Any]]:
        """Return the lines, and remove one that a kill cut off."""
        if not self._file.exists():
            return []
        text = self._file.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            self._file.write_text(whole, encoding="utf-8")
        return list(_parsed(whole))


def _parsed(text: str) -> Iterator[Mapping[str, Any]]:
    for line in text.splitlines():
        yield json.loads(line)


def latest(measurements: Sequence[Measurement]) -> list[Measurement]:
    """Return the last measurement of each place: what was disturbed may have been made again."""
    return list({each.place: each for each in measurements}.values())
