"""The verification of candidates against a baseline: how much is measured, and what has been decided. Pure.

Finalists and baseline are measured in rounds. After each complete round every comparison is looked at; a
candidate stops when all of its comparisons are decided, or when the rounds left cannot decide them. An error
rate of one minus `confidence` covers all candidates, metrics and looks together (see `sequential`). Stopping
for futility only takes chances of a claim away, so it costs nothing of it.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import NormalDist

from llmopt_core.analysis.blocks import (
    BASELINE,
    Block,
    Compared,
    ComparedMetric,
    Slot,
    compare_blocks,
    quiet_share,
    usable,
)
from llmopt_core.analysis.effects import Effect
from llmopt_core.analysis.ranking import weighted_mean
from llmopt_core.analysis.sequential import Boundary, boundary
from llmopt_core.analysis.variances import VarianceSplit, split_variances
from llmopt_core.api.verdicts import Verdict

# The error of an estimate with fewer degrees of freedom is too uncertain to predict anything.
_FORESIGHT = 3.0
_FEWEST_ROUNDS = 3
_MOST_PER_START = 4
# From this share of disturbed slots on the result says so first.
_DISTURBED = 0.25


class Stop(StrEnum):
    """Why no more is measured of a candidate."""

    DECIDED = "decided"
    HOPELESS = "cannot be decided in the rounds left"
    LAST_ROUND = "all rounds are measured"
    FAILED = "failed"


class Note(StrEnum):
    """What a reader must know before the numbers."""

    NOT_QUIET = "Other programs or virtual machines disturbed the measurements: speeds may be wrong"
    NO_BASELINE = "The baseline could not be measured"


@dataclass(frozen=True)
class VerificationPlan:
    """What is compared, and how much may be measured.

    `engines` names, for the baseline and each candidate, the engine configuration it needs: those with the
    same name are measured on the same running engine. Each is measured `repeats` times at most, `per_start`
    times on one start: that is a round. A candidate is given up when the rounds left decide its comparisons
    with a probability below `hopeless`. With `pooled` all candidates share one variance.
    """

    engines: tuple[str, ...]
    metrics: tuple[ComparedMetric, ...]
    repeats: int
    boundary: Boundary
    per_start: int = 1
    hopeless: float = 0.2
    pooled: bool = True

    @property
    def candidates(self) -> range:
        """The candidates without the baseline."""
        return range(1, len(self.engines))

    @property
    def rounds(self) -> int:
        """The largest number of rounds; the last may be a smaller one."""
        return math.ceil(self.repeats / self.per_start)

    def slots(self, round_: int, active: Collection[int]) -> Iterator[Slot]:
        """Give the slots of a round in which the baseline and the `active` candidates are measured."""
        left = self.repeats - round_ * self.per_start
        for candidate in (BASELINE, *active):
            for number in range(min(self.per_start, left)):
                yield Slot(round_, candidate, number)


@dataclass(frozen=True)
class CandidateStanding:
    """How a candidate compares with the baseline after `rounds` rounds, in the plan's order of metrics.

    `compared` decides when it stops, `reported` is what holds if this look was the last. `stopped` is None
    while more of it is to be measured.
    """

    candidate: int
    rounds: int = 0
    compared: tuple[Compared, ...] = ()
    reported: tuple[Compared, ...] = ()
    stopped: Stop | None = None

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What is reported."""
        return tuple(each.effect for each in self.reported)


@dataclass(frozen=True)
class Standing:
    """A verification so far. `rounds` are complete. `notes` come before the numbers."""

    candidates: tuple[CandidateStanding, ...]
    rounds: int = 0
    notes: tuple[Note, ...] = ()
    variances: tuple[VarianceSplit, ...] = ()

    @property
    def active(self) -> tuple[int, ...]:
        """The candidates of which more is to be measured."""
        return tuple(each.candidate for each in self.candidates if each.stopped is None)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to be measured."""
        return not self.active


def plan_verification(
    engines: Sequence[str],
    metrics: Sequence[ComparedMetric],
    *,
    repeats: int,
    start_seconds: float,
    block_seconds: float,
    start_budget_seconds: float = 1200.0,
    confidence: float = 0.95,
) -> VerificationPlan:
    """Return the plan for a baseline and candidates that need `engines` (the baseline's first).

    `repeats` is how often each may be measured at most. Starts of all engines together take about
    `start_budget_seconds` at most; three rounds are made in any case (two, where `repeats` says so). Where a
    start costs much more than a block, more blocks are measured on it: the best number is
    sqrt(cost of a start / cost of a block * variance within / variance between) (Cochran 1977, "Sampling
    Techniques", 10.6), here with equal variances. Candidates on one engine need no start at all.
    """
    apart = len(set(engines))
    per_start = _blocks_per_start(repeats, start_seconds, block_seconds) if apart > 1 else 1
    rounds = repeats // per_start
    if apart > 1:
        affordable = math.floor(start_budget_seconds / max(start_seconds * apart, 1e-9))
        rounds = min(rounds, max(_FEWEST_ROUNDS, affordable))
    return VerificationPlan(
        engines=tuple(engines),
        metrics=tuple(metrics),
        repeats=rounds * per_start,
        boundary=boundary(
            len(engines) - 1, len(metrics), rounds, confidence, shared=engines[0] in engines[1:]
        ),
        per_start=per_start,
    )


def _blocks_per_start(repeats: int, start_seconds: float, block_seconds: float) -> int:
    """Return how many of the repeats share a start: not so many that there are too few rounds."""
    wanted = round(math.sqrt(start_seconds / block_seconds)) if block_seconds > 0 else 1
    return max(1, min(wanted, _MOST_PER_START, repeats // _FEWEST_ROUNDS))


def begin(plan: VerificationPlan, failed: Collection[int] = ()) -> Standing:
    """Return how a verification stands before its first round; `failed` candidates are given up."""
    lost = plan.candidates if BASELINE in failed else failed
    return Standing(
        tuple(
            CandidateStanding(candidate, stopped=Stop.FAILED if candidate in lost else None)
            for candidate in plan.candidates
        ),
        notes=(Note.NO_BASELINE,) if BASELINE in failed else (),
    )


def stand(
    plan: VerificationPlan,
    blocks: Sequence[Block],
    *,
    failed: Collection[int] = (),
    empty: Collection[Slot] = (),
) -> Standing:
    """Return what `blocks` show: each candidate as at the look at which it stopped, or as at the last one.

    Blocks of a candidate after its stop, and of rounds that are not complete, do not count. `empty` slots
    ended without a measurement and are not waited for.
    """
    standing, counted = begin(plan, failed), list[Block]()
    by_slot = {block.slot: block for block in blocks}
    for round_ in range(plan.rounds):
        slots = set(plan.slots(round_, standing.active))
        if standing.finished or any(slot not in by_slot and slot not in empty for slot in slots):
            break
        counted += [block for block in blocks if block.slot in slots]
        if round_ + 1 < plan.boundary.first_look:  # nothing can be decided yet
            standing = replace(standing, rounds=round_ + 1)
        else:
            standing = look(plan, standing, counted)
    if 0 < standing.rounds < plan.boundary.first_look:
        standing = look(plan, replace(standing, rounds=standing.rounds - 1), counted)
    return annotated(plan, standing, counted)


def look(plan: VerificationPlan, standing: Standing, counted: Sequence[Block]) -> Standing:
    """Return how it stands after one more round; `counted` are the blocks of all rounds so far."""
    rounds = standing.rounds + 1
    active = [each for each in standing.candidates if each.stopped is None]
    found = {each.candidate: each for each in standing.candidates} | _look(plan, counted, rounds, active)
    return replace(standing, candidates=tuple(found.values()), rounds=rounds)


def annotated(plan: VerificationPlan, standing: Standing, counted: Sequence[Block]) -> Standing:
    """Return the standing with what a reader must know of the blocks that it counted."""
    noisy = 1 - quiet_share(counted) >= _DISTURBED
    notes = (*standing.notes, *((Note.NOT_QUIET,) if noisy else ()))
    return replace(standing, notes=notes, variances=split_variances(plan.metrics, usable(counted)))


def _look(
    plan: VerificationPlan, counted: Sequence[Block], look: int, before: Sequence[CandidateStanding]
) -> dict[int, CandidateStanding]:
    chosen = usable(counted)
    compared = [
        compare_blocks(metric, chosen, plan.engines, plan.boundary, look=look, pooled=plan.pooled)
        for metric in plan.metrics
    ]
    judged = {}
    for last in before:
        seen = {each.metric.metric: each for each in last.compared}
        fresh = [found[last.candidate] for found in compared if last.candidate in found]
        now = [each.narrowed(seen.get(each.metric.metric)) for each in fresh]
        ended = [each.ended(decided, plan.boundary, look) for each, decided in zip(fresh, now, strict=True)]
        judged[last.candidate] = replace(_judged(plan, last.candidate, look, now), reported=tuple(ended))
    return judged


def _judged(
    plan: VerificationPlan, candidate: int, look: int, compared: Sequence[Compared]
) -> CandidateStanding:
    open_ones = [each for each in compared if each.effect.verdict is Verdict.UNDECIDED]
    stopped = None
    if len(compared) == len(plan.metrics) and not open_ones:
        stopped = Stop.DECIDED
    elif look == plan.rounds:
        stopped = Stop.LAST_ROUND
    elif compared and all(_is_hopeless(plan, each, look) for each in open_ones):
        stopped = Stop.HOPELESS
    return CandidateStanding(candidate, look, tuple(compared), stopped=stopped)


def _is_hopeless(plan: VerificationPlan, compared: Compared, look: int) -> bool:
    """Say whether the rounds left are unlikely to decide, if estimate and spread are as they look now."""
    now = compared.estimate
    if now.degrees < _FORESIGHT or compared.interval is None:
        return False
    falling = max(0.0, now.standard_error**2 - now.floor**2) * look / plan.rounds
    last = math.sqrt(now.floor**2 + falling)
    reach = plan.boundary.reach(now.degrees * (plan.rounds - 1) / (look - 1)) * last
    spread = math.sqrt(max(now.standard_error**2 - last**2, 1e-18))
    ahead = NormalDist(now.value, spread)
    significant = ahead.cdf(-reach) + 1 - ahead.cdf(reach)
    margin = compared.smallest_gain - reach
    equivalent = ahead.cdf(margin) - ahead.cdf(-margin) if margin > 0 else 0.0
    return significant + equivalent < plan.hopeless


def best_of(
    standing: Standing, metrics: Sequence[ComparedMetric], *, feasible: Collection[int]
) -> CandidateStanding | None:
    """Return the candidate to recommend: of those verified better in something, the best by the weights.

    None where that is the baseline: no feasible candidate is verified better, or its losses outweigh that.
    """
    able = [
        each
        for each in standing.candidates
        if each.candidate in feasible and any(effect.better for effect in each.effects)
    ]
    best = max(able, key=lambda each: weighted_gain(each.effects, metrics), default=None)
    return best if best and weighted_gain(best.effects, metrics) > 0 else None


def weighted_gain(effects: Sequence[Effect], metrics: Sequence[ComparedMetric]) -> float:
    """Return the weighted mean gain: logarithms of quotients for speeds, differences for scores."""
    known: Mapping[str, ComparedMetric] = {each.metric: each for each in metrics}
    gains = (_gain(effect, known[effect.metric]) for effect in effects)
    return weighted_mean([known[effect.metric] for effect in effects], gains)


def _gain(effect: Effect, compared: ComparedMetric) -> float:
    quotient = compared.scale == "ratio" and effect.relative is not None and effect.relative > -1
    change = math.log1p(effect.relative or 0.0) if quotient else effect.absolute
    return change if compared.direction == "maximize" else -change
