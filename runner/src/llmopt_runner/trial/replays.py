"""When the requests of a trace arrive, scaled as a manifest says. Pure."""

from collections.abc import Sequence

from llmopt_core.resources.load import Trace
from llmopt_runner.datasets.base import Item
from llmopt_runner.load.shapes import Schedule


def replay(trace: Trace, items: Sequence[Item]) -> Schedule:
    """Return the arrivals of `items`, which are in order; the first comes at once.

    With a rate all gaps are stretched alike, so that so many arrive in a second on average.
    """
    times = [item.traced.arrival_seconds for item in items if item.traced is not None]
    first, span = (times[0], times[-1] - times[0]) if times else (0.0, 0.0)
    scale = 1.0 if trace.time_scale is None else float(trace.time_scale)
    if trace.rate is not None and span > 0:
        scale = (len(times) - 1) / float(trace.rate) / span
    return Schedule(tuple((time - first) * scale for time in times))
