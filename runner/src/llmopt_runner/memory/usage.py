"""How much memory an engine's processes hold while it is measured."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_MIB = 1024 * 1024
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PIDS_EVERY_SECONDS = 1.0
# Between two samples lies at least this many times what the last one took: under one percent of a core.
_REST_RATIO = 100
_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),  # v2
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),  # v1
)


class ProcessTreeMemory:
    """Samples the memory of the processes that `pids` returns, in a thread, while the block runs.

    One process: its resident set. Several: their proportional sets, which count shared pages once, where
    they can be read. Pages of a memory-mapped model count: they are what a machine must have.
    """

    def __init__(
        self,
        pids: Callable[[], tuple[int, ...]],
        *,
        interval_seconds: float = 0.15,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep what is sampled; sampling begins with the block."""
        self._pids = pids
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._known: tuple[int, ...] = ()
        self._known_at: float | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.current_mib = 0.0
        self.peak_mib = 0.0
        self.total_mib = total_mib()

    def __enter__(self) -> Self:
        self.sample()
        self._thread = threading.Thread(target=self._run, name="memory-usage", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self.sample()

    def sample(self) -> float:
        """Take one sample now and return it in MiB."""
        now = self._clock()
        if self._known_at is None or now - self._known_at >= _PIDS_EVERY_SECONDS:
            self._known, self._known_at = self._pids(), now
        self.current_mib = tree_mib(self._known)
        self.peak_mib = max(self.peak_mib, self.current_mib)
        return self.current_mib

    def _run(self) -> None:
        pause = self._interval_seconds
        while not self._ended.wait(pause):
            began_at = time.thread_time()
            self.sample()
            pause = max(self._interval_seconds, _REST_RATIO * (time.thread_time() - began_at))


def tree_mib(pids: tuple[int, ...]) -> float:
    """Return the memory of `pids` together, in MiB; a process that is gone counts nothing."""
    if len(pids) == 1:
        return _resident_bytes(pids[0]) / _MIB
    return sum(_proportional_bytes(pid) or _resident_bytes(pid) for pid in pids) / _MIB


def total_mib() -> float:
    """Return the memory there is, in MiB: the host's, or the container's where that is limited."""
    limits = [psutil.virtual_memory().total, *filter(None, map(_number, _CGROUP_LIMITS))]
    return min(limits) / _MIB


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):  # it is gone, or going
        return 0


def _proportional_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines()
    except OSError:
        return 0
    kib = next((line.split()[1] for line in lines if line.startswith(b"Pss:")), b"0")
    return int(kib) * 1024


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
