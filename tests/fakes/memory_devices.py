"""Memory that is not here: a device whose numbers a test sets, and an NVML without GPUs."""

from types import SimpleNamespace

from llmopt_core.occupancy import Occupancy
from llmopt_runner.memory.occupancy import DeviceUnreadable, Holder

MIB = 1024 * 1024


class FakeDevice:
    """Says what it is told to; `used` and `held` may be changed at any time."""

    def __init__(self, total=1000.0, used=0.0, *, kind="host", name=None):
        self.kind, self.name = kind, name or kind
        self.total, self.used = total, used
        self.held = {}  # MiB by process
        self.kills = 0
        self.joules = None
        self.readable = True

    def occupancy(self):
        if not self.readable:
            raise DeviceUnreadable(f"{self.name} is gone")
        return Occupancy(self.total, self.used)

    def total_mib(self):
        return self.occupancy().total_mib

    def used_mib(self):
        return self.occupancy().used_mib

    def used_by_mib(self, pids):
        return sum(self.held.get(pid, 0.0) for pid in pids)

    def holders(self):
        held = sorted(self.held.items(), key=lambda pair: -pair[1])
        return [Holder(pid, f"process-{pid}", mib) for pid, mib in held]

    def own(self):
        return self.used_mib(), self.holders()

    def oom_kills(self):
        return self.kills

    def energy_joules(self):
        return self.joules


class FakeNvml:
    """Stands for the module pynvml on a machine with GPUs, which this one is not.

    `gpus` are (uuid, total MiB); GPU 1, where there is one, is divided into slices when `divided`.
    """

    class NVMLError(Exception):
        pass

    def __init__(self, gpus=(("GPU-aaaa", 1000), ("GPU-bbbb", 2000)), *, divided=False, driver=True):
        self.gpus = [self._gpu(uuid, total) for uuid, total in gpus]
        self.slices = [self._gpu("MIG-1111", 500), self._gpu("MIG-2222", 500)] if divided else []
        self.driver = driver
        self.lost = False

    @staticmethod
    def _gpu(uuid, total):
        return SimpleNamespace(uuid=uuid, total=total, used=100, processes=[], millijoules=None)

    def nvmlInit(self):  # noqa: N802 - NVML's own names
        if not self.driver:
            raise self.NVMLError("Driver Not Loaded")

    def nvmlDeviceGetCount(self):  # noqa: N802
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index):  # noqa: N802
        return self.gpus[index]

    def nvmlDeviceGetHandleByUUID(self, uuid):  # noqa: N802
        for each in (*self.gpus, *self.slices):
            if each.uuid == uuid:
                return each
        raise self.NVMLError("Not Found")

    def nvmlDeviceGetUUID(self, handle):  # noqa: N802
        return handle.uuid

    def nvmlDeviceGetMigMode(self, handle):  # noqa: N802
        if handle is not self.gpus[-1]:
            raise self.NVMLError("Not Supported")
        return [int(bool(self.slices))] * 2

    def nvmlDeviceGetMigDeviceHandleByIndex(self, _handle, index):  # noqa: N802
        return self.slices[index]

    def nvmlDeviceGetMemoryInfo(self, handle):  # noqa: N802
        if self.lost:
            raise self.NVMLError("GPU is lost")
        return SimpleNamespace(total=handle.total * MIB, used=handle.used * MIB)

    def nvmlDeviceGetComputeRunningProcesses(self, handle):  # noqa: N802
        sizes = [(pid, None if mib is None else mib * MIB) for pid, mib in handle.processes]
        return [SimpleNamespace(pid=pid, usedGpuMemory=size) for pid, size in sizes]

    def nvmlDeviceGetTotalEnergyConsumption(self, handle):  # noqa: N802
        if handle.millijoules is None:
            raise self.NVMLError("Not Supported")
        return handle.millijoules
