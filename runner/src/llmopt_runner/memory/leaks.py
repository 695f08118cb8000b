"""After a stop, memory must be what it was before the start; what is not is reported with its owner."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from llmopt_runner.memory.occupancy import DeviceUnreadable, Holder, MemoryDevice
from llmopt_runner.memory.usage import started_at

log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 3.0
_POLL_SECONDS = 0.05
# What a machine's use moves by on its own.
_TOLERANCE_MIB = 64.0
_TOLERANCE_PERCENT = 0.5


@dataclass(frozen=True)
class _Held:
    """What was held of a device at one moment, by process; `mib` of all together."""

    mib: float
    holders: Mapping[int, Holder]


@dataclass(frozen=True)
class Leak:
    """Memory of a device that a stopped engine left taken. `owners`: its processes that still live."""

    device: str
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
        patience_seconds: float = _PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Look at the devices."""
        self._devices = devices
        self._patience_seconds = patience_seconds
        self._clock, self._sleep = clock, sleep
        self._before = [_held(device) for device in devices]

    def find(self, engine: Mapping[int, float]) -> list[Leak]:
        """Return what did not come back within the patience.

        `engine` are the processes that were ever seen to be the engine's, with the times of their start. What
        other processes took meanwhile is theirs, and no leak.
        """
        give_up_at = self._clock() + self._patience_seconds
        while leaks := self._leaks(engine):
            if self._clock() >= give_up_at:
                return leaks
            self._sleep(_POLL_SECONDS)
        return []

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
        return _Held(mib, {holder.pid: holder for holder in holders})
    except DeviceUnreadable as error:
        log.warning("leaks of a device's memory cannot be told: %s", error)
        return None


def _leak(device: MemoryDevice, before: _Held, survivors: set[int]) -> Leak | None:
    after = _held(device)
    if after is None:
        return None
    tolerance_mib = max(_TOLERANCE_MIB, device.total_mib() * _TOLERANCE_PERCENT / 100)
    others_mib = sum(
        max(0.0, holder.mib - (before.holders[pid].mib if pid in before.holders else 0.0))
        for pid, holder in after.holders.items()
        if pid not in survivors
    )
    owners = tuple(after.holders[pid] for pid in survivors if pid in after.holders)
    left_mib = after.mib - before.mib - others_mib
    if left_mib <= tolerance_mib and sum(owner.mib for owner in owners) <= tolerance_mib:
        return None
    return Leak(device.name, max(left_mib, sum(owner.mib for owner in owners)), owners)
