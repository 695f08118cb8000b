"""After a stop, memory must be what it was before the start; what is not is reported with its owner."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import psutil

from llmopt_runner.guard.attribution import NOBODYS_MIB
from llmopt_runner.host.occupancy import Holder, MemoryDevice
from llmopt_runner.host.usage import started_at

log = logging.getLogger(__name__)

# A GPU's memory is given back when the last thread of a killed process has ended, which takes its driver a
# moment for each GiB.
_PATIENCE_SECONDS: Mapping[Literal["host", "gpu"], float] = {"host": 3.0, "gpu": 30.0}
_POLL_SECONDS = 0.05
# What a machine's use moves by on its own.
_TOLERANCE_MIB = 64.0
_TOLERANCE_PERCENT = 0.5


@dataclass(frozen=True)
class _Held:
    """What was held of a device at one moment, by process; `mib` of all together.

    `shared`: somebody is on the GPU.
    """

    total_mib: float
    mib: float
    holders: Mapping[int, Holder]
    shared: bool


@dataclass(frozen=True)
class Leak:
    """Memory of a device that a stopped engine left taken. `owners`: its processes that still live."""

    device: str
    kind: Literal["host", "gpu"]
    mib: float
    owners: tuple[Holder, ...]

    def __str__(self) -> str:
        held = ", ".join(str(owner) for owner in self.owners) or "no process: shared memory, or the driver"
        return f"the stopped engine left {self.mib:.0f} MiB of {self.device} taken, held by {held}"


class LeakCheck:
    """Remembers the devices as they are now, before a start; `find` compares after the stop."""

    def __init__(
        self,
        devices: Sequence[MemoryDevice],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Look at the devices."""
        self._devices = devices
        self._clock, self._sleep = clock, sleep
        self._before = [_held(device) for device in devices]

    def find(self, engine: Mapping[int, float]) -> list[Leak]:
        """Return what did not come back within 3 s, on a GPU within 30 s; until then it waits.

        `engine` are the processes that were ever seen to be the engine's, with the times of their start. What
        other processes took meanwhile is theirs, and no leak; of a GPU that others use, too, only what living
        processes of the engine hold is reported.
        """
        began_at = self._clock()
        while True:
            leaks = self._leaks(engine)
            waited_seconds = self._clock() - began_at
            if all(waited_seconds >= _PATIENCE_SECONDS[leak.kind] for leak in leaks):
                return leaks
            self._sleep(_POLL_SECONDS)

    def _leaks(self, engine: Mapping[int, float]) -> list[Leak]:
        survivors = {pid for pid, began_at in engine.items() if started_at(pid) == began_at}
        found = (
            _leak(device, before, survivors)
            for device, before in zip(self._devices, self._before, strict=True)
            if before is not None
        )
        return [leak for leak in found if leak is not None]


def _held(device: MemoryDevice) -> _Held | None:
    try:
        mib, holders = device.own()
        shared = device.kind == "gpu" and (bool(device.listed()) or mib > NOBODYS_MIB)
        return _Held(device.total_mib(), mib, {holder.pid: holder for holder in holders}, shared)
    except OSError as error:  # DeviceUnreadable is one
        log.warning("leaks of a device's memory cannot be detected: %s", error)
        return None


def _leak(device: MemoryDevice, before: _Held, survivors: set[int]) -> Leak | None:
    after = _held(device)
    if after is None:
        return None
    owners = tuple(after.holders[pid] for pid in survivors if pid in after.holders)
    left_mib = sum(owner.mib for owner in owners)
    if not (before.shared or device.keeps_cache):
        left_mib = max(left_mib, after.mib - before.mib - _others_mib(device, before, after, survivors))
    if left_mib <= max(_TOLERANCE_MIB, after.total_mib * _TOLERANCE_PERCENT / 100):
        return None
    return Leak(device.name, device.kind, left_mib, owners)


def _others_mib(device: MemoryDevice, before: _Held, after: _Held, survivors: set[int]) -> float:
    """Return what others took meanwhile.

    On a GPU an id that is nobody's here may be one of the host's, and the engine's.
    """
    return sum(
        max(0.0, holder.mib - (before.holders[pid].mib if pid in before.holders else 0.0))
        for pid, holder in after.holders.items()
        if pid not in survivors and (device.kind == "host" or psutil.pid_exists(pid))
    )
