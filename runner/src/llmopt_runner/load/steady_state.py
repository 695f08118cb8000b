"""Which part of a run shows the load that was asked for: without its beginning and its end. Pure.

In a closed loop all clients begin at once, so that their first requests compete for the same computation, and
at the end clients have nothing left to ask, so that the last requests have the server for themselves. Steady
is from the moment at which every client had its first answer to the moment at which the last request began:
there as many requests are in flight as the load has clients. In an open loop a request is steady once one
that came before it has ended, and while others still arrive. With conversations the last request that counts
is the first turn of the last one, for after it clients are missing; in an open loop the first conversation
must have ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llmopt_runner.load.requests import LoadRun, RequestRecord
from llmopt_runner.load.shapes import ClosedLoop, LoadShape

# Fewer requests say less than the ramps distort.
_FEWEST = 40
_LEAST_SHARE = 0.5


@dataclass(frozen=True)
class SteadyPart:
    """The requests of a run that count, and the time in which they were answered.

    `excluded` is the share of requests (0 to 1) that was sent before or after; 0 where too few would remain,
    so that the whole run counts.
    """

    run: LoadRun
    seconds: float
    excluded: float = 0.0


def whole_part(run: LoadRun) -> SteadyPart:
    """Return all of `run`."""
    return SteadyPart(run, _span(run.records))


def steady_part(run: LoadRun, shape: LoadShape) -> SteadyPart:
    """Return what of `run`, which was sent in `shape`, is steady."""
    bounds = _bounds(run.records, shape) if run.records else None
    if bounds is None:
        return whole_part(run)
    begin, end = bounds
    steady = [record for record in run.records if begin < record.sent_at <= end]
    if len(steady) < max(_FEWEST, _LEAST_SHARE * len(run.records)):
        return whole_part(run)
    excluded = 1 - len(steady) / len(run.records)
    return SteadyPart(replace(run, records=tuple(steady)), end - begin, excluded)


def _span(records: Sequence[RequestRecord]) -> float:
    if not records:
        return 0.0
    return max(record.ended_at for record in records) - min(record.sent_at for record in records)


def _bounds(records: Sequence[RequestRecord], shape: LoadShape) -> tuple[float, float] | None:
    """Return when the load was first and last as it should be; None where it never was."""
    by_start = sorted((record for record in records if record.opens), key=lambda record: record.sent_at)
    if not by_start:
        return None
    first = (
        by_start[: shape.concurrency] if isinstance(shape, ClosedLoop) else _with_turns(by_start[0], records)
    )
    begin = max(record.ended_at for record in first)
    end = by_start[-1].sent_at
    return (begin, end) if end > begin else None


def _with_turns(first: RequestRecord, records: Sequence[RequestRecord]) -> list[RequestRecord]:
    """Return `first` with the other turns of its conversation."""
    if first.turn is None:
        return [first]
    name = first.turn.conversation
    return [record for record in records if record.turn is not None and record.turn.conversation == name]
