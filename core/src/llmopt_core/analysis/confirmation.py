"""What the interleaved repeats prove: the finalists against the reference, with intervals to be trusted.

The reference is the default, or where that cannot run, the best configuration of the search. The finalists
and the reference were run again on items that the search never saw: a repeat of each is a round. What a round
decides, and the error rate that covers all looks, candidates and objectives, is `verification`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from llmopt_core.analysis.blocks import Block, ComparedMetric, Slot
from llmopt_core.analysis.effects import Effect
from llmopt_core.analysis.sequential import Boundary
from llmopt_core.analysis.verification import (
    CandidateStanding,
    Standing,
    VerificationPlan,
    best_of,
    stand,
    weighted_gain,
)
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.search.configurations import Value
from llmopt_core.storage.bounds import bounded_by, is_measured_baseline
from llmopt_core.storage.records import ConfirmPlan, Outcome, OutcomeKind, StudyDefinition, TrialRecord
from llmopt_core.storage.repeats import current, ended_as, given_up, measured_repeats
from llmopt_core.storage.views import StudyView

# With fewer rounds there is no interval.
_FEWEST_ROUNDS = 2
_CONFIDENCE = 0.95
_Runs = Mapping[int, Mapping[int, Outcome]]


@dataclass(frozen=True)
class Choice:
    """A finalist that was verified: its place in the plan, its parameters by full name, its effects.

    Effects, one an objective, are against the reference.
    """

    candidate: int
    parameters: Mapping[str, Value]
    source_trial: int
    effects: tuple[Effect, ...]
    repeats: int

    @property
    def significant(self) -> bool:
        """Say whether some objective is significantly better and none is significantly worse."""
        return any(each.better for each in self.effects) and not any(each.worse for each in self.effects)


@dataclass(frozen=True)
class Confirmation:
    """What the repeats prove: the winner, and all finalists among the feasible, the winner first.

    `reference_trial` is the default's, or that of the best of the search where the default cannot run.
    """

    winner: Choice
    choices: tuple[Choice, ...]
    reference_trial: int
    candidates: int

    @property
    def significant(self) -> bool:
        """Say whether the winner is significantly better and in nothing worse."""
        return self.winner.significant


def confirmation(study: StudyView) -> Confirmation | None:
    """Return what the repeats of `study` prove, or None where they prove nothing.

    Nothing is told before the end: the winner is not known before all comparisons are decided.
    """
    if study.ended is None:
        return None
    return prove(study.confirm_plan, study.trials(), study.definition)


def standing_of(plan: ConfirmPlan, trials: Sequence[TrialRecord], definition: StudyDefinition) -> Standing:
    """Return how the comparisons of `plan` stand after the repeats among `trials`."""
    runs = measured_repeats(trials, first=plan.first)
    failed = {candidate - plan.first for candidate in given_up(trials) if candidate >= plan.first}
    return stand(
        _verification(plan, runs, definition),
        _blocks(plan, trials),
        failed=failed,
        empty=_empty(plan, trials),
    )


def prove(
    plan: ConfirmPlan | None, trials: Sequence[TrialRecord], definition: StudyDefinition
) -> Confirmation | None:
    """Return what the repeats prove, or None where nothing can be said yet.

    The winner is the verified better candidate that is best by the weights, else the one with the highest
    weighted gain. A candidate counts that was measured in at least two rounds with the reference and, in the
    mean of its repeats, keeps the constraints. Those relative to the baseline hold against the baseline's own
    repeats.
    """
    if plan is None:
        return None
    runs = measured_repeats(trials, first=plan.first)
    bounds = _bounded(definition, plan, trials, runs.get(0, {}))
    standing = standing_of(plan, trials, definition)
    able = [
        each
        for each in standing.candidates
        if each.rounds >= _FEWEST_ROUNDS
        and len(each.effects) == len(definition.objectives)
        and _keeps(runs.get(each.candidate, {}), bounds)
    ]
    if not able:
        return None
    metrics = compared_metrics(definition, plan.smallest_gain)
    winner = best_of(standing, metrics, feasible=[each.candidate for each in able]) or max(
        able, key=lambda each: weighted_gain(each.effects, metrics)
    )
    choices = [_choice(plan, each) for each in (winner, *(each for each in able if each is not winner))]
    return Confirmation(choices[0], tuple(choices), plan.source_trials[0], len(plan.candidates) - 1)


def compared_metrics(
    definition: StudyDefinition, smallest_gain: float, *, sample_metric: str = ""
) -> tuple[ComparedMetric, ...]:
    """Return what is compared: the objectives, the one called `sample_metric` item by item."""
    return tuple(
        ComparedMetric(
            each.metric,
            each.direction,
            find_metric(each.metric).scale,
            smallest_gain,
            each.weight,
            per_item=each.metric == sample_metric,
        )
        for each in definition.objectives
    )


def _choice(plan: ConfirmPlan, standing: CandidateStanding) -> Choice:
    return Choice(
        candidate=standing.candidate,
        parameters=plan.candidates[standing.candidate],
        source_trial=plan.source_trials[standing.candidate],
        effects=standing.effects,
        repeats=standing.rounds,
    )


def _verification(plan: ConfirmPlan, runs: _Runs, definition: StudyDefinition) -> VerificationPlan:
    metrics = {outcome.sample_metric for repeats in runs.values() for outcome in repeats.values()}
    metric = metrics.pop() if len(metrics) == 1 else ""
    return VerificationPlan(
        engines=plan.engines or tuple(str(place) for place in range(len(plan.candidates))),
        metrics=compared_metrics(definition, plan.smallest_gain, sample_metric=metric),
        rounds=plan.repeats,
        boundary=_boundary(plan, runs),
    )


def _boundary(plan: ConfirmPlan, runs: _Runs) -> Boundary:
    """Return the boundary of the plan; without one, Bonferroni's level at the only look, the last.

    Dunn (1961), "Multiple Comparisons among Means".
    """
    if plan.level is not None:
        return Boundary(plan.level, plan.first_look)
    rounds = len({repeat for repeats in runs.values() for repeat in repeats})
    return Boundary((1 - _CONFIDENCE) / max(1, len(plan.candidates) - 1), max(_FEWEST_ROUNDS, rounds))


def _blocks(plan: ConfirmPlan, trials: Sequence[TrialRecord]) -> list[Block]:
    """Return the measured repeats of `plan` in the order in which they were measured."""
    last_start: dict[str | None, int] = {}  # by runner
    blocks = []
    for trial in trials:
        outcome, slot = trial.outcome, _slot(plan, trial)
        if slot is None or outcome is None or outcome.kind is not OutcomeKind.MEASURED:
            continue
        if outcome.engine_start_seconds is not None or trial.runner not in last_start:
            last_start[trial.runner] = trial.number
        start = last_start[trial.runner]
        blocks.append(Block(slot, start, outcome.metrics, outcome.samples, disturbed=outcome.disturbed))
    return blocks


def _empty(plan: ConfirmPlan, trials: Sequence[TrialRecord]) -> set[Slot]:
    """Return the slots whose repeat ended without a measurement and is not run again."""
    ended = (trial for trial in current(trials).values() if trial.outcome is not None)
    slots = (_slot(plan, trial) for trial in ended if ended_as(trial) is not OutcomeKind.MEASURED)
    return {slot for slot in slots if slot is not None}


def _slot(plan: ConfirmPlan, trial: TrialRecord) -> Slot | None:
    """Return the place of a repeat in `plan`, None where it is of another plan, or no repeat."""
    if trial.candidate is None or trial.repeat is None or trial.candidate < plan.first:
        return None
    return Slot(trial.repeat, trial.candidate - plan.first)


def _bounded(
    definition: StudyDefinition,
    plan: ConfirmPlan,
    trials: Sequence[TrialRecord],
    reference: Mapping[int, Outcome],
) -> StudyDefinition:
    """Return the definition with bounds from the repeats of the baseline, where it is the reference."""
    source = next((trial for trial in trials if trial.number == plan.source_trials[0]), None)
    if source is None or not is_measured_baseline(source) or not reference:
        return definition
    asked = [each.metric for each in definition.constraints]
    return bounded_by(
        definition,
        {name: fmean(outcome.metrics[name] for outcome in reference.values()) for name in asked},
    )


def _keeps(rival: Mapping[int, Outcome], definition: StudyDefinition) -> bool:
    if not rival:
        return False
    means = {
        bound.metric: fmean(outcome.metrics[bound.metric] for outcome in rival.values())
        for bound in definition.constraints
    }
    return all(bound.violation(means[bound.metric]) <= 0 for bound in definition.constraints)
