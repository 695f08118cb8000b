"""What engines advise where they name no limit: which way a parameter must be changed."""

from dataclasses import dataclass
from enum import StrEnum


class Change(StrEnum):
    """How a parameter is changed."""

    HALVE = "halve"  # the largest searched value that is at most half of it
    MOST = "most"  # the largest searched value


@dataclass(frozen=True)
class Remedy:
    """A change of one engine parameter, by its short name, with which a refused start may succeed."""

    parameter: str
    change: Change

    def __str__(self) -> str:
        """Return what is advised, in words."""
        return f"{'halve' if self.change is Change.HALVE else 'raise'} {self.parameter}"
