"""Control groups of both versions: limits, use and kills, read from the files of the kernel.

Source: the kernel's Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from llmopt_core.occupancy import Occupancy

_MIB = 1024 * 1024


@dataclass(frozen=True)
class _Version:
    """The names of one version's files, and the keys of its memory.stat that count children in."""

    limit: str
    usage: str
    kills: str
    inactive_file: str
    active_file: str
    mapped_file: str


_V1 = _Version(
    "memory.limit_in_bytes",
    "memory.usage_in_bytes",
    "memory.oom_control",
    "total_inactive_file",
    "total_active_file",
    "total_mapped_file",
)
_V2 = _Version("memory.max", "memory.current", "memory.events", "inactive_file", "active_file", "file_mapped")


@dataclass(frozen=True)
class ControlGroup:
    """One group, with the names that its version has for things."""

    folder: Path
    version: _Version

    def occupancy(self, most_mib: float) -> Occupancy | None:
        """Return limit and use; None where the limit is none, or at least `most_mib`, what the host has."""
        limit = _number(self.folder / self.version.limit)
        if not limit or limit / _MIB >= most_mib:
            return None
        return Occupancy(limit / _MIB, self.used_mib())

    def used_mib(self) -> float:
        """Return what the group's processes have taken.

        File cache that the kernel can take back does not count: all that is inactive, and what is active but
        mapped by no process. Mapped weights that are in use do count.
        """
        usage = _number(self.folder / self.version.usage) or 0
        stat = read_table(self.folder / "memory.stat")
        unmapped = stat.get(self.version.active_file, 0) - stat.get(self.version.mapped_file, 0)
        reclaimable = stat.get(self.version.inactive_file, 0) + max(0, unmapped)
        return max(0, usage - reclaimable) / _MIB

    def oom_kills(self) -> int | None:
        """Return how many processes of this group the kernel killed for memory; None: it does not count."""
        return read_table(self.folder / self.version.kills).get("oom_kill")

    def pids(self) -> list[int]:
        """Return the processes of this group and of those below it."""
        files = (self.folder / "cgroup.procs", *self.folder.glob("**/*/cgroup.procs"))
        return [int(pid) for file in files for pid in _text(file).split()]


def control_groups(root: Path, membership: Path) -> tuple[ControlGroup, ...]:
    """Return the memory groups that a process is in, its own first, the topmost last.

    `membership` is its /proc/PID/cgroup. In a container the paths in it may be the host's, of which only the
    container's own group is mounted: then that is what is found.
    """
    found: list[ControlGroup] = []
    for line in _text(membership).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            unified = root / "unified"  # a machine with both versions mounts the second one there
            found += _upwards(unified if unified.is_dir() else root, path, _V2)
        elif "memory" in controllers.split(","):
            found += _upwards(root / "memory", path, _V1)
    return tuple(found)


def _upwards(base: Path, path: str, version: _Version) -> Iterator[ControlGroup]:
    inside = PurePosixPath(path.lstrip("/"))
    if ".." in inside.parts:  # the process was moved out of what is mounted here
        inside = PurePosixPath()
    for each in (inside, *inside.parents):
        if (base / each / version.usage).is_file():
            yield ControlGroup(base / each, version)


def _text(path: Path) -> str:
    try:
        with path.open("rb", buffering=0) as file:  # read many times a second: a buffer would double the cost
            return file.readall().decode()
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def read_table(path: Path) -> dict[str, int]:
    """Return the lines `name number` of a file of the kernel; empty when it cannot be read."""
    words = (line.split() for line in _text(path).splitlines())
    return {pair[0]: int(pair[1]) for pair in words if len(pair) == 2 and pair[1].isdigit()}  # noqa: PLR2004 - a pair
