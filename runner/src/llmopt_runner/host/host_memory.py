"""The memory that this process may use: the host's, or its container's, whichever is the narrower."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import psutil

from llmopt_core.errors.files import without_number
from llmopt_core.occupancy import Occupancy
from llmopt_runner.host.cgroups import ControlGroup, control_groups, read_table
from llmopt_runner.host.occupancy import DeviceUnreadable, Holder, command_of
from llmopt_runner.host.usage import tree_mib

_KIB_PER_MIB = 1024
CGROUP_ROOT = Path("/sys/fs/cgroup")
PROC = Path("/proc")
# Read many times a second: a search is quicker than a table of all its lines.
_MEMINFO = re.compile(rb"MemTotal: +(\d+) kB\n(?:.*\n)*?MemAvailable: +(\d+) kB")


class HostMemory:
    """Main memory, judged by the limit that leaves the least: of the host or of any group above us.

    The host's use is total minus MemAvailable, the kernel's own estimate of what can still be had.
    """

    name = "host"
    kind: Literal["host"] = "host"
    keeps_cache = False  # what can be taken back does not count as used

    def __init__(self, cgroup_root: Path = CGROUP_ROOT, proc: Path = PROC) -> None:
        """Find the groups of this process; a limit that is changed later is seen all the same."""
        self._proc = proc
        self._groups = control_groups(cgroup_root, proc / "self" / "cgroup")

    def occupancy(self) -> Occupancy:
        """Return total and used memory under the narrowest limit."""
        return self._narrowest()[0]

    def total_mib(self) -> float:
        """Return the narrowest limit."""
        return self.occupancy().total_mib

    def used_mib(self) -> float:
        """Return what is taken of the narrowest limit."""
        return self.occupancy().used_mib

    def used_by_mib(self, pids: Sequence[int]) -> float:
        """Return what `pids` hold: resident for one, proportional for several."""
        return tree_mib(pids)

    def listed(self) -> Mapping[int, float | None]:
        """Return nothing: processes are asked, not the memory."""
        return {}

    def holders(self) -> list[Holder]:
        """Return the processes under the narrowest limit, as far as they are seen, by resident memory."""
        group = self._narrowest()[1]
        return _holders(group.pids() if group else psutil.pids())

    def own(self) -> tuple[float, list[Holder]]:
        """Return what our own group holds, and its processes; the host's where there are no groups.

        A container sees none of its neighbours: what they take of the host must not look like ours.
        """
        if not self._groups:
            return self.used_mib(), self.holders()
        group = self._groups[0]
        return group.used_mib(), _holders(group.pids())

    def oom_kills(self) -> int:
        """Return the kills in our own group; on a machine without groups, all of the machine's."""
        own = self._groups[0].oom_kills() if self._groups else None
        return read_table(self._proc / "vmstat").get("oom_kill", 0) if own is None else own

    def energy_joules(self) -> None:
        """Return nothing: what main memory and processors take is not counted."""

    def clock_events(self) -> int:
        """Return 0: of processors nothing is known."""
        return 0

    def memory_errors(self) -> int:
        """Return 0: they are not counted here."""
        return 0

    def _narrowest(self) -> tuple[Occupancy, ControlGroup | None]:
        try:
            found = _MEMINFO.search((self._proc / "meminfo").read_bytes())
        except OSError as error:
            raise DeviceUnreadable(f"host: {without_number(error)}") from error
        if found is None:
            raise DeviceUnreadable(f"{self._proc / 'meminfo'} lacks MemTotal or MemAvailable")
        total, available = (int(number) / _KIB_PER_MIB for number in found.groups())
        host: tuple[Occupancy, ControlGroup | None] = (Occupancy(total, total - available), None)
        limited = ((seen, group) for group in self._groups if (seen := group.occupancy(total)) is not None)
        return min([host, *limited], key=lambda one: one[0].free_mib)


def _holders(pids: Sequence[int]) -> list[Holder]:
    sizes = ((pid, tree_mib((pid,))) for pid in pids)
    found = [Holder(pid, command_of(pid), mib) for pid, mib in sizes if mib >= 1]
    return sorted(found, key=lambda holder: -holder.mib)
