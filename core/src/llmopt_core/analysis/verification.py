"""The verification of a study's finalists: what is measured next, and what has been decided. Pure.

Finalists and baseline are measured in rounds. After each complete round every comparison is looked at; a
candidate stops when all of its comparisons are decided, or when the rounds left cannot decide them. An error
rate of one minus `confidence` covers all candidates, metrics and looks together (see `sequential`). Stopping
for futility only takes chances of a claim away, so it costs nothing of it.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from llmopt_core.analysis.blocks import (
    BASELINE,
    Block,
    Compared,
    ComparedMetric,
    Slot,
    compare_blocks,
    components_of,
    quiet_share,
    usable,
)
from llmopt_core.analysis.effects import Effect
from llmopt_core.analysis.ranking import weighted_mean
from llmopt_core.analysis.sequential import Boundary, boundary
from llmopt_core.analysis.two_level import Components, Remedy, remedy
from llmopt_core.api.verdicts import Verdict

# The error of an estimate with fewer degrees of freedom is too uncertain to predict anything.
_FORESIGHT = 4.0
_FEWEST_ROUNDS = 3
_MOST_BLOCKS_PER_ROUND = 4
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

    NOT_QUIET = "other programs disturbed the measurements"
    NO_BASELINE = "the baseline could not be measured"


@dataclass(frozen=True)
class VerificationPlan:
    """What is compared, and how much may be measured.

    `engines` names, for the baseline and each candidate, the engine configuration it needs: those with the
    same name are measured on the same running engine. An engine is started again every `rounds_per_start`
    rounds. A disturbed block is measured up to `attempts` times. A candidate is given up when the rounds left
    decide its comparisons with a probability below `hopeless`.
    """

    engines: tuple[str, ...]
    metrics: tuple[ComparedMetric, ...]
    rounds: int
    boundary: Boundary
    rounds_per_start: int = 1
    blocks_per_round: int = 1
    attempts: int = 3
    hopeless: float = 0.1

    @property
    def candidates(self) -> range:
        """The candidates without the baseline."""
        return range(1, len(self.engines))


@dataclass(frozen=True)
class CandidateStanding:
    """How a candidate compares with the baseline after `rounds` rounds, in the plan's order of metrics.

    `stopped` is None while more of it is to be measured.
    """

    candidate: int
    rounds: int = 0
    compared: tuple[Compared, ...] = ()
    stopped: Stop | None = None

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What is reported."""
        return tuple(each.effect for each in self.compared)


@dataclass(frozen=True)
class MetricVariance:
    """How the variance of one metric divides, and what would make its intervals narrower."""

    metric: str
    components: Components
    remedy: Remedy


@dataclass(frozen=True)
class Standing:
    """A verification so far. `rounds` are complete. `notes` come before the numbers."""

    candidates: tuple[CandidateStanding, ...]
    rounds: int
    notes: tuple[Note, ...] = ()
    variances: tuple[MetricVariance, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether nothing is left to be measured."""
        return all(each.stopped is not None for each in self.candidates)


@dataclass(frozen=True)
class MeasureBlock:
    """Measure `slot`, its `attempt`-th time (from 0), on a running engine or after a new start of it."""

    slot: Slot
    engine: str
    attempt: int
    new_start: bool


@dataclass(frozen=True)
class Wait:
    """All that can be measured now is being measured by others."""


@dataclass(frozen=True)
class Finished:
    """Nothing is left to be measured."""

    standing: Standing


Action = MeasureBlock | Wait | Finished


def plan_verification(
    engines: Sequence[str],
    metrics: Sequence[ComparedMetric],
    *,
    repeats: int,
    start_seconds: float,
    block_seconds: float,
    start_budget_seconds: float = 1200.0,
    confidence: float = 0.95,
    attempts: int = 3,
) -> VerificationPlan:
    """Return the plan for a baseline and candidates that need `engines` (the baseline's first).

    `repeats` is the largest number of rounds. Starts of all engines together take about
    `start_budget_seconds` at most; three rounds are made in any case (two, where `repeats` says so). Where a
    start costs much more than a block, more blocks are measured on it: the best number is
    sqrt(cost of a start / cost of a block * variance within / variance between) (Cochran 1977, "Sampling
    Techniques", 10.6), here with equal variances.
    """
    apart = len(set(engines))
    affordable = math.floor(start_budget_seconds / max(start_seconds * apart, 1e-9))
    starts = min(repeats, max(_FEWEST_ROUNDS, affordable))
    rounds = repeats if apart == 1 else starts
    blocks = round(math.sqrt(start_seconds / block_seconds)) if block_seconds > 0 else 1
    return VerificationPlan(
        engines=tuple(engines),
        metrics=tuple(metrics),
        rounds=rounds,
        boundary=boundary(
            len(engines) - 1, len(metrics), rounds, confidence, shared=engines[0] in engines[1:]
        ),
        rounds_per_start=math.ceil(rounds / starts),
        blocks_per_round=1 if apart == 1 else min(max(blocks, 1), _MOST_BLOCKS_PER_ROUND),
        attempts=attempts,
    )


def next_action(
    plan: VerificationPlan,
    blocks: Sequence[Block],
    *,
    failed: Collection[int] = (),
    taken: Collection[Slot] = (),
) -> Action:
    """Return what to do next after `blocks`, in the order they were measured.

    `failed` candidates are given up; `taken` slots are being measured by others.
    """
    standing = stand(plan, blocks, failed=failed)
    if standing.finished:
        return Finished(standing)
    active = [each.candidate for each in standing.candidates if each.stopped is None]
    for slot in _slots(plan, standing.rounds, active):
        tried = [block for block in blocks if block.slot == slot]
        if not _is_done(plan, tried) and slot not in taken:
            return MeasureBlock(
                slot, plan.engines[slot.candidate], len(tried), _needs_start(plan, slot, blocks)
            )
    return Wait()


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
    found = {candidate: CandidateStanding(candidate) for candidate in plan.candidates}
    if BASELINE in failed:
        lost = tuple(CandidateStanding(candidate, stopped=Stop.FAILED) for candidate in plan.candidates)
        return Standing(lost, 0, (Note.NO_BASELINE,))
    for candidate in failed:
        found[candidate] = CandidateStanding(candidate, stopped=Stop.FAILED)
    counted: list[Block] = []
    complete = 0
    for round_ in range(plan.rounds):
        active = [each.candidate for each in found.values() if each.stopped is None]
        fresh = [
            block for block in blocks if block.slot.round == round_ and block.slot.candidate in (0, *active)
        ]
        if not active or not _is_complete(plan, round_, active, fresh, empty):
            break
        counted += fresh
        complete = round_ + 1
        found |= _look(plan, counted, complete, [found[each] for each in active])
    return _with_notes(plan, tuple(found.values()), complete, counted)


def _with_notes(
    plan: VerificationPlan, candidates: tuple[CandidateStanding, ...], complete: int, counted: Sequence[Block]
) -> Standing:
    noisy = 1 - quiet_share(counted) >= _DISTURBED
    variances = []
    for compared in plan.metrics:
        parts = components_of(compared, usable(counted))
        if parts is not None:
            per_start = _items_per_start(compared, counted)
            variances.append(MetricVariance(compared.metric, parts, remedy(parts, per_start)))
    return Standing(candidates, complete, (Note.NOT_QUIET,) if noisy else (), tuple(variances))


def _items_per_start(compared: ComparedMetric, blocks: Sequence[Block]) -> float:
    starts = {(block.start, block.slot.candidate) for block in blocks}
    items = sum(len(block.scores) if compared.per_item else 1 for block in blocks)
    return max(1.0, items / max(1, len(starts)))


def _look(
    plan: VerificationPlan, counted: Sequence[Block], look: int, before: Sequence[CandidateStanding]
) -> dict[int, CandidateStanding]:
    chosen = usable(counted)
    compared = [
        compare_blocks(metric, chosen, plan.engines, plan.boundary, look=look) for metric in plan.metrics
    ]
    judged = {}
    for last in before:
        seen = {each.metric.metric: each for each in last.compared}
        now = [
            found[last.candidate].narrowed(seen.get(metric.metric))
            for metric, found in zip(plan.metrics, compared, strict=True)
            if last.candidate in found
        ]
        judged[last.candidate] = _judged(plan, last.candidate, look, now)
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
    return CandidateStanding(candidate, look, tuple(compared), stopped)


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
    room = compared.smallest_gain - reach
    equivalent = ahead.cdf(room) - ahead.cdf(-room) if room > 0 else 0.0
    return significant + equivalent < plan.hopeless


def _slots(plan: VerificationPlan, round_: int, active: Sequence[int]) -> Iterator[Slot]:
    """Give a round's slots in order: by engine, every second round backwards, so that drift cancels."""
    members: dict[str, list[int]] = {}
    for candidate in (BASELINE, *active):
        members.setdefault(plan.engines[candidate], []).append(candidate)
    groups = list(members.values())
    for group in reversed(groups) if round_ % 2 else groups:
        for number in range(plan.blocks_per_round):
            for candidate in reversed(group) if (round_ + number) % 2 else group:
                yield Slot(round_, candidate, number)


def _is_complete(
    plan: VerificationPlan,
    round_: int,
    active: Sequence[int],
    fresh: Sequence[Block],
    empty: Collection[Slot],
) -> bool:
    tried: dict[Slot, list[Block]] = {}
    for block in fresh:
        tried.setdefault(block.slot, []).append(block)
    return all(slot in empty or _is_done(plan, tried.get(slot, [])) for slot in _slots(plan, round_, active))


def _is_done(plan: VerificationPlan, tried: Sequence[Block]) -> bool:
    return len(tried) >= plan.attempts or any(not block.disturbed for block in tried)


def _needs_start(plan: VerificationPlan, slot: Slot, blocks: Sequence[Block]) -> bool:
    """Say whether the engine must be started: another ran last, or this one has run its share of rounds."""
    if not blocks:
        return True
    last = blocks[-1].slot
    if plan.engines[last.candidate] != plan.engines[slot.candidate]:
        return True
    return last.round // plan.rounds_per_start != slot.round // plan.rounds_per_start


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
