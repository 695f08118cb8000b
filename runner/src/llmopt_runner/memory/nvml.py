"""NVIDIA GPUs by NVML, the library of nvidia-smi (package nvidia-ml-py, module `pynvml`): optional."""

import importlib
import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar

from llmopt_core.occupancy import Occupancy
from llmopt_runner.memory.occupancy import DeviceUnreadable, Holder, command_of

_MODULE = "pynvml"
_BYTES_PER_MIB = 1024 * 1024
_MILLIJOULES_PER_JOULE = 1000
VISIBLE_VARIABLE = "CUDA_VISIBLE_DEVICES"
T = TypeVar("T")


class NvmlDevice:
    """One GPU, or one MIG slice of a GPU."""

    kind: Literal["gpu"] = "gpu"

    def __init__(self, library: Any, handle: Any, name: str) -> None:
        """Keep NVML (the module, initialised) and its handle of the device."""
        self.name = name
        self._nvml = library
        self._handle = handle

    def occupancy(self) -> Occupancy:
        """Return total and used memory; what the driver reserves for itself counts as used."""
        memory = self._ask(lambda: self._nvml.nvmlDeviceGetMemoryInfo(self._handle))
        return Occupancy(memory.total / _BYTES_PER_MIB, memory.used / _BYTES_PER_MIB)

    def total_mib(self) -> float:
        """Return how much there is."""
        return self.occupancy().total_mib

    def used_mib(self) -> float:
        """Return how much is taken."""
        return self.occupancy().used_mib

    def used_by_mib(self, pids: Sequence[int]) -> float:
        """Return what `pids` hold; 0 in a container in which NVML knows processes by the host's ids."""
        wanted = set(pids)
        return sum(mib for pid, mib in self._processes() if pid in wanted)

    def holders(self) -> list[Holder]:
        """Return the processes on the GPU, the largest first."""
        found = [Holder(pid, command_of(pid), mib) for pid, mib in self._processes() if mib >= 1]
        return sorted(found, key=lambda holder: -holder.mib)

    def own(self) -> tuple[float, list[Holder]]:
        """Return what is taken of the GPU, and by whom: its driver counts no one apart."""
        return self.used_mib(), self.holders()

    def oom_kills(self) -> int:
        """Return 0: nobody kills for a GPU's memory, an allocation fails."""
        return 0

    def energy_joules(self) -> float | None:
        """Return the energy since the driver was loaded; None where the GPU does not count it."""
        try:
            counted = self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)
        except self._nvml.NVMLError:
            return None
        return float(counted) / _MILLIJOULES_PER_JOULE

    def _processes(self) -> Iterator[tuple[int, float]]:
        running = self._ask(lambda: self._nvml.nvmlDeviceGetComputeRunningProcesses(self._handle))
        return ((int(each.pid), (each.usedGpuMemory or 0) / _BYTES_PER_MIB) for each in running)

    def _ask(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except self._nvml.NVMLError as error:
            raise DeviceUnreadable(f"{self.name}: NVML says: {error}") from error


def visible_gpus(
    environment: Mapping[str, str] = os.environ, library: Any | None = None
) -> tuple[NvmlDevice, ...]:
    """Return the GPUs that CUDA programs started from here would see, in their order.

    None where NVML, a driver or a GPU is not there. `library` stands for the module pynvml. Among different
    GPUs, CUDA numbers the fastest first unless CUDA_DEVICE_ORDER is PCI_BUS_ID; NVML goes by the bus.
    """
    nvml = library or _installed()
    if nvml is None:
        return ()
    try:
        nvml.nvmlInit()
        handles = _handles(nvml, environment.get(VISIBLE_VARIABLE))
    except nvml.NVMLError:
        return ()
    return tuple(NvmlDevice(nvml, handle, f"gpu{place}") for place, handle in enumerate(handles))


def _installed() -> Any | None:
    return importlib.import_module(_MODULE) if importlib.util.find_spec(_MODULE) else None


def _handles(nvml: Any, visible: str | None) -> list[Any]:
    every = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
    if visible is None:
        return [_slice_of(nvml, handle) for handle in every]
    found = []
    for entry in visible.split(","):
        handle = _named(nvml, every, entry.strip())
        if handle is None:  # as CUDA does: nothing behind an entry that is not there is visible
            break
        found.append(handle)
    uuids = [_uuid(nvml, handle) for handle in found]
    return found if len(set(uuids)) == len(uuids) else []  # CUDA sees no GPU where one is named twice


def _named(nvml: Any, every: list[Any], entry: str) -> Any | None:
    if entry.isdigit():
        return _slice_of(nvml, every[int(entry)]) if int(entry) < len(every) else None
    if entry.startswith("MIG-"):
        return _asked(nvml, lambda: nvml.nvmlDeviceGetHandleByUUID(entry))
    matches = [handle for handle in every if entry and _uuid(nvml, handle).startswith(entry)]
    return _slice_of(nvml, matches[0]) if len(matches) == 1 else None


def _slice_of(nvml: Any, handle: Any) -> Any:
    """Return what CUDA uses of a GPU that is divided and not named by a slice: its first slice."""
    mode = _asked(nvml, lambda: nvml.nvmlDeviceGetMigMode(handle)[0])
    if not mode:
        return handle
    return _asked(nvml, lambda: nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, 0)) or handle


def _uuid(nvml: Any, handle: Any) -> str:
    uuid = nvml.nvmlDeviceGetUUID(handle)  # older bindings return bytes
    return uuid.decode() if isinstance(uuid, bytes) else str(uuid)


def _asked(nvml: Any, question: Callable[[], T]) -> T | None:
    try:
        return question()
    except nvml.NVMLError:
        return None
