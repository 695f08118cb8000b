"""The memory devices of this machine, behind one interface."""

from collections.abc import Iterable

from llmopt_core.engines.gpus import Gpu
from llmopt_core.occupancy import Occupancy
from llmopt_runner.host.host_memory import HostMemory
from llmopt_runner.host.nvml import NvmlDevice, visible_gpus
from llmopt_runner.host.occupancy import DeviceUnreadable, Holder, MemoryDevice

__all__ = [
    "DeviceUnreadable",
    "Holder",
    "HostMemory",
    "MemoryDevice",
    "NvmlDevice",
    "Occupancy",
    "known_gpus",
    "visible_devices",
]


def visible_devices() -> tuple[MemoryDevice, ...]:
    """Return main memory, and the GPUs that an engine started from here would see."""
    return (HostMemory(), *visible_gpus())


def known_gpus(devices: Iterable[MemoryDevice]) -> tuple[Gpu, ...]:
    """Return the GPUs among `devices`; none where the compute capability of one is not known."""
    found = [_gpu(device) for device in devices if isinstance(device, NvmlDevice)]
    known = tuple(gpu for gpu in found if gpu is not None)
    return known if len(known) == len(found) else ()


def _gpu(device: NvmlDevice) -> Gpu | None:
    capability = device.compute_capability()
    try:
        name = f"{device.name} ({device.product()})"
    except DeviceUnreadable:
        name = device.name
    return None if capability is None else Gpu(name, capability)
