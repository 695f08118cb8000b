"""Memory, GPUs and waiting time of one runner, asked for at each scrape, so that nothing has to push them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from llmopt_runner.trial.progress import Progress

_BYTES_PER_MIB = 2**20
_GUARD_ACTIONS = ("refuse", "stop", "kill")


@dataclass(frozen=True)
class DeviceMemory:
    """One device's memory now. `level` is 0 (safe) to 3 (emergency), None where nothing judges it."""

    device: str
    used_mib: float
    total_mib: float
    level: int | None = None


class RunnerView(Protocol):
    """What is known of a runner now; each must answer at once."""

    def devices(self) -> Sequence[DeviceMemory]:
        """Return the devices that are watched now."""

    def guard_actions(self) -> Mapping[str, int]:
        """Return how often the guard did what since the runner began; the counts never fall."""

    def gpu_joules(self) -> Mapping[str, float | None]:
        """Return the GPUs that count as this runner's, each with its own count of its energy."""

    def wait_seconds(self) -> float:
        """Return how long the runner had no trial since it began, because others had the last ones."""

    def storage_failures(self) -> int:
        """Return how often the storage did not answer since the runner began."""


class ProgressView:
    """What the runner does now, as a RunnerView."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def devices(self) -> Sequence[DeviceMemory]:
        """Return what the guard saw last; nothing while no engine is loaded."""
        guard = self._progress.memory.guard
        return tuple(
            DeviceMemory(name, seen.used_mib, seen.total_mib, int(level))
            for name, (seen, level) in (guard.now() if guard else {}).items()
        )

    def guard_actions(self) -> Mapping[str, int]:
        """Return how often a start was refused, a trial ended, an engine killed."""
        return self._progress.memory.actions()

    def gpu_joules(self) -> Mapping[str, float | None]:
        """Return the count of each GPU that counts as this runner's; None where it has no count."""
        return self._progress.memory.gpu_joules()

    def wait_seconds(self) -> float:
        """Return how long the runner had no trial."""
        return self._progress.waited_seconds

    def storage_failures(self) -> int:
        """Return how often the storage did not answer the runner's loop."""
        return self._progress.storage_failures


class GpuUse:
    """Time and energy of the GPUs that a runner holds, counted up from look to look."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = 0.0
        self.joules = 0.0
        self._clock = clock
        self._at = clock()
        self._counts: Mapping[str, float | None] = {}

    def look(self, counts: Mapping[str, float | None]) -> None:
        """Add what passed since the last look, for the GPUs that are held now.

        A GPU's own count may begin again, with its driver: then nothing is added for it.
        """
        now = self._clock()
        self.seconds += (now - self._at) * len(counts)
        for gpu, count in counts.items():
            before = self._counts.get(gpu)
            if count is not None and before is not None:
                self.joules += max(0.0, count - before)
        self._at, self._counts = now, {**self._counts, **counts}


class DeviceCollector(Collector):
    """Asks the view at each scrape."""

    def __init__(self, view: RunnerView, clock: Callable[[], float] = time.monotonic) -> None:
        self._view = view
        self._gpus = GpuUse(clock)
        self._gpus.look(view.gpu_joules())

    def collect(self) -> Iterator[Metric]:
        """Yield memory and the guard's level by device, what the guard did, GPU use, and waiting time."""
        yield from _memory(self._view.devices())
        yield _actions(self._view.guard_actions())
        self._gpus.look(self._view.gpu_joules())
        yield _total(
            "gpu_seconds", "Time that this runner held GPUs, added up over its GPUs.", self._gpus.seconds
        )
        yield _total(
            "gpu_energy_joules",
            "Energy of the GPUs that this runner held, where they count it; others' use of them included.",
            self._gpus.joules,
        )
        yield _total(
            "wait_seconds",
            "Time without a trial, while other runners had the last ones.",
            self._view.wait_seconds(),
        )
        yield _total(
            "storage_failures", "How often the storage did not answer.", self._view.storage_failures()
        )


def _memory(devices: Sequence[DeviceMemory]) -> Iterator[Metric]:
    yield _by_device("memory_used_bytes", "Memory in use.", _bytes(devices, lambda one: one.used_mib))
    yield _by_device("memory_total_bytes", "Memory there is.", _bytes(devices, lambda one: one.total_mib))
    levels = {one.device: float(one.level) for one in devices if one.level is not None}
    yield _by_device("memory_level", "0 safe, 1 warning, 2 critical, 3 emergency.", levels)


def _bytes(devices: Sequence[DeviceMemory], mib_of: Callable[[DeviceMemory], float]) -> dict[str, float]:
    return {one.device: mib_of(one) * _BYTES_PER_MIB for one in devices}


def _by_device(name: str, text: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"llmopt_runner_{name}", text, labels=("device",))
    for device, value in values.items():
        family.add_metric((device,), value)
    return family


def _actions(done: Mapping[str, int]) -> CounterMetricFamily:
    text = "What the memory guard did, by action."
    family = CounterMetricFamily("llmopt_runner_guard_actions", text, labels=("action",))
    for action, count in (dict.fromkeys(_GUARD_ACTIONS, 0) | dict(sorted(done.items()))).items():
        family.add_metric((action,), count)
    return family


def _total(name: str, text: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"llmopt_runner_{name}", text, value=value)
