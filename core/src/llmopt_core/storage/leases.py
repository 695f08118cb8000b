"""Which running trials have lost their runner, judged without a common clock.

A runner's heartbeat only counts. A reader remembers, by its own monotonic clock, when it last saw it
of a trial's process move; a lease that stood still too long is over.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from llmopt_core.storage.documents import Heartbeat
from llmopt_core.storage.snapshot import StoredTrial

Clock = Callable[[], float]


@dataclass(frozen=True)
class _Observation:
    count: int | None
    at: float


class Leases:
    """The leases as one reader sees them. `seconds` is how long a heartbeat may stand still."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._seen: dict[int, _Observation] = {}  # by trial number

    def over(
        self, running: tuple[StoredTrial, ...], heartbeats: dict[str, Heartbeat]
    ) -> tuple[StoredTrial, ...]:
        """Return those of the `running` trials whose lease is over."""
        now = self._clock()
        self._seen = {trial.number: self._observation(trial, heartbeats, now) for trial in running}
        return tuple(trial for trial in running if self._is_over(trial, heartbeats, now))

    def _observation(self, trial: StoredTrial, heartbeats: dict[str, Heartbeat], now: float) -> _Observation:
        heartbeat = heartbeat_of(trial, heartbeats)
        count = None if heartbeat is None else heartbeat.runner.beat
        before = self._seen.get(trial.number)
        return before if before is not None and before.count == count else _Observation(count, now)

    def _is_over(self, trial: StoredTrial, heartbeats: dict[str, Heartbeat], now: float) -> bool:
        heartbeat = heartbeat_of(trial, heartbeats)
        if heartbeat is not None and heartbeat.runner.ended is not None:
            return True
        return now - self._seen[trial.number].at >= self._seconds


def heartbeat_of(trial: StoredTrial, heartbeats: dict[str, Heartbeat]) -> Heartbeat | None:
    """Return the heartbeat of the process that claimed `trial`, which another of the same name is not."""
    heartbeat = heartbeats.get(trial.assignment.runner or "")
    return heartbeat if heartbeat is not None and heartbeat.session == trial.assignment.session else None
