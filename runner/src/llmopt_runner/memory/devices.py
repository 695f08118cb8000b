"""The memory devices of this machine, behind one interface."""

from llmopt_core.occupancy import Occupancy
from llmopt_runner.memory.host import HostMemory
from llmopt_runner.memory.nvml import NvmlDevice, visible_gpus
from llmopt_runner.memory.occupancy import DeviceUnreadable, Holder, MemoryDevice

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
