"""What a study may cost, as far as its manifest limits it."""

from dataclasses import dataclass

from llmopt_core.resources import LLMBenchmark, Resource
from llmopt_core.resources.base import duration_seconds

_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True)
class Limits:
    """The budget of a study: `trials` without the repeats that confirm a search; None: no limit."""

    trials: int
    active_seconds: float | None = None
    gpu_seconds: float | None = None


def limits_of(resource: Resource) -> Limits:
    """Return the limits that a manifest sets; the trials of a benchmark are its repeats."""
    if isinstance(resource, LLMBenchmark):
        repeats = len(resource.spec.candidates) * resource.spec.repeats
        return Limits(repeats, _seconds(resource.spec.budget.duration))
    budget = resource.spec.budget
    hours = budget.gpu_hours
    gpu_seconds = None if hours is None else float(hours) * _SECONDS_PER_HOUR
    return Limits(budget.trials, _seconds(budget.duration), gpu_seconds)


def _seconds(duration: str | None) -> float | None:
    return None if duration is None else float(duration_seconds(duration))
