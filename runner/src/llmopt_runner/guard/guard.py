"""Watches the memory of a loaded engine, from before its launch to its end, and acts before the kernel does.

One thread for all: the devices' levels often, the engine's own share less often, for it costs more. Both rest
so much longer than they work that together they take less than a hundredth of a core.

Whatever cannot be looked at for a while, such as processes where no more files may be opened, stays as it was
seen last: only this thread stands between an engine that fills the memory and the kernel, which may kill the
runner.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Any, Literal, Self

from llmopt_core.engines.memory_parameters import MemoryWords
from llmopt_core.errors.classes import Failure
from llmopt_core.occupancy import Occupancy
from llmopt_runner.guard.attribution import NOBODYS_MIB
from llmopt_runner.guard.incidents import (
    DevicePeak,
    Incident,
    blames_others,
    busy_failure,
    kernel_failure,
)
from llmopt_runner.guard.levels import NOTHING_RESERVED, GpuReserve, Level, Thresholds
from llmopt_runner.guard.watched import WatchedDevice, Window, is_used, weigh_gpus
from llmopt_runner.host.gpu_conditions import GpuCondition
from llmopt_runner.host.occupancy import MemoryDevice
from llmopt_runner.host.usage import started_at
from llmopt_runner.repeated_errors import RepeatedErrors

log = logging.getLogger(__name__)

_PIDS_EVERY_SECONDS = 1.0
# Of a core, twice: for the levels and for the engine's share. One hundredth together.
_SHARE = 0.005
# What was not used may be saved for a crisis: some seconds of looking as often as it can.
_SAVED_SECONDS = 0.05
_SHORTEST_PAUSE_SECONDS = 0.01
# How fast memory can fill up at worst: what is left says how long may be waited.
_FASTEST_MIB_PER_SECOND = 8192.0
# What is looked at, as the log calls it where that failed.
_PROCESSES, _SHARE_OF_ENGINE = "a look at the engine's processes", "a look at what the engine holds"


@dataclass(frozen=True)
class GuardReading:
    """What a guard saw over a time. `actions`: `stop` (no new requests), `kill` (the engine is gone)."""

    level: Level
    peaks: tuple[DevicePeak, ...]
    actions: tuple[str, ...]
    oom_kills: int = 0
    energy_joules: float | None = None
    gpu_conditions: tuple[GpuCondition, ...] = ()

    def engine_mib(self, kind: Literal["host", "gpu"]) -> float:
        """Return the engine's highest share of all devices of a kind, 0 where it had none."""
        return sum(peak.engine_mib for peak in self.peaks if peak.kind == kind)

    def gpus(self) -> tuple[int, int]:
        """Return how many GPUs the engine used, and how many there are.

        Used is where it held a tenth or more of what it held where it held most.
        """
        held = [peak.engine_mib for peak in self.peaks if peak.kind == "gpu"]
        most = max(held, default=0.0)
        return sum(is_used(mib, most) for mib in held), len(held)

    def metrics(self) -> dict[str, float]:
        """Return the peaks by their names in the catalogue; a kind of memory without the engine has none."""
        peaks = {"peak_memory_mib": self.engine_mib("host"), "peak_gpu_memory_mib": self.engine_mib("gpu")}
        return {name: mib for name, mib in peaks.items() if mib > 0}

    def facts(self) -> dict[str, Any]:
        """Return it as an outcome's facts have it."""
        return {
            "level": self.level.name,
            "actions": list(self.actions),
            "devices": {
                peak.device: {
                    "kind": peak.kind,
                    "total_mib": round(peak.total_mib, 1),
                    "peak_used_mib": round(peak.used_mib, 1),
                    "peak_engine_mib": round(peak.engine_mib, 1),
                }
                for peak in self.peaks
            },
        }


class _Allowance:
    """The processor time that looking may take: a share of the time that passes, saved up to a limit."""

    def __init__(self, now: float) -> None:
        self._saved_seconds = _SAVED_SECONDS
        self._at = now

    def rest(self, cost_seconds: float, now: float) -> float:
        """Return how long to rest after having spent `cost_seconds`."""
        earned = (now - self._at) * _SHARE
        self._saved_seconds = min(_SAVED_SECONDS, self._saved_seconds + earned) - cost_seconds
        self._at = now
        return max(0.0, -self._saved_seconds / _SHARE)


class MemoryGuard:
    """Samples `devices` in a thread while the block runs, and acts by `thresholds`.

    `pids` returns the engine's processes, `kill` has all of them killed without waiting, and `stop` ends
    what the engine is asked; both are called by the sampling thread again and again while the level lasts,
    and must bear it. `reserve` is what the engine takes of each GPU on purpose. On a GPU of which the engine
    holds nothing it only warns.
    """

    def __init__(
        self,
        devices: Sequence[MemoryDevice],
        thresholds: Thresholds,
        pids: Callable[[], tuple[int, ...]],
        kill: Callable[[], None],
        *,
        stop: Callable[[], None] = lambda: None,
        reserve: GpuReserve = NOTHING_RESERVED,
        interval_seconds: float = 0.15,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look at the devices as they are before the launch; sampling begins with the block."""
        self.thresholds = thresholds
        self.stop = stop
        self.incident: Incident | None = None
        self.actions: tuple[str, ...] = ()
        self.pids_seen: dict[int, float] = {}
        self._kill = kill
        self._pids = pids
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._watched = [WatchedDevice(device, reserve) for device in devices]
        self._life = Window(self._watched)
        self._windows = [self._life]
        self._known: tuple[int, ...] = ()
        self._known_at = self._weigh_at = float("-inf")
        self._warned = False
        self._errors = RepeatedErrors(log)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.begin()
        return self

    def begin(self) -> None:
        """Begin to sample, for one whose time is no block."""
        self.sample()
        if self._watched:
            self._thread = threading.Thread(target=self._run, name="memory-guard", daemon=True)
            self._thread.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """Sample no more; may be repeated."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def level(self) -> Level:
        """The highest level of any device, now."""
        return max((each.level for each in self._watched), default=Level.SAFE)

    @property
    def processes(self) -> tuple[int, ...]:
        """The engine's processes, as they were seen last."""
        return self._known

    @property
    def exceeded(self) -> bool:
        """Say whether CRITICAL was ever reached: the engine is of no further use."""
        return self.incident is not None

    @property
    def current_mib(self) -> float:
        """What the engine holds of main memory, now."""
        return sum(each.engine_mib for each in self._watched if each.device.kind == "host")

    @property
    def total_mib(self) -> float | None:
        """How much main memory there is; None where it is not watched."""
        return next((each.seen.total_mib for each in self._watched if each.device.kind == "host"), None)

    def shares_mib(self) -> Mapping[str, float]:
        """Return what the engine holds now, by device."""
        return {each.device.name: each.engine_mib for each in self._watched}

    def failure(self, words: MemoryWords) -> Failure | None:
        """Return why the engine could not go on, None when memory was not the reason.

        Either a level was reached, or the kernel was quicker. `words` say what of its configuration takes
        memory.
        """
        with self._lock:  # an incident that just comes is reported whole
            incident = self.incident
        if incident is not None:
            device = next(each for each in self._watched if each.device.name == incident.device)
            alone_mib = device.capacity_mib(self.thresholds, Level.CRITICAL)
            return incident.failure(words, alone_mib=alone_mib)
        reading = self.reading()
        return kernel_failure(reading.oom_kills, reading.peaks, words) if reading.oom_kills else None

    def crowded(self, message: str) -> Failure | None:
        """Return that a GPU was busy, for an engine that found too little of it, as `message`.

        None where it was not others that held most of it.
        """
        gpus = [
            (each, peak)
            for each, peak in zip(self._watched, self._life.peaks(), strict=True)
            if peak.kind == "gpu"
        ]
        most_mib = max((peak.engine_mib for _, peak in gpus), default=0.0)
        for each, peak in gpus:
            alone_mib = each.capacity_mib(self.thresholds, Level.CRITICAL)
            used = is_used(peak.engine_mib, most_mib) or not most_mib
            busy = peak.others_mib > NOBODYS_MIB
            if used and busy and blames_others(peak.engine_mib, peak.others_mib, alone_mib):
                held = f"{peak.others_mib:.0f} of {peak.total_mib:.0f} MiB of {peak.device} were others'"
                return busy_failure(f"{message}; {held}", each.others(self.pids_seen))
        return None

    def now(self) -> Mapping[str, tuple[Occupancy, Level]]:
        """Return what was last seen, by device."""
        return {each.device.name: (each.seen, each.level) for each in self._watched}

    def reading(self) -> GuardReading:
        """Return what was seen since the guard was made."""
        return self._reading(self._life)

    @contextmanager
    def window(self) -> Iterator[Callable[[], GuardReading]]:
        """Watch the time of the block by itself; what it gives returns the reading."""
        window = Window(self._watched)
        with self._lock:
            self._windows.append(window)
            self._known_at = float("-inf")
        self.sample()
        try:
            yield lambda: self._reading(window)
        finally:
            self.sample()
            window.end()
            with self._lock:
                self._windows.remove(window)

    def sample(self) -> Level:
        """Look at the devices and at the engine's share now, act, and return the level."""
        with self._lock:
            self._weigh()
            self._look()
        return self.level

    def _reading(self, window: Window) -> GuardReading:
        peaks = window.peaks()
        return GuardReading(
            window.level,
            peaks,
            self.actions,
            window.oom_kills(),
            window.energy_joules,
            window.gpu_conditions,
        )

    def _run(self) -> None:
        allowance, pause = _Allowance(self._clock()), 0.0
        while not self._ended.wait(pause):
            began_at = time.thread_time()
            with self._lock:
                self._survives("a sample of the memory guard", self._look)
                cost_seconds = time.thread_time() - began_at
                if self._clock() >= self._weigh_at:
                    self._weigh()
            pause = max(self._pause(), allowance.rest(cost_seconds, self._clock()))

    def _pause(self) -> float:
        """Return how long may be waited: the less is left, the shorter."""
        left = (
            each.capacity_mib(self.thresholds, Level.EMERGENCY) - each.seen.used_mib
            for each in self._watched
            if each.concerned
        )
        left_mib = min(left, default=float("inf"))
        return min(max(left_mib / _FASTEST_MIB_PER_SECOND, _SHORTEST_PAUSE_SECONDS), self._interval_seconds)

    def _survives(self, what: str, step: Callable[[], None]) -> None:
        """Carry out `step`, called `what`; an error of it is logged once until it changes."""
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the guard goes on, as said at the top
            self._errors.note(what, error)
        else:
            self._errors.passed(what)

    def _look(self) -> None:
        for each in self._watched:
            self._survives(f"a look at {each.device.name}", partial(each.look, self.thresholds))
        for window in self._windows:
            window.note()
        worst = max(self._watched, key=lambda each: each.level, default=None)
        if worst is not None and (worst.level > Level.SAFE or self.incident is not None):
            self._act(worst)

    def _weigh(self) -> None:
        began_at, now = time.thread_time(), self._clock()
        if not self._known or now - self._known_at >= _PIDS_EVERY_SECONDS:
            self._survives(_PROCESSES, self._find_processes)
            self._known_at = now
        self._survives(_SHARE_OF_ENGINE, self._weigh_devices)
        for window in self._windows:
            window.note()
        rest_seconds = (time.thread_time() - began_at) / _SHARE
        self._weigh_at = now + max(self._interval_seconds, rest_seconds)

    def _weigh_devices(self, *, quick: bool = False) -> None:
        """Note what the engine holds; `quick`: it may just be dying, and what it held before still counts."""
        for each in self._watched:
            if each.device.kind == "host":
                each.weigh(self._known, quick=quick)
        weigh_gpus(self._watched, self._known, dying=quick)

    def _find_processes(self) -> None:
        self._known = self._pids()
        for pid in self._known:
            if pid not in self.pids_seen and (began_at := started_at(pid)) is not None:
                self.pids_seen[pid] = began_at

    def _act(self, worst: WatchedDevice) -> None:
        if not self._warned:
            unused = "" if worst.concerned else ", none of it by the engine"
            log.warning("memory: %s: %s%s", worst.level.name, worst, unused)
            self._warned = True
        known = Level.SAFE if self.incident is None else self.incident.level
        if worse := worst.level >= Level.CRITICAL and worst.level > known:
            # Before the kill: afterwards nobody can say what the engine held.
            self._survives(_PROCESSES, self._find_processes)
            self._survives(_SHARE_OF_ENGINE, lambda: self._weigh_devices(quick=True))
            self.incident = worst.incident()
        level = max(worst.level, known)
        if level is Level.EMERGENCY:
            self._do("kill", self._kill)
        elif level is Level.CRITICAL:
            self._do("stop", self.stop)
        if worse and self.incident is not None:
            log.error("memory: %s: %s: %s", worst.level.name, worst, self.actions[-1])
            self._survives("a look at others' memory", lambda: self._note_others(worst))

    def _note_others(self, worst: WatchedDevice) -> None:
        if self.incident is not None:
            self.incident = replace(self.incident, others=worst.others(self._known))

    def _do(self, name: str, action: Callable[[], None]) -> None:
        if name not in self.actions:
            self.actions = (*self.actions, name)
        action()
