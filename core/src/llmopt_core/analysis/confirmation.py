"""What the interleaved repeats prove: the finalists against the reference, with intervals to be trusted.

The reference is the baseline, or where that cannot run, the best configuration of the search. The finalists
and the reference were run again on items that the search never saw, as a benchmark that the search made: what
its repeats show is `evaluation`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from llmopt_core.analysis.blocks import ComparedMetric
from llmopt_core.analysis.effects import Effect
from llmopt_core.analysis.evaluation import FEWEST_ROUNDS, evaluate
from llmopt_core.analysis.variances import VarianceSplit
from llmopt_core.analysis.verification import CandidateStanding, Note, Standing, best_of, weighted_gain
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.search.configurations import Value
from llmopt_core.storage.bounds import bounded_by, is_measured_baseline
from llmopt_core.storage.records import ConfirmPlan, Outcome, StudyDefinition, TrialRecord
from llmopt_core.storage.repeats import measured_repeats
from llmopt_core.storage.views import StudyView


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
    """What the repeats prove: the winner, and all finalists that keep the constraints, the winner first.

    There are no `choices` where none keeps them: `winner` is then the best of those that do not.
    `reference_trial` is the default's, or that of the best of the search where the baseline cannot run.
    `notes` come before the numbers. `variances` say what would make the intervals narrower, by objective.
    """

    winner: Choice
    choices: tuple[Choice, ...]
    reference_trial: int
    candidates: int
    notes: tuple[Note, ...] = ()
    variances: tuple[VarianceSplit, ...] = ()

    @property
    def significant(self) -> bool:
        """Say whether the winner keeps the constraints, is significantly better and in nothing worse."""
        return bool(self.choices) and self.winner.significant


def confirmation(study: StudyView) -> Confirmation | None:
    """Return what the repeats of `study` prove, or None where they prove nothing.

    Nothing is reported before the end: the winner is not known before all comparisons are decided.
    """
    if study.ended is None:
        return None
    return prove(study.confirm_plan, study.trials(), study.definition)


def standing_of(plan: ConfirmPlan, trials: Sequence[TrialRecord], definition: StudyDefinition) -> Standing:
    """Return how the comparisons of `plan` stand after the repeats among `trials`, while more are made."""
    return evaluate(plan, trials, compared_metrics(definition, plan.smallest_gain), final=False).standing


def prove(
    plan: ConfirmPlan | None, trials: Sequence[TrialRecord], definition: StudyDefinition
) -> Confirmation | None:
    """Return what the repeats prove, or None where nothing can be said yet.

    The winner is the verified better candidate that is best by the weights, else the one with the highest
    weighted gain. A candidate counts that was measured in at least two rounds with the reference; first come
    those that keep the constraints in the mean of their repeats. Constraints relative to the baseline hold
    against the baseline's own repeats.
    """
    if plan is None:
        return None
    runs = measured_repeats(trials, first=plan.first)
    bounds = _bounded(definition, plan, trials, runs.get(0, {}))
    metrics = compared_metrics(definition, plan.smallest_gain)
    standing = evaluate(plan, trials, metrics).standing
    measured = [
        each
        for each in standing.candidates
        if each.rounds >= FEWEST_ROUNDS and len(each.effects) == len(definition.objectives)
    ]
    if not measured:
        return None
    able = [each for each in measured if _keeps(runs.get(each.candidate, {}), bounds)]
    winner = best_of(standing, metrics, feasible=[each.candidate for each in able]) or max(
        able or measured, key=lambda each: weighted_gain(each.effects, metrics)
    )
    ranking = [winner, *(each for each in able if each is not winner)] if able else []
    return Confirmation(
        _choice(plan, winner),
        tuple(_choice(plan, each) for each in ranking),
        plan.source_trials[0],
        len(plan.candidates) - 1,
        standing.notes,
        standing.variances,
    )


def compared_metrics(definition: StudyDefinition, smallest_gain: float) -> tuple[ComparedMetric, ...]:
    """Return what is compared: the objectives."""
    return tuple(
        ComparedMetric(
            each.metric, each.direction, find_metric(each.metric).scale, smallest_gain, each.weight
        )
        for each in definition.objectives
    )


def _choice(plan: ConfirmPlan, standing: CandidateStanding) -> Choice:
    return Choice(
        candidate=standing.candidate,
        parameters=plan.candidates[standing.candidate],
        source_trial=plan.source_trials[standing.candidate],
        effects=standing.effects,
        repeats=standing.rounds * plan.per_start,
    )


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
