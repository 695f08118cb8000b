"""Accelerators whose memory is not watched here: those of other makers, and NVIDIA's without NVML.

They are found by what Linux shows of them: device nodes, which a container has only where it was given the
device, and the maker in /sys. The graphics of Intel's processors, without memory of their own, do not count.
"""

from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/")
# PCI: base class and subclass of display controllers that no screen is plugged into.
_NO_SCREEN = "0x0380"
_INTEL = "0x8086"
_MAKERS_OF_ACCELERATORS = {"0x1ae0": "Google TPU", "0x1da3": "Intel Gaudi"}


def unseen_accelerators(*, nvidia_seen: bool, root: Path = _ROOT) -> tuple[str, ...]:
    """Return what there is beside the GPUs that NVML shows, by maker; `nvidia_seen`: it shows some."""
    found = (*_amd(root), *_intel(root), *_others(root), *(() if nvidia_seen else _nvidia(root)))
    return tuple(dict.fromkeys(found))


def _amd(root: Path) -> Iterator[str]:
    if (root / "dev" / "kfd").exists():  # of the compute driver alone: a screen does not need it
        yield "AMD GPU"


def _intel(root: Path) -> Iterator[str]:
    for node in sorted((root / "dev" / "dri").glob("renderD*")):
        device = root / "sys" / "class" / "drm" / node.name / "device"
        if _text(device / "vendor") == _INTEL and _text(device / "class").startswith(_NO_SCREEN):
            yield "Intel GPU"


def _others(root: Path) -> Iterator[str]:
    for node in sorted((*(root / "dev").glob("accel[0-9]*"), *(root / "dev" / "accel").glob("accel*"))):
        vendor = _text(root / "sys" / "class" / "accel" / node.name / "device" / "vendor")
        yield _MAKERS_OF_ACCELERATORS.get(vendor, "accelerator of another maker")


def _nvidia(root: Path) -> Iterator[str]:
    if any((root / "dev").glob("nvidia[0-9]*")):
        yield "NVIDIA GPU without NVML"


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
