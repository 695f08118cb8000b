"""What the interleaved repeats prove: the gain over the reference, with an interval that can be trusted.

The reference is the default, or where that cannot run, the best configuration of the search.

The best few of the search and the default were run again on items the search never saw. Quality is
compared pair by pair on the same items, speed over the repeats. Because the winner is the best of several
candidates on the very same repeats, the interval is Bonferroni-corrected for their number.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from llmopt_core.analysis.effects import Effect
from llmopt_core.analysis.intervals import FEWEST_PAIRS, change, corrected
from llmopt_core.analysis.ranking import weighted_mean
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.search.configurations import Value
from llmopt_core.storage.bounds import bounded_by, is_measured_baseline
from llmopt_core.storage.records import (
    ConfirmPlan,
    ObjectiveDefinition,
    Outcome,
    StudyDefinition,
    TrialRecord,
)
from llmopt_core.storage.repeats import measured_repeats
from llmopt_core.storage.views import StudyView

_ALL_BUT_NOTHING = -1 + 1e-12


@dataclass(frozen=True)
class Confirmation:
    """The winner of the repeats: its place in the plan, its parameters by full name, its effects.

    Effects, one an objective, are against `reference_trial`: the default, or the best of the search where the
    default cannot run.
    """

    candidate: int
    parameters: Mapping[str, Value]
    source_trial: int
    reference_trial: int
    effects: tuple[Effect, ...]
    repeats: int
    candidates: int

    @property
    def significant(self) -> bool:
        """Say whether some objective is significantly better and none is significantly worse."""
        return any(each.better for each in self.effects) and not any(each.worse for each in self.effects)


def confirmation(study: StudyView) -> Confirmation | None:
    """Return what the repeats of `study` prove, or None where they prove nothing.

    An intermediate look is none: who may stop at the luckiest of many looks has no 95 % interval.
    """
    if study.ended is None:
        return None
    return prove(study.confirm_plan, study.trials(), study.definition)


def prove(
    plan: ConfirmPlan | None,
    trials: Sequence[TrialRecord],
    definition: StudyDefinition,
    *,
    confidence: float = 0.95,
) -> Confirmation | None:
    """Return the winner of the repeats, or None where nothing can be said yet.

    The winner has the highest weighted mean gain over the default among the candidates that were measured
    in at least two repeats together with the default and, in the mean of these, keep the constraints. Those
    relative to the baseline hold against the baseline's own repeats.
    """
    if plan is None or len(plan.candidates) < FEWEST_PAIRS:
        return None
    runs = measured_repeats(trials, first=plan.first)
    definition = _bounded(definition, plan, trials, runs.get(0, {}))
    rivals = range(1, len(plan.candidates))
    level = corrected(confidence, len(rivals))
    proved = {
        rival: effects
        for rival in rivals
        if _keeps(runs.get(rival, {}), definition)
        and (effects := _effects(runs.get(0, {}), runs.get(rival, {}), definition.objectives, level))
    }
    if not proved:
        return None
    winner = max(proved, key=lambda rival: _score(proved[rival], definition.objectives))
    return Confirmation(
        candidate=winner,
        parameters=plan.candidates[winner],
        source_trial=plan.source_trials[winner],
        reference_trial=plan.source_trials[0],
        effects=proved[winner],
        repeats=len(set(runs[0]) & set(runs[winner])),
        candidates=len(rivals),
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
    means = {
        bound.metric: float(np.mean([outcome.metrics[bound.metric] for outcome in rival.values()]))
        for bound in definition.constraints
        if rival
    }
    return all(
        bound.violation(means[bound.metric]) <= 0 for bound in definition.constraints if bound.metric in means
    )


def _effects(
    default: Mapping[int, Outcome],
    rival: Mapping[int, Outcome],
    objectives: Sequence[ObjectiveDefinition],
    confidence: float,
) -> tuple[Effect, ...]:
    """Return one effect an objective; nothing unless all of them can be told."""
    repeats = sorted(set(default) & set(rival))
    if len(repeats) < FEWEST_PAIRS:
        return ()
    old, new = [default[repeat] for repeat in repeats], [rival[repeat] for repeat in repeats]
    effects = [
        change(find_metric(each.metric), each.direction, old, new, confidence=confidence)
        for each in objectives
    ]
    known = tuple(effect for effect in effects if effect is not None)
    return known if len(known) == len(effects) else ()


def _score(effects: Sequence[Effect], objectives: Sequence[ObjectiveDefinition]) -> float:
    signs = (1 if objective.direction == "maximize" else -1 for objective in objectives)
    return weighted_mean(
        objectives, (sign * _on_scale(effect) for sign, effect in zip(signs, effects, strict=True))
    )


def _on_scale(effect: Effect) -> float:
    # A candidate without a good answer has lost everything, which has no logarithm.
    return math.log1p(max(effect.change, _ALL_BUT_NOTHING)) if effect.scale == "ratio" else effect.change
