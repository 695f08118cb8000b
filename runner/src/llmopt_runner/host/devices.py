"""The memory devices of this machine, behind one interface."""

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
    "visible_devices",
]


def visible_devices() -> tuple[MemoryDevice, ...]:
    """Return main memory, and the GPUs that an engine started from here would see."""
    return (HostMemory(), *visible_gpus())
