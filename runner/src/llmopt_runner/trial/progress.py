"""What a runner is doing now, as its heartbeat and its metrics report it."""

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
