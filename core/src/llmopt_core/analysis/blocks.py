"""Measured blocks of a verification, and what they say of each candidate against the baseline so far.

A block is a fixed set of items, answered by one candidate on one running engine. Candidates are numbered; 0
is the baseline. All blocks of a round are measured soon after one another and are compared with each other.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from llmopt_core.analysis.effects import Effect, Interval, difference_effect, ratio_effect
from llmopt_core.analysis.sequential import Boundary
from llmopt_core.analysis.two_level import (
    Answer,
    Cell,
    Components,
    Estimate,
    contrasts,
    crossed_mean,
    score_components,
    speed_components,
)
from llmopt_core.metrics.catalog import Direction, Scale

BASELINE = 0
# Above this share of disturbed slots nothing is left out any more: there would be nothing to compare.
_NEVER_QUIET = 0.5
# One squared unit and two items: see crossed_mean.
_PSEUDO = 1.0


@dataclass(frozen=True, order=True)
class Slot:
    """A place in the plan: block `number` of a candidate in a round."""

    round: int
    candidate: int
    number: int = 0


@dataclass(frozen=True)
class Block:
    """One measured block.

    `metrics` by name, in their units; `scores` by item, in 0..1. `start` counts engine starts. `seconds`
    of measuring, `start_seconds` of the engine's start before it, if any. `disturbed`: others took
    processors or GPUs meanwhile.
    """

    slot: Slot
    start: int
    metrics: Mapping[str, float]
    scores: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    start_seconds: float = 0.0
    disturbed: bool = False


@dataclass(frozen=True)
class ComparedMetric:
    """A metric that is compared. `smallest_gain` is relative on a ratio scale, else in the metric's unit.

    `per_item`: the scores of the blocks' items are its values.
    """

    metric: str
    direction: Direction
    scale: Scale
    smallest_gain: float = 0.02
    weight: float = 1.0
    per_item: bool = False


@dataclass(frozen=True)
class Compared:
    """A candidate against the baseline in one metric.

    `estimate` and `interval` are of the logarithm of the quotient where `quotient`, else of the difference;
    `base` is the baseline's mean in the metric's unit.
    """

    metric: ComparedMetric
    base: float
    estimate: Estimate
    interval: Interval | None
    quotient: bool = False

    @property
    def effect(self) -> Effect:
        """What is reported."""
        if self.quotient:
            return ratio_effect(
                self.metric.metric,
                self.metric.direction,
                self.base,
                self.estimate.value,
                self.interval,
                smallest_gain=self.metric.smallest_gain,
            )
        # What has a ratio scale loses at most all of itself, whatever the estimate takes off for a trend.
        least = -self.base if self.metric.scale == "ratio" else -math.inf
        return difference_effect(
            self.metric.metric,
            self.metric.direction,
            self.base,
            max(self.estimate.value, least),
            self.interval and Interval(max(self.interval.low, least), max(self.interval.high, least)),
            smallest_gain=self.smallest_gain,
        )

    @property
    def smallest_gain(self) -> float:
        """The smallest relevant gain on the scale of the estimate."""
        gain = self.metric.smallest_gain
        if self.quotient:
            return math.log1p(gain)
        return gain * abs(self.base) if self.metric.scale == "ratio" else gain

    def narrowed(self, before: "Compared | None") -> "Compared":
        """Return this with what both intervals hold: those of all looks are right together.

        The estimate stays inside: it is the nearest that the earlier looks leave possible.
        """
        if before is None or before.quotient != self.quotient:
            return self
        if before.interval is None or self.interval is None:
            return self
        low = max(self.interval.low, before.interval.low)
        high = min(self.interval.high, before.interval.high)
        if low > high:  # one of the looks errs: the later one has seen more
            return self
        value = min(max(self.estimate.value, low), high)
        return replace(self, interval=Interval(low, high), estimate=replace(self.estimate, value=value))

    def ended(self, decided: "Compared", boundary: Boundary, look: int) -> "Compared":
        """Return what is reported of this comparison where `look` was the last.

        Its interval is that of the looks that were taken, narrower than the one that `decided` what it is.
        Where both would not say the same, it is the latter: verdicts are decided by what covers all looks.
        """
        if self.interval is None:
            return decided
        reach = boundary.last_reach(self.estimate.degrees, look) * self.estimate.standard_error
        last = replace(self, interval=Interval(self.estimate.value - reach, self.estimate.value + reach))
        return last if last.effect.verdict is decided.effect.verdict else decided


def quiet_share(blocks: Sequence[Block]) -> float:
    """Return the share of `blocks` that were not disturbed; 1.0 where there is none."""
    return sum(not block.disturbed for block in blocks) / len(blocks) if blocks else 1.0


def usable(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks that were not disturbed; all of them where most were: there are no others."""
    if quiet_share(blocks) < _NEVER_QUIET:
        return list(blocks)
    return [block for block in blocks if not block.disturbed]


def compare_blocks(
    compared: ComparedMetric,
    blocks: Sequence[Block],
    engines: Sequence[str],
    boundary: Boundary,
    *,
    look: int,
    pooled: bool = True,
) -> dict[int, Compared]:
    """Return what the usable `blocks` say of each candidate at `look` (= number of complete rounds).

    `engines` names what each candidate, the baseline first, was served by. Before the boundary's first look
    there are no intervals. With `pooled` the candidates share one variance.
    """
    known = [block for block in blocks if compared.per_item or compared.metric in block.metrics]
    used = boundary if look >= boundary.first_look else None
    if compared.per_item:
        return _by_item(compared, known, used)
    values = [block.metrics[compared.metric] for block in known]
    # What has a ratio scale is compared by differences too, where a zero has no quotient.
    quotient = compared.scale == "ratio" and all(value > 0 for value in values)
    cells = _cells(known, compared.metric, logarithm=quotient)
    return {
        candidate: Compared(
            compared, _baseline_mean(cells, quotient=quotient), estimate, _interval(estimate, used), quotient
        )
        for candidate, estimate in _contrasts(cells, engines, pooled=pooled).items()
    }


def components_of(compared: ComparedMetric, blocks: Sequence[Block]) -> Components | None:
    """Return how the variance of a metric divides; of logarithms for speeds, of differences for scores."""
    if compared.per_item:
        candidates = sorted({block.slot.candidate for block in blocks} - {BASELINE})
        scores = _answers(blocks, BASELINE)
        found = [score_components(_paired(scores, _answers(blocks, each))) for each in candidates]
        known = [each for each in found if each is not None]
        return _mean_components(known) if known else None
    known_blocks = [block for block in blocks if block.metrics.get(compared.metric, 0.0) > 0]
    return speed_components(_cells(known_blocks, compared.metric, logarithm=compared.scale == "ratio"))


def _by_item(
    compared: ComparedMetric, blocks: Sequence[Block], boundary: Boundary | None
) -> dict[int, Compared]:
    found, scores = {}, _answers(blocks, BASELINE)
    for candidate in sorted({block.slot.candidate for block in blocks} - {BASELINE}):
        pairs = _paired(scores, _answers(blocks, candidate))
        if not pairs:
            continue
        base = fmean(scores[key] for key in pairs)
        estimate = crossed_mean(pairs, pseudo=_PSEUDO)
        if estimate is None:
            estimate = Estimate(fmean(pairs.values()), math.inf, 1.0)
        found[candidate] = Compared(compared, base, estimate, _interval(estimate, boundary))
    return found


def _contrasts(
    cells: Mapping[Cell, Sequence[float]], engines: Sequence[str], *, pooled: bool
) -> dict[int, Estimate]:
    """Return the contrasts; with one round there is no error to be known, only a value.

    `cells` are in the order in which they were measured: it stands for the time.
    """
    found = {}
    fits: dict[frozenset[int], dict[int, Estimate]] = {}
    when = {cell: float(place) for place, cell in enumerate(cells)}
    for candidate in sorted({candidate for candidate, _ in cells} - {BASELINE}):
        if not _common_rounds(cells, candidate):
            continue
        peers = _peers(candidate, engines) if pooled else frozenset((BASELINE, candidate))
        if peers not in fits:
            own = {cell: values for cell, values in cells.items() if cell[0] in peers}
            shared = engines[candidate] == engines[BASELINE]
            fits[peers] = contrasts(own, BASELINE, when=None if shared else when)
        alone = Estimate(_first_difference(cells, candidate), math.inf, 1.0)
        found[candidate] = fits[peers].get(candidate, alone)
    return found


def _peers(candidate: int, engines: Sequence[str]) -> frozenset[int]:
    """Return the candidates whose differences vary as much as that of `candidate` to the baseline.

    What shares an engine's start does not differ by it. So the variance comes from candidates on the
    baseline's engine for one of these, else from one candidate an engine.
    """
    if engines[candidate] == engines[BASELINE]:
        return frozenset(place for place, engine in enumerate(engines) if engine == engines[BASELINE])
    first = {engine: place for place, engine in reversed(list(enumerate(engines)))}
    return frozenset((first | {engines[candidate]: candidate}).values())


def _first_difference(cells: Mapping[Cell, Sequence[float]], candidate: int) -> float:
    rounds = _common_rounds(cells, candidate)
    return fmean(fmean(cells[candidate, each]) - fmean(cells[BASELINE, each]) for each in rounds)


def _baseline_mean(cells: Mapping[Cell, Sequence[float]], *, quotient: bool) -> float:
    """Return the mean of all rounds of the baseline, the same for all candidates; geometric for quotients."""
    mean = fmean(fmean(values) for (candidate, _), values in cells.items() if candidate == BASELINE)
    return math.exp(mean) if quotient else mean


def _common_rounds(cells: Mapping[Cell, Sequence[float]], candidate: int) -> list[int]:
    return [each for one, each in cells if one == candidate and (BASELINE, each) in cells]


def _interval(estimate: Estimate, boundary: Boundary | None) -> Interval | None:
    if boundary is None or not math.isfinite(estimate.standard_error):
        return None
    reach = boundary.reach(estimate.degrees) * estimate.standard_error
    return Interval(estimate.value - reach, estimate.value + reach)


def _cells(blocks: Iterable[Block], metric: str, *, logarithm: bool) -> dict[Cell, list[float]]:
    cells: dict[Cell, list[float]] = {}
    for block in blocks:
        value = block.metrics[metric]
        place = (block.slot.candidate, block.slot.round)
        cells.setdefault(place, []).append(math.log(value) if logarithm else value)
    return cells


def _answers(blocks: Iterable[Block], candidate: int) -> dict[Answer, float]:
    """Return the scores by round and item: the mean where an item was answered several times on a start."""
    by_round: dict[int, list[Mapping[str, float]]] = {}
    for block in blocks:
        if block.slot.candidate == candidate:
            by_round.setdefault(block.slot.round, []).append(block.scores)
    return {
        (round_, item): score
        for round_, each in by_round.items()
        for item, score in _mean_scores(each).items()
    }


def _mean_scores(runs: Sequence[Mapping[str, float]]) -> Mapping[str, float]:
    if len(runs) == 1:
        return runs[0]
    items = dict.fromkeys(item for run in runs for item in run)
    return {item: fmean(run[item] for run in runs if item in run) for item in items}


def _paired(before: Mapping[Answer, float], after: Mapping[Answer, float]) -> dict[Answer, float]:
    """Return the differences of the scores on the same items in the same round."""
    return {key: after[key] - score for key, score in before.items() if key in after}


def _mean_components(found: Sequence[Components]) -> Components:
    return Components(
        start=fmean(each.start for each in found),
        item=fmean(each.item for each in found),
    )
