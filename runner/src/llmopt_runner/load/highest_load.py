"""Which load is probed next, and which is the highest that keeps the service level. Pure.

The search brackets the highest load, by steps that grow, and narrows the bracket: first around the rate at
which an over-saturated probe was served, which is the server's capacity, then a little below it, then by
bisection on a logarithmic scale. Probes that contradict each other are reconciled by an isotonic fit of the
share that kept the level, weighted by requests (Barlow et al. 1972): a higher load never keeps it better.
Probes that are left when the bracket is narrow repeat both of its ends with other arrivals.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from llmopt_core.storage.load_curves import LoadProbe

_REPEATS = 2
# Below this no load is looked for: a request in a quarter of an hour, or less than one at a time.
_LOWEST_RATE = 0.001
_ROUNDING = 1e-9
_SHORT_STEP = 1.1
_LONGEST_STEP = 8.0


@dataclass(frozen=True)
class Search:
    """What is looked for.

    `start` is the load to begin with, and `step` by which factor the first step away from it goes.
    `precision` is how far the ends of the bracket may be apart at the end, as a share. With `whole` the load
    is a whole number.
    """

    attainment: float
    most_probes: int
    highest: float
    start: float
    step: float = 4.0
    precision: float = 0.02
    whole: bool = False


class Bracket(NamedTuple):
    """The highest load that kept the level (0: none did), and the lowest above it that did not, if any."""

    low: float
    high: float | None


def bracket(probes: Sequence[LoadProbe], attainment: float) -> Bracket:
    """Return where the highest load lies by all `probes`."""
    from scipy.optimize import isotonic_regression  # noqa: PLC0415 - slow to load, and few loads are looked for

    loads = sorted({probe.load for probe in probes})
    if not loads:
        return Bracket(0.0, None)
    at = {load: [probe for probe in probes if probe.load == load] for load in loads}
    asked = [sum(probe.requests for probe in at[load]) for load in loads]
    shares = [
        sum(probe.kept for probe in at[load]) / max(1, asked[place]) for place, load in enumerate(loads)
    ]
    fit = isotonic_regression(shares, weights=[max(1, one) for one in asked], increasing=False).x
    kept = [load for load, share in zip(loads, fit, strict=True) if share >= attainment - _ROUNDING]
    lost = [load for load in loads if load not in kept]
    return Bracket(max(kept, default=0.0), min(lost, default=None))


def interval(probes: Sequence[LoadProbe], attainment: float) -> Bracket:
    """Return up to which load every probe kept the level, and from which one on none did."""
    kept = {probe.load for probe in probes if _keeps(probe, attainment)}
    lost = {probe.load for probe in probes if not _keeps(probe, attainment)}
    first_lost, last_kept = min(lost, default=math.inf), max(kept, default=0.0)
    low = max((load for load in kept if load < first_lost), default=0.0)
    high = min((load for load in lost if load > last_kept), default=None)
    return Bracket(low, high)


def _keeps(probe: LoadProbe, attainment: float) -> bool:
    return probe.kept >= (attainment - _ROUNDING) * probe.requests


def next_load(probes: Sequence[LoadProbe], search: Search) -> float | None:
    """Return the load to probe after `probes`; None where the search has ended."""
    if len(probes) >= search.most_probes:
        return None
    if not probes:
        return _allowed(search.start, search)
    low, high = bracket(probes, search.attainment)
    if high is None:
        return None if low >= search.highest else _away(low, probes, search)
    if low == 0:
        return _below(high, probes, search)
    if _is_narrow(low, high, search):
        return _repeated(low, high, probes)
    return _between(low, high, probes, search)


def _away(low: float, probes: Sequence[LoadProbe], search: Search) -> float:
    load = _allowed(low * _step(probes, search), search)
    return max(load, min(low + 1, search.highest)) if search.whole else load


def _step(probes: Sequence[LoadProbe], search: Search) -> float:
    """Return the next factor, the square of the one before: a start that is far off is left soon."""
    steps = len({probe.load for probe in probes}) - 1
    longest: float = max(search.step, _LONGEST_STEP)
    return min(longest, math.pow(search.step, 2**steps))


def _below(high: float, probes: Sequence[LoadProbe], search: Search) -> float | None:
    """Return a lower load where none kept the level: what was served, if that is much less."""
    served = _served_at(high, probes)
    step = _step(probes, search)
    load = _allowed(min(high / step, served) if 0 < served < high else high / step, search)
    return load if load < high and load >= _LOWEST_RATE else None


def _between(low: float, high: float, probes: Sequence[LoadProbe], search: Search) -> float:
    """Return the first guess that narrows the bracket, else its middle."""
    half = math.sqrt(1 + search.precision / 2)
    for guess in _guesses(low, high, _served_at(high, probes), search):
        load = _allowed(guess, search)
        if low * half < load < high / half:
            return load
    middle = _allowed(math.sqrt(low * high), search)
    return middle if low < middle < high else _allowed(low + 1, search)


def _guesses(low: float, high: float, served: float, search: Search) -> Iterator[float]:
    """Yield both sides of the capacity that an over-saturated probe at `high` showed, else a short step down.

    Latencies grow before a server is full, but seldom long before.
    """
    if served * _SHORT_STEP < high:
        half = 1 + search.precision / 2
        yield from (served / half, served * half)
    elif high > low * _SHORT_STEP**2:
        yield high / _SHORT_STEP


def _served_at(load: float, probes: Sequence[LoadProbe]) -> float:
    return max(probe.per_second for probe in probes if probe.load == load)


def _is_narrow(low: float, high: float, search: Search) -> bool:
    return high <= low * (1 + search.precision) or (search.whole and high <= low + 1)


def _repeated(low: float, high: float, probes: Sequence[LoadProbe]) -> float | None:
    """Return the end of the bracket that was probed less often, the lower first; None: both were twice."""
    counts = [(sum(probe.load == load for probe in probes), load) for load in (low, high)]
    count, load = min(counts)
    return load if count < _REPEATS else None


def _allowed(load: float, search: Search) -> float:
    load = min(load, search.highest)
    return float(max(1, round(load))) if search.whole else load
