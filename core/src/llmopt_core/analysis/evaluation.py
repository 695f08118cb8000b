"""What the repeats of a plan show: the one evaluation of a confirmation and of a benchmark.

Stored repeats become blocks of a verification, in the order in which they were measured. What a round
decides, and the error rate that covers all looks and comparisons, is `verification`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llmopt_core.analysis.blocks import (
    BASELINE,
    Block,
    Compared,
    ComparedMetric,
    Slot,
    compare_blocks,
    usable,
)
from llmopt_core.analysis.sequential import Boundary
from llmopt_core.analysis.verification import Standing, VerificationPlan, stand
from llmopt_core.storage.records import ONLY_LAST_LOOK, ConfirmPlan, OutcomeKind, TrialRecord
from llmopt_core.storage.repeats import current, ended_as, engines_of, given_up, turns

# With fewer rounds there is no interval.
FEWEST_ROUNDS = 2
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Evaluation:
    """Where the comparisons of a plan stand. `blocks` are all that were measured, the oldest first.

    Candidates are counted as in a verification, the reference first: see `candidate_of`.
    """

    plan: ConfirmPlan
    verification: VerificationPlan
    blocks: tuple[Block, ...]
    standing: Standing

    @property
    def counted(self) -> tuple[Block, ...]:
        """The blocks that the standing rests on."""
        rounds = self.standing.rounds
        return tuple(usable([block for block in self.blocks if block.slot.round < rounds]))

    def between(self, candidate: int, rival: int, metric: str) -> Compared | None:
        """Return how `candidate` compares with `rival` instead of the baseline, None where it does not."""
        place = {rival: BASELINE, candidate: 1}
        own = [
            replace(block, slot=replace(block.slot, candidate=place[block.slot.candidate]))
            for block in self.counted
            if block.slot.candidate in place
        ]
        asked = next(each for each in self.verification.metrics if each.metric == metric)
        engines = [self.verification.engines[each] for each in (rival, candidate)]
        found = compare_blocks(
            asked, own, engines, self.verification.boundary, look=self.standing.rounds, pooled=False
        )
        return found.get(1)


def evaluate(
    plan: ConfirmPlan,
    trials: Sequence[TrialRecord],
    metrics: Sequence[ComparedMetric],
    *,
    final: bool = True,
) -> Evaluation:
    """Return where the comparisons of `plan` in `metrics` stand after the repeats among `trials`.

    `final` says that no more repeats are to come: before, what is judged but once has no intervals.
    """
    blocks = _blocks(plan, trials)
    failed = {candidate_of(plan, each) for each in given_up(trials) if _is_of(plan, each)}
    empty = _empty(plan, trials)
    verification = _verification(plan, trials, metrics)
    standing = stand(verification, blocks, failed=failed, empty=empty)
    if plan.first_look == ONLY_LAST_LOOK and final:
        last = replace(verification.boundary, first_look=max(FEWEST_ROUNDS, standing.rounds))
        verification = replace(verification, boundary=last)
        standing = stand(verification, blocks, failed=failed, empty=empty)
    return Evaluation(plan, verification, tuple(blocks), standing)


def candidate_of(plan: ConfirmPlan, name: int) -> int:
    """Return the number in a verification of the candidate that trials call `name`: the reference's is 0."""
    place = name - plan.first
    if place == plan.reference:
        return BASELINE
    return place + 1 if place < plan.reference else place


def place_of(plan: ConfirmPlan, candidate: int) -> int:
    """Return the place among the plan's candidates of a verification's `candidate`."""
    if candidate == BASELINE:
        return plan.reference
    return candidate - 1 if candidate <= plan.reference else candidate


def _is_of(plan: ConfirmPlan, name: int) -> bool:
    return plan.first <= name < plan.first + len(plan.candidates)


def _verification(
    plan: ConfirmPlan, trials: Sequence[TrialRecord], metrics: Sequence[ComparedMetric]
) -> VerificationPlan:
    sampled = {trial.outcome.sample_metric for trial in _measured(plan, trials) if trial.outcome is not None}
    metric = sampled.pop() if len(sampled) == 1 else ""
    engines = engines_of(plan)
    return VerificationPlan(
        engines=tuple(engines[place_of(plan, candidate)] for candidate in range(len(engines))),
        metrics=tuple(replace(each, per_item=each.metric == metric) for each in metrics),
        repeats=plan.repeats,
        boundary=_boundary(plan),
        per_start=plan.per_start,
        pooled=plan.pooled,
    )


def _boundary(plan: ConfirmPlan) -> Boundary:
    """Return the boundary of the plan, that of a plan without a level by Bonferroni's correction.

    Dunn (1961), "Multiple Comparisons among Means".
    """
    level = plan.level or (1 - _CONFIDENCE) / max(1, len(plan.candidates) - 1)
    return Boundary(level, plan.first_look or plan.repeats + 1, plan.spent)


def _blocks(plan: ConfirmPlan, trials: Sequence[TrialRecord]) -> list[Block]:
    """Return the measured repeats of `plan` in the order in which they were measured."""
    planned = enumerate(turns(engines_of(plan), plan.repeats, plan.per_start))
    order = {(turn.candidate + plan.first, turn.repeat): number for number, turn in planned}
    measured = {
        (trial.candidate, trial.repeat): trial for trial in _measured(plan, trials)
    }.values()  # the last of each
    last_start: dict[str | None, int] = {}  # by runner
    blocks = []
    for trial in sorted(
        measured, key=lambda each: (each.started_at or 0.0, order[each.candidate or 0, each.repeat or 0])
    ):
        outcome = trial.outcome
        assert outcome is not None  # noqa: S101 - it was measured
        if outcome.engine_start_seconds is not None or trial.runner not in last_start:
            last_start[trial.runner] = trial.number
        start = last_start[trial.runner]
        blocks.append(
            Block(_slot(plan, trial), start, outcome.metrics, outcome.samples, disturbed=outcome.disturbed)
        )
    return blocks


def _measured(plan: ConfirmPlan, trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    return [trial for trial in trials if _is_planned(plan, trial) and ended_as(trial) is OutcomeKind.MEASURED]


def _empty(plan: ConfirmPlan, trials: Sequence[TrialRecord]) -> set[Slot]:
    """Return the slots whose repeat ended without a measurement and is not run again."""
    return {
        _slot(plan, trial)
        for trial in current(trials).values()
        if _is_planned(plan, trial) and ended_as(trial) not in {None, OutcomeKind.MEASURED}
    }


def _is_planned(plan: ConfirmPlan, trial: TrialRecord) -> bool:
    """Say whether the trial is a repeat of `plan`, and not of one before or beyond what is asked now."""
    if trial.candidate is None or trial.repeat is None:
        return False
    return _is_of(plan, trial.candidate) and trial.repeat < plan.repeats


def _slot(plan: ConfirmPlan, trial: TrialRecord) -> Slot:
    repeat = trial.repeat or 0
    return Slot(repeat // plan.per_start, candidate_of(plan, trial.candidate or 0), repeat % plan.per_start)
