"""What engines advise where they name no limit: which way a parameter must be changed."""

from dataclasses import dataclass
from enum import StrEnum

from llmopt_core.errors.limits import Setting


class Change(StrEnum):
    """How a parameter is changed."""

    HALVE = "halve"  # the largest searched value that is at most half of it
    LOWER = "lower"  # the largest searched value that is at most nine tenths of it
    DOUBLE = "double"  # the smallest searched value that is at least twice as much
    MOST = "most"  # the largest searched value
    TAKE = "take"  # the value that the remedy names, where it is searched


@dataclass(frozen=True)
class Remedy:
    """A change of one engine parameter, by its short name, with which a refused start may succeed.

    `value` is what a parameter is set to by TAKE; the other changes have none.
    """

    parameter: str
    change: Change
    value: Setting = None

    def __str__(self) -> str:
        """Return what is advised, in words."""
        if self.change is Change.TAKE:
            shown = str(self.value).lower() if isinstance(self.value, bool) else self.value
            return f"set {self.parameter} to {shown}"
        verb = "raise" if self.change is Change.MOST else self.change.value
        return f"{verb} {self.parameter}"
