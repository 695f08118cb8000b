"""One device as a guard watches it, and the highest of several over a time."""

import logging
from collections.abc import Sequence

from llmopt_core.occupancy import Occupancy
from llmopt_runner.memory.incidents import DevicePeak, Incident
from llmopt_runner.memory.levels import Level, Thresholds, capacity_mib
from llmopt_runner.memory.occupancy import DeviceUnreadable, Holder, MemoryDevice
from llmopt_runner.memory.usage import resident_mib

log = logging.getLogger(__name__)


class WatchedDevice:
    """One device with what was last seen of it; what cannot be read for a while stays as it was."""

    def __init__(self, device: MemoryDevice, reserved_share: float = 0.0) -> None:
        """Look at it as it is before the engine's launch."""
        self.device = device
        self.seen = Occupancy(0, 0)
        self.level = Level.SAFE
        self.engine_mib = 0.0
        self._reserved_share = reserved_share if device.kind == "gpu" else 0.0
        self._readable = True
        self.look(Thresholds())
        self._before = self.seen
        self.level = Level.SAFE

    def __str__(self) -> str:
        return f"{self.seen.used_mib:.0f} of {self.seen.total_mib:.0f} MiB of {self.device.name} are in use"

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
        self.level = thresholds.level(self.seen, reserved_mib=self._reserved_mib)

    def capacity_mib(self, percent: float) -> float:
        """Return how much may be in use below a level that begins at `percent`."""
        return capacity_mib(self.seen.total_mib, percent, reserved_mib=self._reserved_mib)

    @property
    def _reserved_mib(self) -> float:
        return self._reserved_share * self.seen.total_mib

    def weigh(self, pids: Sequence[int], *, quick: bool = False) -> None:
        """Note what the engine holds; `quick` counts memory that its processes share more than once.

        It is for an incident, in which the engine may just be dying: what it held before still counts.
        """
        try:
            if quick and self.device.kind == "host":
                held = min(max(resident_mib(pids), self.engine_mib), self.seen.used_mib)
            else:
                held = self.device.used_by_mib(pids)
        except DeviceUnreadable:
            return
        if held == 0 and pids and self.device.kind == "gpu":
            # In a container the driver does not know our processes: what was added since is the engine's.
            held = max(0.0, self.seen.used_mib - self._before.used_mib)
        self.engine_mib = held

    def incident(self) -> Incident:
        """Return what happened here."""
        return Incident(self.device.name, self.device.kind, self.level, self.seen, self.engine_mib)

    def others(self, pids: Sequence[int]) -> tuple[Holder, ...]:
        """Return the holders that are not among `pids`; it takes some time to find them."""
        return tuple(holder for holder in self._holders() if holder.pid not in pids)

    def _holders(self) -> list[Holder]:
        try:
            return self.device.holders()
        except DeviceUnreadable:
            return []


class Window:
    """The highest over a time that somebody is interested in."""

    def __init__(self, watched: Sequence[WatchedDevice]) -> None:
        self.level = Level.SAFE
        self._watched = watched
        self._used = dict.fromkeys(range(len(watched)), 0.0)
        self._engine = dict.fromkeys(range(len(watched)), 0.0)
        self._kills = [each.device.oom_kills() for each in watched]
        self._energy = [each.device.energy_joules() for each in watched]
        self.energy_joules: float | None = None

    def note(self) -> None:
        """Take over what was seen last."""
        for place, each in enumerate(self._watched):
            self.level = max(self.level, each.level)
            self._used[place] = max(self._used[place], each.seen.used_mib)
            self._engine[place] = max(self._engine[place], each.engine_mib)

    def end(self) -> None:
        """Note the energy since the window began: devices only count it up."""
        pairs = zip((each.device.energy_joules() for each in self._watched), self._energy, strict=True)
        joules = [now - then for now, then in pairs if now is not None and then is not None]
        self.energy_joules = sum(joules) if joules else None

    def peaks(self) -> tuple[DevicePeak, ...]:
        """Return the highest by device."""
        return tuple(
            DevicePeak(
                each.device.name,
                each.device.kind,
                each.seen.total_mib,
                self._used[place],
                self._engine[place],
            )
            for place, each in enumerate(self._watched)
        )

    def oom_kills(self) -> int:
        """Return how often the kernel killed since the window began."""
        return sum(
            each.device.oom_kills() - then for each, then in zip(self._watched, self._kills, strict=True)
        )
