"""What a runner is doing now, as its heartbeat and its metrics report it."""

import time
from dataclasses import dataclass, field

from llmopt_runner.engine_slot.engine_memory import EngineMemory


@dataclass
class Progress:
    """What the runner is doing now, and what it met since it began.

    `waited_seconds` is the time without a trial, because other runners had the last ones;
    `storage_failures` is how often the storage did not answer.
    """

    trial: int | None = None
    stage: str = "starting"
    memory: EngineMemory = field(default_factory=EngineMemory)
    waited_seconds: float = 0.0
    storage_failures: int = 0


@dataclass
class Stopwatch:
    """Wall seconds by stage."""

    seconds: dict[str, float] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    def lap(self, stage: str) -> None:
        """Count the time since the last lap towards `stage`."""
        now = time.monotonic()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._began
        self._began = now
