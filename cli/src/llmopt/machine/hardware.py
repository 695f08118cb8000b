"""What this machine is: processor, cores, disk, and whether there is an NVIDIA GPU at all."""

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

_NVIDIA = "0x10de"
_DISPLAY_CLASS = "0x03"
PCI_DEVICES = Path("/sys/bus/pci/devices")


@dataclass(frozen=True)
class Hardware:
    """`cores` are those this process may use. `nvidia_cards` counts cards with or without a driver."""

    processor: str
    cores: int
    disk_free_gib: float
    nvidia_cards: int


def hardware(folder: Path) -> Hardware:
    """Return this machine's; the disk is that of `folder`, or of the nearest folder above that exists."""
    place = next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())
    return Hardware(
        processor=processor(),
        cores=len(os.sched_getaffinity(0)),
        disk_free_gib=shutil.disk_usage(place).free / 2**30,
        nvidia_cards=nvidia_cards(),
    )


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def nvidia_cards(devices: Path = PCI_DEVICES) -> int:
    """Return how many display or compute cards of NVIDIA are plugged in, whatever drives them."""
    return sum(
        _text(device / "vendor") == _NVIDIA and _text(device / "class").startswith(_DISPLAY_CLASS)
        for device in devices.glob("*")
    )


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
