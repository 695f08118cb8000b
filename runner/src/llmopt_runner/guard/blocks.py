"""The guard for any block of code: a script that loads a model itself, a notebook, a test."""

import os
import signal
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import psutil

from llmopt_core.engines.memory_parameters import MemoryWords
from llmopt_core.errors.classes import ErrorClass, LlmoptError
from llmopt_runner.guard.guard import GuardReading, MemoryGuard
from llmopt_runner.guard.incidents import listed_holders
from llmopt_runner.guard.levels import Level, Thresholds
from llmopt_runner.host.devices import visible_devices
from llmopt_runner.host.occupancy import MemoryDevice

_MIB_PER_GIB = 1024


class NotEnoughMemory(LlmoptError):
    """What a block asks for is not free: it was not begun."""

    error_class = ErrorClass.MEMORY_BUSY
    suggestion = "End what holds the memory, or ask for less."
    retryable = True


class MemoryRanOut(LlmoptError):
    """A block was ended because a device ran full."""

    error_class = ErrorClass.HOST_OUT_OF_MEMORY
    suggestion = "Let the block take less at once, or give it more memory."


class memory_guard:  # noqa: N801 - used as the statement `with memory_guard(…)`, as open() is
    """Run a block only where its memory is free, and end it before the kernel does.

    ::

        with memory_guard("embeddings", required_gib=4) as guard:
            ...
            guard.check()
        print(guard.reading.engine_mib("host"))

    It watches this process and its children. At CRITICAL `check` raises MemoryRanOut. At EMERGENCY the
    children that the block started are killed and, where it runs in the main thread, it is interrupted as by
    Ctrl-C; its end raises MemoryRanOut.

    Raises NotEnoughMemory, and does not begin, where less is free than is required or a device is at
    EMERGENCY already; the message says what is free and who holds the rest.
    """

    def __init__(
        self,
        name: str,
        required_gib: float,
        *,
        devices: Sequence[MemoryDevice] | None = None,
        thresholds: Thresholds | None = None,
    ) -> None:
        """Ask for `required_gib` of each kind of memory in `devices` (main memory and GPUs unless given)."""
        self.name = name
        self._required_mib = required_gib * _MIB_PER_GIB
        self._devices = visible_devices() if devices is None else devices
        self._thread: int | None = None
        self._children_before: frozenset[int] = frozenset()
        self._thresholds = thresholds or Thresholds()
        self._guard = MemoryGuard(self._devices, self._thresholds, _own_processes, self._emergency)
        self._interrupted = False

    def __enter__(self) -> Self:
        self._require_memory()
        self._children_before = frozenset(_own_processes())
        self._thread = threading.get_ident()
        try:
            self._guard.begin()
        except KeyboardInterrupt:  # `__exit__` is not called for what its own beginning raises
            self._guard.end()
            if not self._interrupted:
                raise
            raise self._ran_out() from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._guard.sample()
            self._guard.end()
        except KeyboardInterrupt:  # ours came when the block had just ended
            self._guard.end()
            if not self._interrupted:
                raise
        incident = self._guard.incident
        if incident is not None and incident.level is Level.EMERGENCY:
            raise self._ran_out() from (None if isinstance(error, KeyboardInterrupt) else error)

    @property
    def reading(self) -> GuardReading:
        """What was seen since the block began."""
        return self._guard.reading()

    def check(self) -> None:
        """Raise MemoryRanOut once a device was CRITICAL: a place where the block can end gracefully."""
        if self._guard.exceeded:
            raise self._ran_out()

    def _ran_out(self) -> MemoryRanOut:
        incident = self._guard.incident
        reason = (
            incident.failure(MemoryWords(), alone_mib=float("inf")).message if incident else "memory ran out"
        )
        return MemoryRanOut(f"{self.name}: {reason}")

    def _require_memory(self) -> None:
        for device in self._devices:
            seen = device.occupancy()
            at_once = self._thresholds.level(seen, device.kind) is Level.EMERGENCY
            if at_once or seen.free_mib < self._required_mib:
                holders = listed_holders(tuple(device.holders()))
                level = f", which is {Level.EMERGENCY.name} already" if at_once else ""
                raise NotEnoughMemory(
                    f"{self.name} requires {self._required_mib:.0f} MiB of {device.name}{level}, and"
                    f" {seen.free_mib:.0f} of {device.total_mib():.0f} MiB are free; the largest holders:"
                    f" {holders or 'none that can be seen'}"
                )

    def _emergency(self) -> None:
        for pid in self._processes_now():
            if pid not in self._children_before and pid != os.getpid():
                _kill(pid)
        main = threading.main_thread().ident
        if main is None or self._interrupted or self._thread != main:
            return
        if callable(signal.getsignal(signal.SIGINT)):  # else nobody would turn it into an exception
            self._interrupted = True
            signal.pthread_kill(main, signal.SIGINT)  # which also ends a call that waits

    def _processes_now(self) -> tuple[int, ...]:
        try:
            return _own_processes()
        except (OSError, psutil.Error):  # a child that was seen before is killed all the same
            return self._guard.processes


def _own_processes() -> tuple[int, ...]:
    own = psutil.Process()
    return (own.pid, *(child.pid for child in own.children(recursive=True)))


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # it is gone, or another user's by now
        os.kill(pid, signal.SIGKILL)
