"""How much memory processes hold."""

import os
from collections.abc import Sequence
from pathlib import Path

import psutil

_MIB = 1024 * 1024
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def tree_mib(pids: Sequence[int]) -> float:
    """Return the memory of `pids` together, in MiB; a process that is gone counts nothing.

    One process: its resident set. Several: their proportional sets, which count shared pages once, where
    they can be read. Pages of a memory-mapped model count: they are what a machine must have.
    """
    if len(pids) == 1:
        return _resident_bytes(pids[0]) / _MIB
    return sum(_proportional_bytes(pid) or _resident_bytes(pid) for pid in pids) / _MIB


def resident_mib(pids: Sequence[int]) -> float:
    """Return the resident sets of `pids`, in MiB: quick, and what they share counts for each."""
    return sum(map(_resident_bytes, pids)) / _MIB


def started_at(pid: int) -> float | None:
    """Return when a process began, as ids are used again; None: it is gone, or cannot be read."""
    try:
        return psutil.Process(pid).create_time()
    except (OSError, psutil.Error):
        return None


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):  # it is gone, or going
        return 0


def _proportional_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines()
    except OSError:
        return 0
    kib = next((line.split()[1] for line in lines if line.startswith(b"Pss:")), b"0")
    return int(kib) * 1024
