"""One session on this machine: runners are started, watched and ended; the study stays."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from llmopt.local.fleets import Fleet, ending
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.resources.status import Status
from llmopt_core.results.reading import look
from llmopt_core.storage.reaper import Reaper
from llmopt_core.storage.studies import Study


@dataclass(frozen=True)
class Stop:
    """Set from another thread or a signal handler: end gracefully, or at once."""

    requested: threading.Event = field(default_factory=threading.Event)
    at_once: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Pace:
    """How often and how long, in seconds.

    `poll`: between two looks at the study. `grace`: what a runner gets to give its trial back; its engine
    may take a while to stop. `lease`: without a heartbeat for so long, a runner counts as dead.
    """

    poll: float = 1.0
    grace: float = 30.0
    lease: float = 60.0


@dataclass(frozen=True)
class Audience:
    """Who gets the reports: each look at the study, and each event worth a line."""

    progress: Callable[[Status], None]
    event: Callable[[str], None]


@dataclass(frozen=True)
class SessionEnd:
    """How the runners ended: stopped by us, or by themselves; `trouble` says why too early.

    `refused`: by themselves, and another start would end the same way.
    """

    stopped: bool
    trouble: str = ""
    refused: bool = False


class Session:
    """The runners of one study while this process stays with them."""

    def __init__(
        self,
        study: Study,
        spec: OptimizationSpec | BenchmarkSpec,
        fleet: Fleet,
        pace: Pace = Pace(),
    ) -> None:
        self._study = study
        self._spec = spec
        self._fleet = fleet
        self._pace = pace
        self._reaper = Reaper(study, pace.lease)
        self._began = time.monotonic()

    def run(self, stop: Stop, audience: Audience) -> SessionEnd:
        """Start the runners and stay until all have ended or `stop` was asked for; blocks."""
        try:
            if not stop.requested.is_set():
                self._fleet.start()
            while self._working() and not stop.requested.wait(self._pace.poll):
                self._turn(audience)
        finally:
            stopped = self._fleet.alive > 0
            self._end(stop, audience)
        audience.progress(self._look())
        trouble = "" if stopped else self._trouble()
        return SessionEnd(stopped, trouble, refused=bool(trouble) and not self._fleet.restartable)

    def _working(self) -> bool:
        return bool(self._fleet.alive or (self._fleet.restartable and self._study.ended is None))

    def _turn(self, audience: Audience) -> None:
        for number in self._reaper.sweep():
            audience.event(f"trial {number} was left by a dead runner; it will be measured again")
        if self._study.ended is None:
            for sentence in self._fleet.tend():
                audience.event(sentence)
        audience.progress(self._look())

    def _look(self) -> Status:
        elapsed = time.monotonic() - self._began
        return look(self._study, self._spec, elapsed_seconds=elapsed, runners=self._fleet.alive)

    def _end(self, stop: Stop, audience: Audience) -> None:
        if self._fleet.alive:
            audience.event("stopping: the runners give their trials back (once more to stop at once)")
            self._fleet.terminate()
            if not self._fleet.wait(self._pace.grace, hurry=stop.at_once.is_set):
                audience.event("the runners that did not end were killed")
        self._fleet.kill()

    def _trouble(self) -> str:
        codes = [code for code in self._fleet.exit_codes if code]
        if self._study.ended is not None or not codes:
            return ""
        return f"a runner {ending(codes[0])}:\n{self._fleet.log_tail()}"
