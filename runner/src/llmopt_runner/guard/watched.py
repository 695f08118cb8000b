"""One device as a guard watches it, and the highest of several over a time."""

import logging
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet

import psutil

from llmopt_core.occupancy import Occupancy
from llmopt_runner.guard.attribution import Share, View, shares
from llmopt_runner.guard.incidents import DevicePeak, Incident
from llmopt_runner.guard.levels import NOTHING_RESERVED, GpuReserve, Level, Thresholds
from llmopt_runner.host.gpu_conditions import ClockLooks, GpuCondition
from llmopt_runner.host.occupancy import DeviceUnreadable, Holder, MemoryDevice, holders_of
from llmopt_runner.host.usage import resident_mib

log = logging.getLogger(__name__)

# An engine on one GPU may hold a context of its driver on the others, too.
_USED_SHARE = 0.1


class WatchedDevice:
    """One device with what was last seen of it; what cannot be read for a while stays as it was.

    `concerned`: the engine holds memory here. A GPU that it does not use is at most at WARNING.
    """

    def __init__(self, device: MemoryDevice, reserve: GpuReserve = NOTHING_RESERVED) -> None:
        """Look at it as it is before the engine's launch."""
        self.device = device
        self.seen = Occupancy(0, 0)
        self.engine_mib = 0.0
        self.others_mib = 0.0
        self.neighbours: AbstractSet[int] = frozenset()
        self.shared = False
        self.clock_events = 0
        self.concerned = device.kind == "host"
        self._level = Level.SAFE
        self._reserve = reserve if device.kind == "gpu" else NOTHING_RESERVED
        self._readable = True
        self.look(Thresholds())
        self.before = (device.kind == "gpu" and self.view()) or View(self.seen.used_mib, {})
        self._level = Level.SAFE

    def __str__(self) -> str:
        return f"{self.seen.used_mib:.0f} of {self.seen.total_mib:.0f} MiB of {self.device.name} are in use"

    @property
    def level(self) -> Level:
        """How full it is, as far as that concerns the engine."""
        return self._level if self.concerned else min(self._level, Level.WARNING)

    def look(self, thresholds: Thresholds) -> None:
        """Note how full it is."""
        try:
            self.seen = self.device.occupancy()
        except DeviceUnreadable as error:
            if self._readable:
                log.warning("a device's memory is not watched: %s", error)
            self._readable = False
            return
        self._readable = True
        self.clock_events = self.device.clock_events() if self.concerned else 0
        self._level = thresholds.level(self.seen, self.device.kind, reserved_mib=self._reserved_mib)

    def capacity_mib(self, thresholds: Thresholds, level: Level) -> float:
        """Return how much may be in use below a level."""
        total_mib = self.seen.total_mib
        return thresholds.begins_mib(level, total_mib, self.device.kind, reserved_mib=self._reserved_mib)

    @property
    def _reserved_mib(self) -> float:
        return self._reserve.of(self.seen.total_mib)

    def weigh(self, pids: Sequence[int], *, quick: bool = False) -> None:
        """Note what the engine holds of main memory; `quick` counts what its processes share more than once.

        It is for an incident, in which the engine may just be dying: what it held before still counts.
        """
        try:
            if quick:
                self.engine_mib = min(max(resident_mib(pids), self.engine_mib), self.seen.used_mib)
            else:
                self.engine_mib = self.device.used_by_mib(pids)
        except DeviceUnreadable:
            return
        self.others_mib = max(0.0, self.seen.used_mib - self.engine_mib)

    def view(self) -> View | None:
        """Return what the GPU lists now; None where it cannot be read."""
        try:
            listed = self.device.listed()
            used_mib = self.device.used_mib()
            here = frozenset(pid for pid in listed if psutil.pid_exists(pid))
        except OSError:  # also of the process table, where no more files may be opened
            return None
        return View(used_mib, listed, here)

    def take(self, share: Share) -> None:
        """Note whose a GPU's memory is."""
        self.engine_mib = share.mib or 0.0
        self.others_mib = share.others_mib
        self.neighbours = share.neighbours
        self.shared = share.shared

    def incident(self) -> Incident:
        """Return what happened here."""
        return Incident(self.device.name, self.device.kind, self._level, self.seen, self.engine_mib)

    def others(self, pids: Collection[int]) -> tuple[Holder, ...]:
        """Return the holders that are not among `pids`; it takes some time to find them."""
        return tuple(holder for holder in holders_of(self.device) if holder.pid not in pids)


def weigh_gpus(watched: Sequence[WatchedDevice], pids: Collection[int], *, dying: bool = False) -> None:
    """Note what the engine holds of each GPU among `watched`, and which of them it uses.

    All at once: only together they show whether NVML knows the engine's processes. Of an engine that may be
    `dying`, what it held before still counts.
    """
    seen = [(each, view) for each in watched if each.device.kind == "gpu" and (view := each.view())]
    found = shares([each.before for each, _ in seen], [view for _, view in seen], pids)
    for (each, _), share in zip(seen, found, strict=True):
        held_mib = each.engine_mib if dying else 0.0
        each.take(share)
        each.engine_mib = max(each.engine_mib, held_mib)
    most_mib = max((each.engine_mib for each, _ in seen), default=0.0)
    for each, _ in seen:
        each.concerned = is_used(each.engine_mib, most_mib)


def is_used(held_mib: float, most_mib: float) -> bool:
    """Say whether a GPU of which an engine holds so much is one that it uses, by what it holds at most."""
    return held_mib > 0 and held_mib >= _USED_SHARE * most_mib


class Window:
    """The highest over a time that somebody is interested in."""

    def __init__(self, watched: Sequence[WatchedDevice]) -> None:
        self.level = Level.SAFE
        self._watched = watched
        self._used = dict.fromkeys(range(len(watched)), 0.0)
        self._engine = dict.fromkeys(range(len(watched)), 0.0)
        self._others = dict.fromkeys(range(len(watched)), 0.0)
        self._shared: set[int] = set()
        self._neighbours: dict[int, AbstractSet[int]] = dict.fromkeys(range(len(watched)), frozenset())
        self._clocks = [ClockLooks() for _ in watched]
        self._errors = [each.device.memory_errors() for each in watched]
        self.gpu_conditions: tuple[GpuCondition, ...] = ()
        self._kills = [each.device.oom_kills() for each in watched]
        self._energy = [each.device.energy_joules() for each in watched]
        self.energy_joules: float | None = None

    def note(self) -> None:
        """Take over what was seen last."""
        for place, each in enumerate(self._watched):
            self.level = max(self.level, each.level)
            self._used[place] = max(self._used[place], each.seen.used_mib)
            self._engine[place] = max(self._engine[place], each.engine_mib)
            self._others[place] = max(self._others[place], each.others_mib)
            self._neighbours[place] |= each.neighbours
            if each.shared:
                self._shared.add(place)
            if each.concerned:
                self._clocks[place].note(each.clock_events)

    def end(self) -> None:
        """Note how the engine's GPUs were, and their energy since the window began: they only count it up.

        There is no energy where others used one of them too: it would be theirs as well.
        """
        used = self._used_gpus()
        self.gpu_conditions = tuple(self._condition(place) for place in used)
        if self._shared.isdisjoint(used):
            now = {place: self._watched[place].device.energy_joules() for place in used}
            joules = [
                later - then
                for place, later in now.items()
                if later is not None and (then := self._energy[place]) is not None
            ]
            self.energy_joules = sum(joules) if joules else None

    def _condition(self, place: int) -> GpuCondition:
        device = self._watched[place].device
        return GpuCondition(
            device.name,
            self._neighbours[place],
            self._others[place],
            place in self._shared,
            self._clocks[place].shares(),
            device.memory_errors() - self._errors[place],
        )

    def _used_gpus(self) -> list[int]:
        gpus = [place for place, each in enumerate(self._watched) if each.device.kind == "gpu"]
        most_mib = max((self._engine[place] for place in gpus), default=0.0)
        return [place for place in gpus if is_used(self._engine[place], most_mib)]

    def peaks(self) -> tuple[DevicePeak, ...]:
        """Return the highest by device."""
        return tuple(
            DevicePeak(
                each.device.name,
                each.device.kind,
                each.seen.total_mib,
                self._used[place],
                self._engine[place],
                self._others[place],
            )
            for place, each in enumerate(self._watched)
        )

    def oom_kills(self) -> int:
        """Return how often the kernel killed since the window began."""
        return sum(
            each.device.oom_kills() - then for each, then in zip(self._watched, self._kills, strict=True)
        )
