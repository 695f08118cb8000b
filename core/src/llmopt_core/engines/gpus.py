"""What of a GPU decides which types an engine can compute with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Gpu:
    """A GPU by its name, and its compute capability as a whole number: 89 is 8.9."""

    name: str
    capability: int

    @property
    def capability_text(self) -> str:
        """The compute capability as NVIDIA writes it."""
        return capability_text(self.capability)


def capability_text(capability: int) -> str:
    """Return a compute capability as NVIDIA writes it: 8.9 for 89."""
    return f"{capability // 10}.{capability % 10}"
