# ruff: noqa: N802 - the functions have the library's own names
"""GPUs that are not here: a stand-in for libnvidia-ml.so.1 itself, below the real module pynvml.

pynvml calls it as it calls the library: with handles and with pointers to its structures. What it answers:

- memory, energy and processes as an NVIDIA H200 with driver 580 gave them (bench/results/2026-11-26-h200.md):
  v1 counts what the driver reserves as used, v2 apart; every process comes with its memory. Before driver
  510, without v2, v1 left it out (a T4 had 15,109 MiB for nvidia-smi, and has 15,360 since)
- process ids in containers: those of the host with drivers without PID namespaces (NVIDIA/nvidia-docker issue
  1483); translated, and without processes of other namespaces, since; and translated with a memory of 0
  (NVIDIA/open-gpu-kernel-modules pull request 614, Project-HAMi/HAMi-core issue 112)
- MIG by NVML's reference (`nvmlDeviceGetMaxMigDeviceCount`: indices may have gaps) and NVIDIA's MIG user
  guide; a divided GPU shows a caller without rights nothing of its processes, slices count no energy
- errors, clock event reasons and ECC counters by NVML's reference; a function that a driver does not have is
  missing from the library
"""

import ctypes
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pynvml

MIB = 1024 * 1024
H200_RESERVED_MIB = 615
_DRIVER = b"580.159.04"
_CUDA = 13000


class Pids(Enum):
    """Which process ids NVML gives, and with what."""

    OWN = "own"  # outside of containers
    HOST = "host"
    TRANSLATED = "translated"
    WITHOUT_MEMORY = "translated without memory"


@dataclass
class Process:
    """A process on a GPU. `pid` is its id here; one of another PID namespace has only that of the host."""

    mib: float
    pid: int | None
    host_pid: int
    growth_mib: float = 0.0  # by which it grows with each look at the memory


@dataclass
class Gpu:
    """One GPU or one slice; everything may be changed at any time.

    `error` is what NVML answers to every question about it, `no_handle` what where its handle is asked
    for. `slices` are by their index: a GPU that has some is in MIG mode. `hidden_mib` is held by nobody that
    any driver lists, such as a display.
    """

    uuid: str = "GPU-0000"
    total_mib: float = 1000.0
    name: str = "NVIDIA H200"
    reserved_mib: float = 0.0
    hidden_mib: float = 0.0
    processes: list[Process] = field(default_factory=list)
    millijoules: int | None = None
    reasons: int = 0
    ecc_errors: int | None = None
    capability: tuple[int, int] | None = (9, 0)
    numa_node: int | None = None
    slices: dict[int, "Gpu"] = field(default_factory=dict)
    error: int | None = None
    no_handle: int | None = None

    def hold(self, pid: int, mib: float, *, host_pid: int | None = None, growth_mib: float = 0.0) -> None:
        """Let a process of this PID namespace hold `mib`."""
        self.release(pid)
        host = pid + 1_000_000 if host_pid is None else host_pid
        self.processes.append(Process(mib, pid, host, growth_mib))

    def hold_elsewhere(self, host_pid: int, mib: float, *, growth_mib: float = 0.0) -> None:
        """Let a process of another PID namespace hold `mib`: that of another pod on a GPU shared in time."""
        self.processes = [each for each in self.processes if each.host_pid != host_pid]
        self.processes.append(Process(mib, None, host_pid, growth_mib))

    def release(self, pid: int) -> None:
        """Let a process of this PID namespace be gone."""
        self.processes = [each for each in self.processes if each.pid != pid]

    @property
    def used_mib(self) -> float:
        return self.hidden_mib + sum(each.mib for each in self.processes)

    def grow(self) -> None:
        for each in self.processes:
            each.mib += each.growth_mib


class NvmlLibrary:
    """The library with its functions under their own names; `gpus` are in the order of their bus."""

    def __init__(
        self,
        gpus: Iterable[Gpu],
        *,
        pids: Pids = Pids.OWN,
        driver: bool = True,
        lacks: Iterable[str] = (),
        count_error: int | None = None,
    ) -> None:
        self.gpus = list(gpus)
        self.pids = pids
        self.driver = driver
        self.count_error = count_error
        self.calls: list[str] = []
        self._lacks = frozenset(lacks)

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("nvml"):
            if name in self._lacks:
                raise AttributeError(name)
            self.calls.append(name)
        return super().__getattribute__(name)

    # --- the library as a whole ---

    def nvmlInitWithFlags(self, _flags: int) -> int:
        return pynvml.NVML_SUCCESS if self.driver else pynvml.NVML_ERROR_DRIVER_NOT_LOADED

    def nvmlSystemGetDriverVersion(self, text: Any, _length: Any) -> int:
        text.value = _DRIVER
        return pynvml.NVML_SUCCESS

    def nvmlSystemGetCudaDriverVersion_v2(self, number: Any) -> int:
        return _give(number, _CUDA)

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:
        return _give(count, len(self.gpus)) if self.count_error is None else self.count_error

    # --- handles ---

    def nvmlDeviceGetHandleByIndex_v2(self, index: Any, handle: Any) -> int:
        if index.value >= len(self.gpus):
            return pynvml.NVML_ERROR_INVALID_ARGUMENT
        return self._give_handle(self.gpus[index.value], handle)

    def nvmlDeviceGetHandleByUUID(self, uuid: Any, handle: Any) -> int:
        found = next((gpu for gpu in self._every() if gpu.uuid.encode() == uuid.value), None)
        return pynvml.NVML_ERROR_NOT_FOUND if found is None else self._give_handle(found, handle)

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: Any, index: Any, slice_handle: Any) -> int:
        def give(gpu: Gpu) -> int:
            found = gpu.slices.get(index.value)
            return pynvml.NVML_ERROR_NOT_FOUND if found is None else self._give_handle(found, slice_handle)

        return self._about(handle, give)

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: Any, count: Any) -> int:
        return self._about(handle, lambda gpu: _give(count, max(gpu.slices, default=-1) + 1))

    def nvmlDeviceGetMigMode(self, handle: Any, current: Any, pending: Any) -> int:
        def give(gpu: Gpu) -> int:
            _give(pending, int(bool(gpu.slices)))
            return _give(current, int(bool(gpu.slices)))

        return self._about(handle, give)

    # --- one device ---

    def nvmlDeviceGetUUID(self, handle: Any, text: Any, _length: Any) -> int:
        return self._about(handle, lambda gpu: _write(text, gpu.uuid))

    def nvmlDeviceGetName(self, handle: Any, text: Any, _length: Any) -> int:
        return self._about(handle, lambda gpu: _write(text, gpu.name))

    def nvmlDeviceGetMemoryInfo(self, handle: Any, memory: Any) -> int:
        def give(gpu: Gpu) -> int:
            gpu.grow()
            struct, reserved = memory._obj, gpu.reserved_mib
            old = "nvmlDeviceGetMemoryInfo_v2" in self._lacks
            struct.total = _bytes(gpu.total_mib - (reserved if old else 0))
            struct.used = _bytes(gpu.used_mib + (0 if old else reserved))
            struct.free = struct.total - struct.used
            return pynvml.NVML_SUCCESS

        return self._about(handle, give)

    def nvmlDeviceGetMemoryInfo_v2(self, handle: Any, memory: Any) -> int:
        def give(gpu: Gpu) -> int:
            gpu.grow()
            struct = memory._obj
            struct.total, struct.used = _bytes(gpu.total_mib), _bytes(gpu.used_mib)
            struct.reserved = _bytes(gpu.reserved_mib)
            struct.free = _bytes(gpu.total_mib - gpu.used_mib - gpu.reserved_mib)
            return pynvml.NVML_SUCCESS

        return self._about(handle, give)

    def nvmlDeviceGetComputeRunningProcesses_v3(self, handle: Any, count: Any, processes: Any) -> int:
        def give(gpu: Gpu) -> int:
            if gpu.slices:
                return pynvml.NVML_ERROR_NO_PERMISSION
            listed = list(self._listed(gpu))
            capacity, count._obj.value = count._obj.value, len(listed)
            if not listed:
                return pynvml.NVML_SUCCESS
            if capacity < len(listed):
                return pynvml.NVML_ERROR_INSUFFICIENT_SIZE
            for place, (pid, mib) in enumerate(listed):
                processes[place].pid, processes[place].usedGpuMemory = pid, _bytes(mib)
            return pynvml.NVML_SUCCESS

        return self._about(handle, give)

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: Any, millijoules: Any) -> int:
        return self._about(handle, lambda gpu: _give(millijoules, gpu.millijoules))

    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: Any, reasons: Any) -> int:
        return self._about(handle, lambda gpu: _give(reasons, gpu.reasons))

    def nvmlDeviceGetTotalEccErrors(self, handle: Any, kind: Any, counter: Any, errors: Any) -> int:
        assert kind.value == pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED
        assert counter.value == pynvml.NVML_VOLATILE_ECC
        return self._about(handle, lambda gpu: _give(errors, gpu.ecc_errors))

    def nvmlDeviceGetNumaNodeId(self, handle: Any, node: Any) -> int:
        return self._about(handle, lambda gpu: _give(node, gpu.numa_node))

    def nvmlDeviceGetCudaComputeCapability(self, handle: Any, major: Any, minor: Any) -> int:
        def give(gpu: Gpu) -> int:
            if gpu.capability is None or self._whole_of(gpu) is not gpu:
                return pynvml.NVML_ERROR_NOT_SUPPORTED
            _give(minor, gpu.capability[1])
            return _give(major, gpu.capability[0])

        return self._about(handle, give)

    def nvmlDeviceGetDeviceHandleFromMigDeviceHandle(self, handle: Any, whole: Any) -> int:
        def give(gpu: Gpu) -> int:
            found = self._whole_of(gpu)
            return pynvml.NVML_ERROR_INVALID_ARGUMENT if found is gpu else self._give_handle(found, whole)

        return self._about(handle, give)

    # --- how it works ---

    def _whole_of(self, gpu: Gpu) -> Gpu:
        """Return the GPU that a slice is of; of a whole one itself."""
        return next((each for each in self.gpus if gpu in each.slices.values()), gpu)

    def _listed(self, gpu: Gpu) -> Iterator[tuple[int, float]]:
        for each in gpu.processes:
            if self.pids is Pids.HOST or (self.pids is Pids.OWN and each.pid is None):
                yield each.host_pid, each.mib
            elif each.pid is not None:
                yield each.pid, 0.0 if self.pids is Pids.WITHOUT_MEMORY else each.mib

    def _every(self) -> list[Gpu]:
        return [each for gpu in self.gpus for each in (gpu, *gpu.slices.values())]

    def _give_handle(self, gpu: Gpu, handle: Any) -> int:
        if gpu.no_handle is not None:
            return gpu.no_handle
        number = next(place for place, each in enumerate(self._every(), start=1) if each is gpu)
        ctypes.c_void_p.from_address(ctypes.addressof(handle._obj)).value = number
        return pynvml.NVML_SUCCESS

    def _about(self, handle: Any, answer: Callable[[Gpu], int]) -> int:
        number = ctypes.cast(handle, ctypes.c_void_p).value
        assert number, "a handle that NVML never gave"
        gpu = self._every()[number - 1]
        return answer(gpu) if gpu.error is None else gpu.error


def _give(place: Any, value: int | None) -> int:
    if value is None:
        return pynvml.NVML_ERROR_NOT_SUPPORTED
    place._obj.value = value
    return pynvml.NVML_SUCCESS


def _write(text: Any, value: str) -> int:
    text.value = value.encode()
    return pynvml.NVML_SUCCESS


def _bytes(mib: float) -> int:
    return int(mib * MIB)


def install(monkeypatch: Any, *gpus: Gpu, **how: Any) -> NvmlLibrary:
    """Put a library with `gpus` in the place of the one that pynvml would load; return it."""
    library = NvmlLibrary(gpus, **how)
    monkeypatch.setattr(pynvml, "nvmlLib", library)
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    return library
