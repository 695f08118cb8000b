"""Effects and intervals as a status holds them: without infinite ends."""

import math

from llmopt_core.analysis.effects import Effect, Interval
from llmopt_core.resources import status


def status_interval(interval: Interval | None) -> status.ReportedInterval | None:
    """Return `interval` for a status; None where an end is infinite: decimals have no text for that."""
    if interval is None or not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return None
    return status.ReportedInterval(low=interval.low, high=interval.high)


def status_effect(effect: Effect) -> status.ReportedEffect:
    """Return `effect` for a status."""
    relative = effect.relative
    return status.ReportedEffect(
        metric=effect.metric,
        baseline=effect.baseline,
        value=effect.value,
        absolute=effect.absolute,
        absolute_interval=status_interval(effect.absolute_interval),
        ratio=None if relative is None else 1 + relative,
        relative=relative,
        relative_interval=status_interval(effect.relative_interval),
        significant=effect.significant,
        verdict=effect.verdict,
    )
