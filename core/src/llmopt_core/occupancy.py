"""How full a memory is, as runners report it and commands show it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Occupancy:
    """A device's memory at one moment, in MiB."""

    total_mib: float
    used_mib: float

    @property
    def free_mib(self) -> float:
        """What is not taken."""
        return self.total_mib - self.used_mib

    @property
    def percent(self) -> float:
        """How much of it is taken."""
        return 100 * self.used_mib / self.total_mib if self.total_mib else 0.0
