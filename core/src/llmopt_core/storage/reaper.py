"""Sweeping up after runners that died."""

import time

from llmopt_core.storage.leases import Clock, Leases
from llmopt_core.storage.studies import Study


class Reaper:
    """Finds trials whose runner died, or said that it ended, and has them run again.

    However many reapers sweep, each lost trial is run again exactly once. A trial whose runner died
    `max_losses` times is failed instead: a configuration that kills its runner must not go on for ever.
    `clock` gives monotonic seconds of this process; no clock is shared with the runners.
    """

    def __init__(
        self,
        study: Study,
        lease_seconds: float,
        clock: Clock = time.monotonic,
        *,
        max_losses: int = 3,
    ) -> None:
        self._study = study
        self._leases = Leases(lease_seconds, clock)
        self._max_losses = max_losses

    def sweep(self) -> tuple[int, ...]:
        """Take lost trials away from their runners; return their numbers.

        The first sweep only looks. Call it several times per `lease_seconds`.
        """
        return self._study.reap(self._leases, self._max_losses)
