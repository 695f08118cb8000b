"""Where values and their intervals lie on a scale that several rows share, in percent of its width."""

from collections.abc import Sequence
from dataclasses import dataclass

# Space beside the outermost ends, as a share of what they span.
_MARGIN = 0.04


@dataclass(frozen=True)
class Span:
    """A value and the ends of its interval; without one, the value itself."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float) -> "Span":
        """Return a value without an interval."""
        return cls(value, value, value)


@dataclass(frozen=True)
class Mark:
    """Where a value and its interval lie, and where zero does (None: outside the scale)."""

    value: float
    low: float
    width: float
    zero: float | None = None


def marks(spans: Sequence[Span | None], *, with_zero: bool = False) -> tuple[Mark | None, ...]:
    """Return the mark of each span on the scale of all; `with_zero`: the scale holds zero, too."""
    known = [span for span in spans if span is not None]
    ends = [end for span in known for end in (span.low, span.high)] + ([0.0] if with_zero else [])
    if not known:
        return (None,) * len(spans)
    bottom, top = min(ends), max(ends)
    width = (top - bottom) * (1 + 2 * _MARGIN) or 1.0
    start = bottom - (top - bottom) * _MARGIN if top > bottom else bottom - width / 2

    def place(value: float) -> float:
        return round(100 * (value - start) / width, 2)

    def mark(span: Span) -> Mark:
        low, high = place(span.low), place(span.high)
        return Mark(place(span.value), low, round(high - low, 2), place(0.0) if with_zero else None)

    return tuple(None if span is None else mark(span) for span in spans)
