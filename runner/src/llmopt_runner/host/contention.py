"""Whether processors and GPUs were there while something was measured: others that used them, or a limit.

Source: the kernel's Documentation/filesystems/proc.rst (/proc/stat) and admin-guide/cgroup-v2.rst (cpu.stat).
Stolen time is what the hypervisor reports: a virtual processor had work, and another machine ran instead.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from llmopt_runner.host.cgroups import control_groups, read_table
from llmopt_runner.host.gpu_conditions import GpuCondition

# Below this share of idle time a program that needs a processor waits for one.
_SCARCE = 0.1
# What others must have taken, or the limit held back, to be worth a warning.
_NOTABLE = 0.1


@dataclass(frozen=True)
class Processor:
    """One processor's seconds since the machine began.

    `idle` nobody used, `busy` programs or the kernel; `stolen` the hypervisor gave to others while a program
    waited here.
    """

    busy: float = 0.0
    idle: float = 0.0
    stolen: float = 0.0

    def __add__(self, other: "Processor") -> "Processor":
        return Processor(self.busy + other.busy, self.idle + other.idle, self.stolen + other.stolen)

    def __sub__(self, other: "Processor") -> "Processor":
        return Processor(self.busy - other.busy, self.idle - other.idle, self.stolen - other.stolen)

    @property
    def total(self) -> float:
        """All the time that passed."""
        return self.busy + self.idle + self.stolen


@dataclass(frozen=True)
class ProcessorTimes:
    """The times of the processors that the runner may use, by number.

    `own` are the processor seconds of the runner and its engine since they began. In `held_back` of the
    `periods` of its CPU limit the runner's control group had used up what it may.
    """

    processors: Mapping[int, Processor]
    own: float
    periods: int = 0
    held_back: int = 0

    def since(self, before: "ProcessorTimes") -> "ProcessorTimes":
        """Return the times from `before` until now, of the processors that were there at both moments."""
        return ProcessorTimes(
            {
                number: now - before.processors[number]
                for number, now in self.processors.items()
                if number in before.processors
            },
            self.own - before.own,
            self.periods - before.periods,
            self.held_back - before.held_back,
        )


@dataclass(frozen=True)
class Shortage:
    """What kept processors or GPUs from a measurement: warnings, and whether others did (`disturbed`)."""

    warnings: tuple[str, ...] = ()
    disturbed: bool = False

    def __add__(self, other: "Shortage") -> "Shortage":
        return Shortage((*self.warnings, *other.warnings), self.disturbed or other.disturbed)


def watch_processors(pids: Callable[[], Sequence[int]]) -> Callable[[], Shortage]:
    """Begin to watch; return a function that says what kept processors from a measurement since then.

    `pids` asks for the engine's processes; of one that runs elsewhere, and has none, nothing is reported.
    """
    before = processor_times(pids())

    def since_then() -> Shortage:
        now = pids()
        return shortage(before, processor_times(now)) if now else Shortage()

    return since_then


def processor_times(
    pids: Iterable[int], *, cgroup_root: Path = Path("/sys/fs/cgroup"), proc: Path = Path("/proc")
) -> ProcessorTimes:
    """Return the times now; `pids` are the engine's processes."""
    groups = control_groups(cgroup_root, proc / "self" / "cgroup")
    limits = read_table(groups[0].folder / "cpu.stat") if groups else {}
    return ProcessorTimes(
        _usable(psutil.cpu_times(percpu=True)),
        own=sum(_seconds(pid) for pid in (os.getpid(), *pids)),
        periods=limits.get("nr_periods", 0),
        held_back=limits.get("nr_throttled", 0),
    )


def _usable(processors: Sequence[Any]) -> dict[int, Processor]:
    """Return the times of those `processors` that this process may use, by number.

    All of them where their numbers do not fit, as in a container that is shown its own processors only.
    """
    usable = os.sched_getaffinity(0)
    fits = max(usable) < len(processors)
    return {
        number: _processor(times) for number, times in enumerate(processors) if not fits or number in usable
    }


def _processor(times: Any) -> Processor:
    """Return the times of one line of /proc/stat. A guest's are the user's as well, and count once."""
    busy = times.user + times.nice + times.system + times.irq + times.softirq
    return Processor(busy, times.idle + times.iowait, times.steal)


def shortage(before: ProcessorTimes, after: ProcessorTimes) -> Shortage:
    """Return what kept processors from a measurement between the two moments."""
    between = after.since(before)
    others = (*_others(between), *_hypervisor(between))
    return Shortage((*others, *_limit(between)), disturbed=bool(others))


def gpu_shortage(conditions: Iterable[GpuCondition]) -> Shortage:
    """Return what kept the engine's GPUs from a measurement, or makes its results doubtful."""
    seen = tuple(conditions)
    warnings = (warning for one in seen for warning in (*_neighbours(one), *_held_back(one), *_errors(one)))
    return Shortage(tuple(warnings), disturbed=any(one.shared for one in seen))


def _neighbours(gpu: GpuCondition) -> Iterable[str]:
    if gpu.shared:
        count = f"{len(gpu.neighbours)} processes, " if gpu.neighbours else ""
        yield (
            f"other programs used {gpu.device} during the measurement ({count}{gpu.others_mib:.0f} MiB):"
            " speeds may be too low, and energy is not reported; give the runner a GPU of its own"
        )


def _held_back(gpu: GpuCondition) -> Iterable[str]:
    for reason, share in gpu.held_back.items():
        if share > _NOTABLE:
            yield (
                f"the clocks of {gpu.device} were held back by {reason} in {share:.0%} of the measurement:"
                " its speeds are those under this limit"
            )


def _errors(gpu: GpuCondition) -> Iterable[str]:
    if gpu.memory_errors > 0:
        yield (
            f"{gpu.device} counted {gpu.memory_errors} errors of its memory that could not be corrected: what"
            " was measured on it may be wrong; look for Xid errors in the kernel's log"
        )


def _others(times: ProcessorTimes) -> Iterable[str]:
    all_ = sum(times.processors.values(), Processor())
    if all_.total <= 0 or all_.idle > _SCARCE * all_.total:
        return
    share = (all_.busy - times.own) / all_.total
    if share > _NOTABLE:
        yield (
            f"other programs took {share:.0%} of the processors' time during the measurement, and none was"
            " left over: speeds may be too low; measure where nothing else runs"
        )


def _hypervisor(times: ProcessorTimes) -> Iterable[str]:
    """Yield a warning where the hypervisor took much of what programs needed of some processors.

    Idle time elsewhere is no comfort: an engine's threads wait for the slowest of them. Where a processor was
    hardly needed a large share is little time: all that was taken is compared with one busy processor.
    """
    slowed = [
        each for each in times.processors.values() if each.stolen > _NOTABLE * (each.busy + each.stolen)
    ]
    taken = sum(slowed, Processor())
    if taken.stolen > _NOTABLE * max((each.total for each in slowed), default=0.0):
        yield (
            f"the hypervisor took {taken.stolen / (taken.busy + taken.stolen):.0%} of the time that programs"
            f" needed on {len(slowed)} of {len(times.processors)} processors during the measurement: speeds"
            " may be too low; measure on a machine that shares its processors with no other virtual machine"
        )


def _limit(times: ProcessorTimes) -> Iterable[str]:
    if times.periods <= 0:
        return
    share = times.held_back / times.periods
    if share > _NOTABLE:
        yield (
            f"the container's CPU limit held the measurement back in {share:.0%} of its periods: raise"
            " the limit of cpu, or give the engine fewer threads"
        )


def _seconds(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)
