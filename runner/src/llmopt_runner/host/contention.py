"""Whether processors and GPUs were there while something was measured: others that used them, or a limit.

Source: the kernel's Documentation/filesystems/proc.rst (/proc/stat) and admin-guide/cgroup-v2.rst (cpu.stat).
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from llmopt_runner.host.cgroups import control_groups, read_table
from llmopt_runner.host.gpu_conditions import GpuCondition

# Below this share of idle time a program that needs a processor waits for one.
_SCARCE = 0.1
# What others must have taken, or the limit held back, to be worth a word.
_NOTABLE = 0.1


@dataclass(frozen=True)
class ProcessorTimes:
    """Processors' seconds since the machine and the processes began.

    They are those of the processors that the runner may use. `idle` nobody used, `busy` anybody, of which
    `own` the runner and its engine. In `held_back` of the `periods` of its CPU limit the runner's control
    group had used up what it may.
    """

    busy: float
    idle: float
    own: float
    periods: int = 0
    held_back: int = 0


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
    times = _of_usable(psutil.cpu_times(percpu=True))
    idle = times["idle"] + times.get("iowait", 0.0)
    # A guest's time is counted twice, as the guest's and as the user's.
    guests = times.get("guest", 0.0) + times.get("guest_nice", 0.0)
    groups = control_groups(cgroup_root, proc / "self" / "cgroup")
    limits = read_table(groups[0].folder / "cpu.stat") if groups else {}
    return ProcessorTimes(
        busy=sum(times.values()) - guests - idle,
        idle=idle,
        own=sum(_seconds(pid) for pid in (os.getpid(), *pids)),
        periods=limits.get("nr_periods", 0),
        held_back=limits.get("nr_throttled", 0),
    )


def _of_usable(processors: Sequence[Any]) -> dict[str, float]:
    """Return the summed seconds, by kind, of those `processors` that this process may use.

    All of them where their numbers do not fit, as in a container that is shown its own processors only.
    """
    usable = os.sched_getaffinity(0)
    if max(usable) < len(processors):
        processors = [processors[number] for number in usable]
    return {kind: sum(getattr(each, kind) for each in processors) for kind in processors[0]._fields}


def shortage(before: ProcessorTimes, after: ProcessorTimes) -> Shortage:
    """Return what kept processors from a measurement between the two moments."""
    others = tuple(_others(before, after))
    return Shortage((*others, *_limit(before, after)), disturbed=bool(others))


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


def _others(before: ProcessorTimes, after: ProcessorTimes) -> Iterable[str]:
    busy, idle = after.busy - before.busy, after.idle - before.idle
    total = busy + idle
    if total <= 0 or idle > _SCARCE * total:
        return
    share = (busy - (after.own - before.own)) / total
    if share > _NOTABLE:
        yield (
            f"other programs took {share:.0%} of the processors' time during the measurement, and none was"
            " left over: speeds may be too low; measure where nothing else runs"
        )


def _limit(before: ProcessorTimes, after: ProcessorTimes) -> Iterable[str]:
    periods = after.periods - before.periods
    if periods <= 0:
        return
    share = (after.held_back - before.held_back) / periods
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
