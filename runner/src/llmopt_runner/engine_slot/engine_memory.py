"""Weaves the memory guard into the life of a slot's engine: before its start, while it serves, afterwards."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from llmopt_core.engines.memory_parameters import MemoryWords
from llmopt_core.errors.classes import ErrorClass, Failure, LlmoptError
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.base import Engine
from llmopt_runner.engines.failures import EngineStartFailed
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.guard.gpu_starts import alone_on
from llmopt_runner.guard.guard import GuardReading, MemoryGuard
from llmopt_runner.guard.leaks import LeakCheck
from llmopt_runner.guard.levels import GpuReserve, Level, Thresholds
from llmopt_runner.host.occupancy import DeviceUnreadable, Holder, MemoryDevice, holders_of
from llmopt_runner.memory.layer_words import LayoutUnknown
from llmopt_runner.memory.needs import MemoryNeed
from llmopt_runner.memory.prediction import (
    GUARD_FACT,
    NEED_FACT,
    DeviceCapacity,
    devices_of,
    estimate,
    need_facts,
    observations,
    refusal,
    too_few_gpus,
)
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.stopping import Interrupted

log = logging.getLogger(__name__)

# The cache took what was left of memory.
_FILLS_FACT = "cache_takes_rest"
# An engine that computes on a GPU holds a context there, and weights.
_LEAST_HELD_MIB = 100.0
NOTHING_SEEN = GuardReading(Level.SAFE, (), ())


class MemoryExceeded(LlmoptError):
    """Memory was, or would be, too little for a configuration; `failure` has the details.

    `predicted`: no engine was started, for it surely would not fit.
    """

    def __init__(self, failure: Failure, facts: Mapping[str, Any], *, predicted: bool = False) -> None:
        """Keep failure and facts as they are stored."""
        super().__init__(failure.message)
        self.predicted = predicted
        self._failure = failure
        self.facts = facts

    @property
    def failure(self) -> Failure:
        """The failure as it is stored and shown."""
        return self._failure


@dataclass(frozen=True)
class _Guarded:
    """One load: its guard, what memory was before it, what was predicted, and what a failure says of it."""

    guard: MemoryGuard
    leaks: LeakCheck
    configuration: Configuration
    need: MemoryNeed | None
    fills: bool
    words: MemoryWords


class EngineMemory:
    """The memory of the engines that one slot loads, one after another; without devices it does nothing.

    `shape` is the model's, None where there are no files: then nothing is predicted. A shape that is not
    understood predicts nothing either, and is a warning. `facts` returns those of
    the study's earlier outcomes, by which predictions are corrected. `stop` ends what the engine is asked.
    `unseen` are accelerators whose memory is not known: what may lie there is not judged by main memory.
    `counts_gpus`: no other runner counts the hours of the same GPUs. `actions` counts what was done about
    memory, for all the slots of a runner.
    """

    def __init__(
        self,
        devices: Sequence[MemoryDevice] = (),
        thresholds: Thresholds | None = None,
        *,
        shape: ModelShape | None = None,
        facts: Callable[[], Iterable[Mapping[str, Any]]] = lambda: (),
        stop: Callable[[], None] = lambda: None,
        unseen: Sequence[str] = (),
        counts_gpus: bool = True,
        actions: Counter[str] | None = None,
    ) -> None:
        """Keep what is watched, and how."""
        self._devices = devices
        self._thresholds = thresholds or Thresholds()
        self._shape = shape
        self._earlier_facts = facts
        self._stop = stop
        self._warnings: list[str] = []
        self._said: set[str] = set()
        self._unseen = unseen
        if unseen:
            self._warnings.append(
                f"{', '.join(unseen)}: memory, energy and neighbours are not watched there, and what needs"
                " too much of it is found out by starting it"
            )
        self._counts_gpus = counts_gpus
        self._leaves_gpus_idle = False
        self._now: _Guarded | None = None
        self._reading = NOTHING_SEEN
        if shape is not None and shape.unknown:
            self._shape = None
            self._warnings.append(f"memory is not predicted for this model: {shape.unknown}")
        self._actions: Counter[str] = Counter() if actions is None else actions

    @property
    def guard(self) -> MemoryGuard | None:
        """The guard of the engine that is loaded, or being loaded."""
        return self._now.guard if self._now else None

    @property
    def gpus(self) -> int:
        """How many GPUs the engines may use, and so are held while the runner lives."""
        return sum(device.kind == "gpu" for device in self._devices)

    @property
    def counted_gpus(self) -> int:
        """How many GPUs count as this runner's: none where another runner holds the same ones."""
        return self.gpus if self._counts_gpus else 0

    def gpu_joules(self) -> Mapping[str, float | None]:
        """Return the GPUs that count as this runner's, each with its own count of its energy or None."""
        gpus = [device for device in self._devices if device.kind == "gpu" and self._counts_gpus]
        return {device.name: device.energy_joules() for device in gpus}

    def actions(self) -> Mapping[str, int]:
        """Return how often something was done about memory since the runner began: refuse, stop, kill."""
        running = Counter(self.guard.actions) if self.guard else Counter[str]()
        return self._actions + running

    def require_memory(self, engine: Engine, configuration: Configuration) -> None:
        """Raise MemoryExceeded where `configuration` surely does not fit, were the loaded engine stopped.

        An engine that is spread over more GPUs than there are does not fit either.
        """
        need = self._need_of(engine, configuration)
        if need is None or self._is_elsewhere(engine, configuration):
            return
        gpus = 0 if self._leaves_gpus_idle else self.gpus
        failure = too_few_gpus(need, gpus) or self._refusal(engine, configuration, need, gpus)
        if failure is not None:
            self._actions["refuse"] += 1
            raise MemoryExceeded(failure, _facts(need, NOTHING_SEEN), predicted=True)

    def _refusal(
        self, engine: Engine, configuration: Configuration, need: MemoryNeed, gpus: int
    ) -> Failure | None:
        devices = devices_of(need, self._devices_now(need, engine.gpu_reserve(configuration)))
        learned = (facts for facts in self._earlier_facts() if _is_measured(facts))
        expected = estimate(need, observations(learned, gpus=gpus > 0))
        words = engine.declaration.memory.words(configuration.engine)
        return refusal(need, expected, devices, words, self._holders)

    def _is_elsewhere(self, engine: Engine, configuration: Configuration) -> bool:
        """Say whether the engine may take the memory of accelerators of which nothing is known here."""
        return bool(self._unseen) and engine.uses_gpus(configuration)

    def _need_of(self, engine: Engine, configuration: Configuration) -> MemoryNeed | None:
        if self._shape is None:
            return None
        try:
            need = engine.memory_need(self._shape, configuration)
        except LayoutUnknown as error:
            self._warn_once(f"memory is not predicted for this configuration: {error}")
            return None
        if need is not None and need.left_out:
            self._warn_once(f"in the prediction of memory {need.left_out}")
        return need

    def _warn_once(self, warning: str) -> None:
        if warning not in self._said:
            self._said.add(warning)
            self._warnings.append(warning)

    @contextmanager
    def starting(
        self, engine: Engine, configuration: Configuration, cancelled: Callable[[], bool]
    ) -> Iterator[None]:
        """Start an engine in the block, while no other runner of this machine starts one on the same GPUs.

        Raises Interrupted where it was `cancelled` while it waited.
        """
        with alone_on(self._used(engine, configuration), cancelled):
            yield

    def load(self, server: EngineServer, configuration: Configuration, start: Callable[[], float]) -> float:
        """Return what `start` returns, guarded from before it until `unloaded`.

        Raises MemoryExceeded when memory was why it failed.
        """
        if not self._devices:
            return start()
        guard = self._guard(server, configuration)
        leaks = LeakCheck(self._used(server.engine, configuration))
        before = self._gpu_mib(server.engine, configuration)
        need = self._need_of(server.engine, configuration)
        self._now = _Guarded(
            guard,
            leaks,
            configuration,
            need,
            fills=server.engine.cache_takes_rest(configuration),
            words=server.engine.declaration.memory.words(configuration.engine),
        )
        guard.begin()
        try:
            seconds = start()
        except (EngineStartFailed, Interrupted) as error:
            if failure := self.failure(ended=True) or self._busy_start(error, configuration):
                self._reading = guard.reading()
                raise MemoryExceeded(failure, self.facts()) from error
            raise
        guard.stop = self._stop
        self._reading = guard.reading()
        # It may have answered just before what was done about it took effect.
        if failure := self.failure(ended=False):
            raise MemoryExceeded(failure, self.facts())
        self._warn_of_idle_gpus(before)
        return seconds

    def _gpu_mib(self, engine: Engine, configuration: Configuration) -> Mapping[str, float]:
        """Return what is taken of each GPU that the engine may use, of those that can be read."""
        taken = {}
        for device in self._used(engine, configuration):
            if device.kind == "gpu":
                with suppress(DeviceUnreadable):
                    taken[device.name] = device.occupancy().used_mib
        return taken

    def _warn_of_idle_gpus(self, before_mib: Mapping[str, float]) -> None:
        """Say so where an engine that may use GPUs holds nothing of them: it computes on the processor.

        What it needs of memory is then main memory alone, also for the configurations after this one.
        """
        peaks = [peak for peak in self._reading.peaks if peak.device in before_mib]
        if not peaks:
            return
        held = self._reading.engine_mib("gpu") >= _LEAST_HELD_MIB
        grown = any(peak.used_mib - before_mib[peak.device] >= _LEAST_HELD_MIB for peak in peaks)
        self._leaves_gpus_idle = not held and not grown
        if self._leaves_gpus_idle:
            self._warnings.append(
                f"{', '.join(peak.device for peak in peaks)}: visible, and the engine holds less than"
                f" {_LEAST_HELD_MIB:.0f} MiB there, so it computes on the processor: install its build for"
                " this GPU, or a newer driver, or set its parameters to use no GPU"
            )

    def _guard(self, server: EngineServer, configuration: Configuration) -> MemoryGuard:
        reserve = server.engine.gpu_reserve(configuration)
        # While it loads there is no measurement that could end gracefully.
        return MemoryGuard(
            self._used(server.engine, configuration),
            self._thresholds,
            server.pids,
            server.kill,
            stop=server.kill,
            reserve=reserve,
        )

    def _used(self, engine: Engine, configuration: Configuration) -> Sequence[MemoryDevice]:
        if not self.gpus or engine.uses_gpus(configuration):
            return self._devices
        return [device for device in self._devices if device.kind != "gpu"]

    @contextmanager
    def measuring(self) -> Iterator[Callable[[], GuardReading]]:
        """Watch the time of the block by itself; what it gives returns the reading."""
        if self.guard is None:
            yield lambda: NOTHING_SEEN
            return
        with self.guard.window() as reading:
            try:
                yield reading
            finally:
                self._reading = reading()

    def failure(self, *, ended: bool) -> Failure | None:
        """Return what memory did to a trial; that the kernel killed counts only where it `ended` badly."""
        if self._now is None or not (ended or self._now.guard.exceeded):
            return None
        return self._now.guard.failure(self._now.words)

    def busy(self, failure: Failure) -> Failure | None:
        """Return that memory was busy where a GPU was too small because others held most of it, or None."""
        if self._now is None or failure.error_class is not ErrorClass.GPU_OUT_OF_MEMORY:
            return None
        return self._now.guard.crowded(failure.message)

    def _busy_start(self, error: LlmoptError, configuration: Configuration) -> Failure | None:
        if not isinstance(error, EngineStartFailed):
            return None
        return self.busy(error.explained(configuration.engine))

    def facts(self) -> dict[str, Any]:
        """Return what was predicted and seen of the loaded engine, as an outcome's facts have it."""
        if self._now is None:
            return {}
        facts = _facts(self._now.need, self._reading)
        return facts | {_FILLS_FACT: True} if self._now.fills else facts

    def unloaded(self) -> None:
        """Note that the engine was stopped: the guard ends, and memory must be as before."""
        now, self._now = self._now, None
        if now is None:
            return
        now.guard.end()
        self._actions.update(now.guard.actions)
        for leak in now.leaks.find(now.guard.pids_seen):
            log.error("%s", leak)
            self._warnings.append(str(leak))

    def take_warnings(self) -> tuple[str, ...]:
        """Return what is to be said once, such as leaks of engines that were stopped since the last call."""
        taken, self._warnings = tuple(self._warnings), []
        return taken

    def _devices_now(self, need: MemoryNeed, reserve: GpuReserve) -> list[DeviceCapacity]:
        """Return what the devices offer; nothing where one that `need` may be taken from cannot be read.

        GPUs that an earlier start left idle offer nothing.
        """
        shares = self.guard.shares_mib() if self.guard else {}
        devices = []
        for device in self._devices:
            if device.kind == "gpu" and self._leaves_gpus_idle:
                continue
            try:
                seen = device.occupancy()
            except DeviceUnreadable:
                if device.kind == "gpu" and need.place == "host":
                    continue
                return []  # nothing is sure
            reserved_mib = reserve.of(seen.total_mib) if device.kind == "gpu" else 0.0
            capacity = self._thresholds.begins_mib(
                Level.EMERGENCY, seen.total_mib, device.kind, reserved_mib=reserved_mib
            )
            others = max(0.0, seen.used_mib - shares.get(device.name, 0.0))
            devices.append(DeviceCapacity(device.name, device.kind, seen.total_mib, capacity, others))
        return devices

    def _holders(self) -> tuple[Holder, ...]:
        return tuple(holder for device in self._devices for holder in holders_of(device))


def _is_measured(facts: Mapping[str, Any]) -> bool:
    """Say whether what an engine held shows its need: not where its cache took what was left."""
    return not facts.get(_FILLS_FACT)


def _facts(need: MemoryNeed | None, reading: GuardReading) -> dict[str, Any]:
    facts = {} if need is None else {NEED_FACT: need_facts(need)}
    return {**facts, GUARD_FACT: reading.facts()} if reading.peaks else facts
