"""What kind of machine a runner measures on, in words: equal words, and measurements can be compared.

Source: the kernel's Documentation/filesystems/proc.rst (/proc/cpuinfo), admin-guide/cgroup-v2.rst (cpu.max).
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from llmopt_runner.host.cgroups import control_groups
from llmopt_runner.host.devices import DeviceUnreadable, HostMemory, NvmlDevice
from llmopt_runner.host.host_memory import CGROUP_ROOT, PROC
from llmopt_runner.host.nvml import VISIBLE_VARIABLE, visible_gpus

_MIB_PER_GIB = 1024
# Of x86, of Arm (a number that stands for the model), of others.
_PROCESSOR = re.compile(r"^(?:model name|CPU part|cpu|uarch)\s*:\s*(.+)$", re.MULTILINE)
_DRIVER = Path("driver/nvidia/gpus")


def machine_kind(
    gpus: Sequence[NvmlDevice] | None = None, *, cgroup_root: Path = CGROUP_ROOT, proc: Path = PROC
) -> str:
    """Return processors, memory and GPUs as this process may use them; empty where one is not known.

    `gpus` stands for the visible ones.
    """
    found = visible_gpus() if gpus is None else gpus
    hidden = not found and VISIBLE_VARIABLE not in os.environ and any((proc / _DRIVER).glob("*"))
    processor = _PROCESSOR.search(_text(proc / "cpuinfo"))
    if processor is None or hidden:
        return ""
    count = len(os.sched_getaffinity(0))
    try:
        memory = HostMemory(cgroup_root, proc).total_mib()
        products = [gpu.product() for gpu in found]
    except DeviceUnreadable:
        return ""
    limit = _limit(cgroup_root, proc)
    parts = [f"{count} x {processor[1].strip()}{limit}", f"{round(memory / _MIB_PER_GIB)} GiB", *products]
    return ", ".join(parts)


def _limit(cgroup_root: Path, proc: Path) -> str:
    """Return how much of the processors' time the control group may use, empty where it is all."""
    groups = control_groups(cgroup_root, proc / "self" / "cgroup")
    quota, _, period = (_text(groups[0].folder / "cpu.max") if groups else "").strip().partition(" ")
    return f" ({int(quota) / int(period):g} used)" if quota.isdigit() and period.isdigit() else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
