"""What is known of every kind of memory: how much there is, how much is taken, and who took it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal, Protocol

import psutil

from llmopt_core.occupancy import Occupancy

_LONGEST_COMMAND = 80


@dataclass(frozen=True)
class Holder:
    """A process that holds memory of a device."""

    pid: int
    command: str
    mib: float

    def __str__(self) -> str:
        return f"{self.command} (pid {self.pid}) {self.mib:.0f} MiB"


class DeviceUnreadable(OSError):
    """A device does not report its memory now."""


class MemoryDevice(Protocol):
    """The memory of a host, of a container or of a GPU. Every method may raise DeviceUnreadable."""

    @property
    def name(self) -> str:
        """What the device is called, such as `host` or `gpu0`."""

    @property
    def kind(self) -> Literal["host", "gpu"]:
        """Whose memory it is."""

    @property
    def keeps_cache(self) -> bool:
        """Whether the kernel may keep page cache there that no process holds and that counts as used."""

    def occupancy(self) -> Occupancy:
        """Return total and used memory of one moment."""

    def total_mib(self) -> float:
        """Return how much there is."""

    def used_mib(self) -> float:
        """Return how much is taken; page cache that can be reclaimed is not."""

    def used_by_mib(self, pids: Sequence[int]) -> float:
        """Return what `pids` hold together."""

    def listed(self) -> Mapping[int, float | None]:
        """Return the processes that the device itself lists, and what each holds (None: it does not say).

        Main memory lists none.
        """

    def holders(self) -> list[Holder]:
        """Return the processes that hold a MiB or more, the largest first."""

    def own(self) -> tuple[float, list[Holder]]:
        """Return how much is taken where our processes are counted, and by which processes."""

    def oom_kills(self) -> int:
        """Return how often the kernel killed for memory; 0 where it does not count."""

    def energy_joules(self) -> float | None:
        """Return the energy taken since some time in the past; None where it is not counted."""

    def clock_events(self) -> int:
        """Return why a GPU's clocks are as they are, as bits of NVML's clock event reasons; 0: not known."""

    def memory_errors(self) -> int:
        """Return how many errors of its memory could not be corrected; 0 where they are not counted."""


def holders_of(device: MemoryDevice) -> tuple[Holder, ...]:
    """Return the processes that hold a MiB or more of `device`; none where it or they cannot be read."""
    try:
        return tuple(device.holders())
    except OSError:  # DeviceUnreadable is one
        return ()


def command_of(pid: int) -> str:
    """Return a process's program, with the script or module where that says more, and no argument else.

    Arguments may hold secrets, and this is stored and shown.
    """
    try:
        argv = psutil.Process(pid).cmdline() or [psutil.Process(pid).name()]
    except (OSError, psutil.Error):
        return "unknown"
    words = [PurePath(argv[0]).name]
    module = argv[argv.index("-m") + 1 : argv.index("-m") + 2] if "-m" in argv[1:] else []
    script = [PurePath(argument).name for argument in argv[1:] if argument.endswith(".py")]
    return " ".join([*words, *(module or script)[:1]])[:_LONGEST_COMMAND]
