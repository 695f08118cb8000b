"""Whether every part of the operator still does its work."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# Each part says that it lives so often; one that is silent for longer is stuck.
LONGEST_SILENCE_SECONDS = 120.0


@dataclass
class Pulse:
    """What the parts of the operator reported: when they last did their work, and what is wrong."""

    clock: Callable[[], float] = time.monotonic
    _last: dict[str, float] = field(default_factory=dict)
    _wrong: dict[str, str] = field(default_factory=dict)

    def done(self, part: str) -> None:
        """Report that `part` has just done its work and found nothing wrong."""
        self._last[part] = self.clock()
        self._wrong.pop(part, None)

    def wrong(self, part: str, message: str) -> None:
        """Report that `part` has found something wrong that a restart may fix."""
        self._wrong[part] = message

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong now, nothing where all is well."""
        now = self.clock()
        silent = (f"{part}: silent for {now - self._last[part]:.0f} s" for part in self._silent(now))
        return (*silent, *(f"{part}: {message}" for part, message in self._wrong.items()))

    def health(self) -> Mapping[str, bool]:
        """Return, for each part that ever reported, whether it does its work."""
        troubled = {*self._silent(self.clock()), *self._wrong}
        return {part: part not in troubled for part in sorted({*self._last, *self._wrong})}

    def _silent(self, now: float) -> list[str]:
        return [part for part, last in self._last.items() if now - last > LONGEST_SILENCE_SECONDS]
