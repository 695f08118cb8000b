"""How full a device is, in the four levels that decide what is done about it."""

from dataclasses import dataclass
from enum import IntEnum

from llmopt_core.occupancy import Occupancy
from llmopt_core.resources.serving import MemoryGuard as GuardSpec


class Level(IntEnum):
    """A higher level is a worse one."""

    SAFE = 0
    WARNING = 1  # recorded
    CRITICAL = 2  # no new requests; the trial ends in order
    EMERGENCY = 3  # the engine is killed at once


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

    def level(self, occupancy: Occupancy, *, reserved_mib: float = 0) -> Level:
        """Return the level of a device.

        `reserved_mib` is what an engine takes on purpose, and never more, when it starts (a cache of a fixed
        share of the GPU): it is no danger, so the percentages are of what it leaves.
        """
        if not occupancy.total_mib:  # it could not be read yet
            return Level.SAFE
        left = Occupancy(
            max(occupancy.total_mib - reserved_mib, 1), max(occupancy.used_mib - reserved_mib, 0)
        )
        steps = (
            (self.emergency_percent, Level.EMERGENCY),
            (self.critical_percent, Level.CRITICAL),
            (self.warning_percent, Level.WARNING),
        )
        return next((level for percent, level in steps if left.percent >= percent), Level.SAFE)


def capacity_mib(total_mib: float, percent: float, *, reserved_mib: float = 0) -> float:
    """Return how much may be in use below a level that begins at `percent` of what is not reserved."""
    return reserved_mib + (total_mib - reserved_mib) * percent / 100
