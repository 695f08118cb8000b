"""Says that this runner lives, and looks after trials whose runner does not: one thread beside the trials."""

import logging
import threading
import time
from dataclasses import replace
from types import TracebackType
from typing import Self

from llmopt_core.study.adapter import Janitor, Study
from llmopt_core.study.errors import StorageUnavailable, StudyDropped
from llmopt_core.study.records import INTERRUPTED, RunnerRecord
from llmopt_runner.stopping import Interrupted
from llmopt_runner.trial import Progress

log = logging.getLogger(__name__)

BEAT_SECONDS = 2.0
# A runner that said nothing for so long is dead: its trial is run again.
LEASE_SECONDS = 30.0


class Heartbeat:
    """A context in which the runner beats; at its end it says why it ended."""

    def __init__(self, study: Study, name: str, index: int, progress: Progress) -> None:
        self._study = study
        self._progress = progress
        self._record = RunnerRecord(name, index, beat=0, active_seconds=0.0)
        self._janitor = Janitor(study, LEASE_SECONDS)
        self._began = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self.ending = "ended without a word"

    def __enter__(self) -> Self:
        self._study.replace_runners(self._record.index)
        self._say(ended=None)
        self._sweep()
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._say(ended=self.ending if error is None else _how(error))

    def _run(self) -> None:
        while not self._stop.wait(BEAT_SECONDS):
            self._say(ended=None)
            self._sweep()

    def _say(self, *, ended: str | None) -> None:
        memory = self._progress.memory.guard
        self._record = replace(
            self._record,
            beat=self._record.beat + 1,
            active_seconds=time.monotonic() - self._began,
            gpus=self._progress.memory.gpus,
            trial=None if ended else self._progress.trial,
            stage=self._progress.stage,
            memory_mib=None if memory is None else memory.current_mib,
            memory_total_mib=None if memory is None else memory.total_mib,
            memory_level=None if memory is None else memory.level.name.lower(),
            ended=ended,
        )
        try:
            self._study.beat(self._record)
        except (StorageUnavailable, StudyDropped) as error:
            log.warning("the heartbeat did not reach the storage: %s", error)

    def _sweep(self) -> None:
        try:
            for number in self._janitor.sweep():
                log.warning("trial %d was left by a dead runner: it will be run again", number)
        except StorageUnavailable as error:
            log.warning("trials of dead runners could not be looked for: %s", error)


def _how(error: BaseException) -> str:
    return INTERRUPTED if isinstance(error, Interrupted) else f"{type(error).__name__}: {error}"
