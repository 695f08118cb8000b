"""A device that ran full, as the failure that is stored: who held what, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from llmopt_core.engines.memory_parameters import MemoryWords
from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.occupancy import Occupancy
from llmopt_runner.guard.levels import Level
from llmopt_runner.host.occupancy import Holder

_SHOWN_HOLDERS = 3
_CLASSES: Mapping[Literal["host", "gpu"], ErrorClass] = {
    "host": ErrorClass.HOST_OUT_OF_MEMORY,
    "gpu": ErrorClass.GPU_OUT_OF_MEMORY,
}


@dataclass(frozen=True)
class DevicePeak:
    """The highest that was seen of one device: used by all, by the engine, and by others."""

    device: str
    kind: Literal["host", "gpu"]
    total_mib: float
    used_mib: float
    engine_mib: float
    others_mib: float = 0.0


@dataclass(frozen=True)
class Incident:
    """A device at CRITICAL or EMERGENCY: how full it was, and what of it the engine held."""

    device: str
    kind: Literal["host", "gpu"]
    level: Level
    occupancy: Occupancy
    engine_mib: float
    others: tuple[Holder, ...] = ()

    def failure(self, words: MemoryWords, *, alone_mib: float) -> Failure:
        """Return the failure; an engine that keeps below `alone_mib` would do with the device to itself."""
        seen = self.occupancy
        found = (
            f"memory of {self.device} reached {self.level.name}: {seen.used_mib:.0f} of {seen.total_mib:.0f}"
            f" MiB ({seen.percent:.0f} %) were in use, {self.engine_mib:.0f} MiB of it by the engine"
        )
        if blames_others(self.engine_mib, seen.used_mib - self.engine_mib, alone_mib):
            return busy_failure(found, self.others)
        return Failure(_CLASSES[self.kind], f"{found} ({words.settings})", words.advice)


def blames_others(engine_mib: float, others_mib: float, alone_mib: float) -> bool:
    """Say whether other processes hold most of a memory that the engine alone would fit into."""
    return others_mib > engine_mib and engine_mib < alone_mib


def busy_failure(found: str, others: tuple[Holder, ...]) -> Failure:
    """Return the failure of an engine to which others leave too little memory."""
    held = f", others' are {listed_holders(others)}" if others else ""
    return Failure(
        ErrorClass.MEMORY_BUSY,
        f"{found}{held}",
        "End what else holds the memory, or give the runner memory of its own; the trial is run again.",
    )


def too_little(kind: Literal["host", "gpu"], found: str, words: MemoryWords) -> Failure:
    """Return the failure of a configuration that a device is too small for."""
    return Failure(_CLASSES[kind], f"{found} ({words.settings})", words.advice)


def kernel_failure(kills: int, peaks: Sequence[DevicePeak], words: MemoryWords) -> Failure:
    """Return the failure of an engine that the kernel killed, before any level was seen."""
    host = [peak for peak in peaks if peak.kind == "host"]
    seen = "".join(
        f"; at most {peak.used_mib:.0f} of {peak.total_mib:.0f} MiB were seen in use,"
        f" {peak.engine_mib:.0f} MiB of it by the engine"
        for peak in host
    )
    found = f"the kernel killed {kills} process{'es' * (kills > 1)} for memory{seen}"
    return too_little("host", found, words)


def listed_holders(holders: tuple[Holder, ...]) -> str:
    """Return the largest holders in words."""
    return ", ".join(str(holder) for holder in holders[:_SHOWN_HOLDERS])
