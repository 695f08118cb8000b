"""How full a device is, in the four levels that decide what is done about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from llmopt_core.occupancy import Occupancy
from llmopt_core.resources.serving import MemoryGuard as GuardSpec


class Level(IntEnum):
    """A higher level is a worse one."""

    SAFE = 0
    WARNING = 1  # recorded
    CRITICAL = 2  # no new requests; the trial ends gracefully
    EMERGENCY = 3  # the engine is killed at once


# A GPU is at a level only where less than this is free as well: nobody is killed for a GPU's memory, and a
# tenth of a large one is enough for whole models.
_FREE_ON_GPU_MIB: Mapping[Level, float] = {
    Level.WARNING: 1024.0,
    Level.CRITICAL: 256.0,
    Level.EMERGENCY: 128.0,
}


@dataclass(frozen=True)
class GpuReserve:
    """What an engine takes of each GPU on purpose, and then stays below: it is no danger.

    `share` is of the GPU's memory, `mib` comes to it; `leaves_mib`: it takes whatever is there but so much.
    """

    share: float = 0.0
    mib: float = 0.0
    leaves_mib: float | None = None

    def of(self, total_mib: float) -> float:
        """Return how much of a GPU of `total_mib` is reserved."""
        taken = self.share * total_mib + self.mib
        if self.leaves_mib is not None:
            taken = max(taken, total_mib - self.leaves_mib)
        return min(max(taken, 0.0), total_mib)


NOTHING_RESERVED = GpuReserve()


@dataclass(frozen=True)
class Thresholds:
    """From how many percent on a level begins."""

    warning_percent: float = 80
    critical_percent: float = 90
    emergency_percent: float = 95

    @classmethod
    def of(cls, spec: GuardSpec) -> "Thresholds":
        """Return what `spec.memoryGuard` says."""
        return cls(spec.warning_percent, spec.critical_percent, spec.emergency_percent)

    def level(
        self, occupancy: Occupancy, kind: Literal["host", "gpu"] = "host", *, reserved_mib: float = 0
    ) -> Level:
        """Return the level of a device of a kind.

        The percentages are of what `reserved_mib` leaves. A GPU is at a level where, besides, little is free.
        """
        if not occupancy.total_mib:  # it could not be read yet
            return Level.SAFE
        reached = (
            level
            for level in (Level.EMERGENCY, Level.CRITICAL, Level.WARNING)
            if occupancy.used_mib
            >= self.begins_mib(level, occupancy.total_mib, kind, reserved_mib=reserved_mib)
        )
        return next(reached, Level.SAFE)

    def begins_mib(
        self, level: Level, total_mib: float, kind: Literal["host", "gpu"], *, reserved_mib: float = 0
    ) -> float:
        """Return how much of a device of `total_mib` is in use where `level` begins."""
        by_percent = reserved_mib + (total_mib - reserved_mib) * self._percent(level) / 100
        return by_percent if kind == "host" else max(by_percent, total_mib - _FREE_ON_GPU_MIB[level])

    def _percent(self, level: Level) -> float:
        return {
            Level.WARNING: self.warning_percent,
            Level.CRITICAL: self.critical_percent,
            Level.EMERGENCY: self.emergency_percent,
        }[level]
