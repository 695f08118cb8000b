"""How a GPU was while something was measured on it: who else used it, what held its clocks back, its errors.

Source of the reasons: NVML's reference, group "NvmlClocksEventReasons".
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

# What can hold the clocks back, by the bits that report it.
HEAT, POWER, PROTECTION = "heat", "its power limit", "its hardware's own protection"
_REASONS: Mapping[str, int] = {HEAT: 0x20 | 0x40, POWER: 0x04 | 0x80, PROTECTION: 0x08}


@dataclass(frozen=True)
class GpuCondition:
    """One GPU that an engine used, over a time.

    `neighbours` are processes of others that NVML listed, `others_mib` what others held at most; `shared`
    says whether others used it at all. `held_back` is the share of looks at which something held the clocks
    back, by what. `memory_errors` could not be corrected.
    """

    device: str
    neighbours: AbstractSet[int] = frozenset()
    others_mib: float = 0.0
    shared: bool = False
    held_back: Mapping[str, float] = field(default_factory=dict)
    memory_errors: int = 0


@dataclass
class ClockLooks:
    """Counts looks at a GPU's clocks."""

    looks: int = 0
    _held_back: Counter[str] = field(default_factory=Counter)

    def note(self, events: int) -> None:
        """Count one look that gave `events`, bits of NVML."""
        self.looks += 1
        self._held_back.update(reason for reason, bits in _REASONS.items() if events & bits)

    def shares(self) -> Mapping[str, float]:
        """Return the share of looks by what held the clocks back."""
        return dict(self._shares())

    def _shares(self) -> Iterator[tuple[str, float]]:
        for reason, count in self._held_back.items():
            yield reason, count / self.looks
