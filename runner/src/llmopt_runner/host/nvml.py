"""NVIDIA GPUs by NVML, the library of nvidia-smi (package nvidia-ml-py, module `pynvml`): optional.

Which GPUs and slices a CUDA program would see follows NVIDIA's CUDA C++ programming guide
(CUDA_VISIBLE_DEVICES) and MIG user guide (CUDA device enumeration).
"""

import importlib
import importlib.util
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from llmopt_core.occupancy import Occupancy
from llmopt_runner.host.occupancy import DeviceUnreadable, Holder, command_of

log = logging.getLogger(__name__)

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

    @property
    def uuid(self) -> str:
        """The name by which a program can be given this device alone."""
        return self._ask(lambda: _uuid(self._nvml, self._handle))

    @property
    def keeps_cache(self) -> bool:
        """Whether it is a node of the machine's own memory, where the kernel may keep page cache."""
        node = _asked(self._nvml, self._nvml.nvmlDeviceGetNumaNodeId, self._handle)
        return node is not None and node >= 0

    def product(self) -> str:
        """Return what the GPU is sold as; raises DeviceUnreadable."""
        name = self._ask(lambda: self._nvml.nvmlDeviceGetName(self._handle))
        return name.decode() if isinstance(name, bytes) else str(name)  # older bindings return bytes

    def compute_capability(self) -> int | None:
        """Return the compute capability, 89 for 8.9; None: NVML does not say it. A slice has its GPU's."""
        nvml, ask = self._nvml, self._nvml.nvmlDeviceGetCudaComputeCapability
        found = _asked(nvml, ask, self._handle)
        if found is None:
            whole = _asked(nvml, nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle, self._handle)
            found = None if whole is None else _asked(nvml, ask, whole)
        return None if found is None else int(found[0]) * 10 + int(found[1])

    def occupancy(self) -> Occupancy:
        """Return memory as programs have it: what the driver reserves for itself is left out.

        Drivers before 510, without the second version of the call, leave it out by themselves.
        """
        version = self._nvml.nvmlMemory_v2
        memory = _asked(self._nvml, self._nvml.nvmlDeviceGetMemoryInfo, self._handle, version)
        if memory is None:
            memory = self._ask(lambda: self._nvml.nvmlDeviceGetMemoryInfo(self._handle))
        reserved = getattr(memory, "reserved", 0)
        return Occupancy((memory.total - reserved) / _BYTES_PER_MIB, memory.used / _BYTES_PER_MIB)

    def total_mib(self) -> float:
        """Return how much there is."""
        return self.occupancy().total_mib

    def used_mib(self) -> float:
        """Return how much is taken."""
        return self.occupancy().used_mib

    def listed(self) -> Mapping[int, float | None]:
        """Return the processes that NVML lists, and what each holds; None: it does not say.

        In a container they may have the host's ids, or those of the container and no memory.
        """
        running = self._ask(lambda: self._nvml.nvmlDeviceGetComputeRunningProcesses(self._handle))
        return {int(each.pid): (each.usedGpuMemory or 0) / _BYTES_PER_MIB or None for each in running}

    def used_by_mib(self, pids: Sequence[int]) -> float:
        """Return what NVML says that `pids` hold; 0 where it does not know them."""
        listed = self.listed()
        return sum(listed.get(pid) or 0.0 for pid in pids)

    def holders(self) -> list[Holder]:
        """Return the processes on the GPU, the largest first."""
        found = [Holder(pid, command_of(pid), mib) for pid, mib in self.listed().items() if mib and mib >= 1]
        return sorted(found, key=lambda holder: -holder.mib)

    def own(self) -> tuple[float, list[Holder]]:
        """Return what is taken of the GPU, and by whom: its driver counts no one apart."""
        return self.used_mib(), self.holders()

    def oom_kills(self) -> int:
        """Return 0: nobody kills for a GPU's memory, an allocation fails."""
        return 0

    def energy_joules(self) -> float | None:
        """Return the energy since the driver was loaded; None where the GPU does not count it."""
        counted = _asked(self._nvml, self._nvml.nvmlDeviceGetTotalEnergyConsumption, self._handle)
        return None if counted is None else float(counted) / _MILLIJOULES_PER_JOULE

    def clock_events(self) -> int:
        """Return why the clocks are as they are, as bits of NVML's clock event reasons; 0: not known."""
        asked = _asked(self._nvml, self._nvml.nvmlDeviceGetCurrentClocksEventReasons, self._handle)
        return int(asked or 0)

    def memory_errors(self) -> int:
        """Return the errors of memory that could not be corrected since the driver was loaded."""
        nvml = self._nvml
        kinds = nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, nvml.NVML_VOLATILE_ECC
        return int(_asked(nvml, nvml.nvmlDeviceGetTotalEccErrors, self._handle, *kinds) or 0)

    def _ask(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except self._nvml.NVMLError as error:
            raise DeviceUnreadable(f"{self.name}: NVML says: {error}") from error


@dataclass(frozen=True)
class _Visible:
    """A handle that CUDA would use, the place of its GPU in CUDA's order, and whether it is a slice."""

    place: int
    handle: Any
    is_slice: bool = False


def visible_gpus(environment: Mapping[str, str] = os.environ) -> tuple[NvmlDevice, ...]:
    """Return the GPUs that CUDA programs started from here would see, in their order.

    None where NVML, a driver or a GPU is not there; a GPU that cannot be asked hides no other. Among
    different GPUs, CUDA numbers the fastest first unless CUDA_DEVICE_ORDER is PCI_BUS_ID; NVML goes by the
    bus.
    """
    nvml = _begun()
    if nvml is None:
        return ()
    found = _visible(nvml, environment.get(VISIBLE_VARIABLE))
    return tuple(NvmlDevice(nvml, each.handle, f"gpu{each.place}") for each in found)


def assignable_gpus(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return by which names CUDA programs can be given one GPU, or one slice, each of those visible here.

    By the order of the bus: a GPU's number in it, or the UUID of a slice. Where the environment names GPUs,
    only those.
    """
    nvml = _begun()
    if nvml is None:
        return ()
    every = _every(nvml)
    visible = environment.get(VISIBLE_VARIABLE)
    if visible is not None and any(entry.strip().startswith("MIG-") for entry in visible.split(",")):
        return tuple(entry.strip() for entry in visible.split(","))
    wanted = range(len(every)) if visible is None else _numbers(nvml, every, visible)
    return tuple(name for number in wanted for name in _names(nvml, number, every[number]))


def library() -> Any | None:
    """Return the module pynvml, None where it is not installed."""
    return importlib.import_module(_MODULE) if importlib.util.find_spec(_MODULE) else None


def _begun() -> Any | None:
    """Return NVML ready to be asked; None where it shows no GPU, and the log says why."""
    nvml = library()
    if nvml is None:
        log.info("no GPU is watched: the module %s is not installed", _MODULE)
        return None
    try:
        nvml.nvmlInit()
        count = nvml.nvmlDeviceGetCount()
    except nvml.NVMLError as error:
        log.info("no GPU is watched: NVML says: %s", error)
        return None
    if not count:
        log.info("no GPU is watched: NVML finds none")
    return nvml


def _every(nvml: Any) -> list[Any | None]:
    """Return the handles of all GPUs; None for one that cannot be asked."""
    count = _asked(nvml, nvml.nvmlDeviceGetCount) or 0
    return [_handle(nvml, index) for index in range(count)]


def _handle(nvml: Any, index: int) -> Any | None:
    try:
        return nvml.nvmlDeviceGetHandleByIndex(index)
    except nvml.NVMLError as error:
        log.warning("GPU %d cannot be used, the others can: NVML says: %s", index, error)
        return None


def _visible(nvml: Any, visible: str | None) -> list[_Visible]:
    every = _every(nvml)
    if visible is None:
        found = [seen for number in range(len(every)) if (seen := _of_gpu(nvml, every, number, number))]
    else:
        found = list(_named(nvml, every, visible))
    uuids = [_asked(nvml, _uuid, nvml, each.handle) for each in found]
    if len(set(uuids)) < len(uuids):  # CUDA sees no GPU where one is named twice
        return []
    # A program sees one slice at most, and beside it no GPU.
    slices = [each for each in found if each.is_slice]
    return slices[:1] or found


def _named(nvml: Any, every: Sequence[Any | None], visible: str) -> Iterator[_Visible]:
    for place, entry in enumerate(name.strip() for name in visible.split(",")):
        if entry.startswith("MIG-"):
            handle = _asked(nvml, nvml.nvmlDeviceGetHandleByUUID, entry)
            if handle is None:
                return
            yield _Visible(place, handle, is_slice=True)
            continue
        number = _number(nvml, every, entry)
        if number is None:  # as CUDA does: nothing behind an entry that is not there is visible
            return
        if (seen := _of_gpu(nvml, every, number, place)) is not None:
            yield seen


def _number(nvml: Any, every: Sequence[Any | None], entry: str) -> int | None:
    """Return the number of the one GPU that `entry` of CUDA_VISIBLE_DEVICES names."""
    if entry.isdigit():
        return int(entry) if int(entry) < len(every) else None
    matches = [
        number
        for number, handle in enumerate(every)
        if entry and handle is not None and (_asked(nvml, _uuid, nvml, handle) or "").startswith(entry)
    ]
    return matches[0] if len(matches) == 1 else None


def _numbers(nvml: Any, every: Sequence[Any | None], visible: str) -> Iterator[int]:
    for entry in visible.split(","):
        number = _number(nvml, every, entry.strip())
        if number is None:
            return
        yield number


def _of_gpu(nvml: Any, every: Sequence[Any | None], number: int, place: int) -> _Visible | None:
    """Return what CUDA uses of a GPU: of one that is divided, its first slice; None: nothing."""
    handle = every[number]
    if handle is None:
        return None
    if not _is_divided(nvml, handle):
        return _Visible(place, handle)
    first = next(iter(_slices(nvml, handle)), None)
    return None if first is None else _Visible(place, first, is_slice=True)


def _names(nvml: Any, number: int, handle: Any | None) -> Iterator[str]:
    if handle is None:
        return
    if not _is_divided(nvml, handle):
        yield str(number)
        return
    for each in _slices(nvml, handle):
        yield _uuid(nvml, each)


def _is_divided(nvml: Any, handle: Any) -> bool:
    current_and_pending = _asked(nvml, nvml.nvmlDeviceGetMigMode, handle)
    return bool(current_and_pending and current_and_pending[0])


def _slices(nvml: Any, handle: Any) -> Iterator[Any]:
    """Yield the slices of a divided GPU that are here: their numbers have gaps, also in containers."""
    for index in range(_asked(nvml, nvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0):
        found = _asked(nvml, nvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, index)
        if found is not None:
            yield found


def _uuid(nvml: Any, handle: Any) -> str:
    uuid = nvml.nvmlDeviceGetUUID(handle)  # older bindings return bytes
    return uuid.decode() if isinstance(uuid, bytes) else str(uuid)


def _asked(nvml: Any, question: Callable[..., T], *what: Any) -> T | None:
    try:
        return question(*what)
    except nvml.NVMLError:
        return None
