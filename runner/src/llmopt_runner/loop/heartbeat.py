"""Says that this runner lives, and looks after trials whose runner does not: one thread beside the trials."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from llmopt_core.storage.errors import StudyNotFound
from llmopt_core.storage.reaper import Reaper
from llmopt_core.storage.records import INTERRUPTED, RunnerRecord
from llmopt_core.storage.studies import Study
from llmopt_runner.repeated_errors import RepeatedErrors
from llmopt_runner.stopping import Interrupted
from llmopt_runner.trial.progress import Progress

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 2.0
# A runner that said nothing for so long is dead: its trial is run again.
LEASE_SECONDS = 30.0
_JOIN_SECONDS = 10.0


class Heartbeat:
    """A context in which the runner sends heartbeats; at its end it says why it ended."""

    def __init__(self, study: Study, name: str, index: int, progress: Progress, machine: str = "") -> None:
        self._study = study
        self._progress = progress
        self._record = RunnerRecord(name, index, beat=0, active_seconds=0.0, machine=machine)
        self._reaper = Reaper(study, LEASE_SECONDS)
        self._began = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._errors = RepeatedErrors(log)
        self.ending = "ended without a word"

    def __enter__(self) -> Self:
        self._study.replace_runners(self._record.index)
        self._send()
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(_JOIN_SECONDS)
        if self._thread.is_alive():
            log.warning("the heartbeat waits for the storage: how the runner ended is not stored")
            return
        self._survives(
            "the last heartbeat", lambda: self._say(ended=self.ending if error is None else _how(error))
        )

    def _run(self) -> None:
        while not self._stop.wait(HEARTBEAT_SECONDS):
            if not self._send():
                return

    def _send(self) -> bool:
        """Say that the runner lives, and look after others; False: the study is gone."""
        return self._survives("a heartbeat", lambda: self._say(ended=None)) and self._survives(
            "the heartbeat's look at other runners", self._sweep
        )

    def _survives(self, what: str, step: Callable[[], None]) -> bool:
        """Carry out `step`, called `what`; say whether the study is still there.

        Whatever else goes wrong, the next heartbeat is tried: a runner that lives but is silent counts as
        dead, and its trial is run by another at the same time. An error is logged once until it changes.
        """
        try:
            step()
        except StudyNotFound as error:
            log.warning("the heartbeat ends: %s", error)
            return False
        except Exception as error:  # noqa: BLE001 - as said above: no error of a heartbeat may end them
            self._errors.note(what, error)
        else:
            self._errors.passed(what)
        return True

    def _say(self, *, ended: str | None) -> None:
        memory = self._progress.memory.guard
        self._record = replace(
            self._record,
            beat=self._record.beat + 1,
            active_seconds=time.monotonic() - self._began,
            gpus=self._progress.memory.counted_gpus,
            trial=None if ended else self._progress.trial,
            stage=self._progress.stage,
            memory_mib=None if memory is None else memory.current_mib,
            memory_total_mib=None if memory is None else memory.total_mib,
            memory_level=None if memory is None else memory.level.name.lower(),
            ended=ended,
        )
        self._study.heartbeat(self._record)

    def _sweep(self) -> None:
        for number in self._reaper.sweep():
            log.warning("trial %d was left by a dead runner: it will be run again", number)


def _how(error: BaseException) -> str:
    return INTERRUPTED if isinstance(error, Interrupted) else f"{type(error).__name__}: {error}"
