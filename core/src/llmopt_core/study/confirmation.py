"""What the interleaved repeats prove: the gain over the default, with an interval that can be trusted.

The best few of the search and the default were run again on items the search never saw. Quality is
compared pair by pair on the same items, speed over the repeats. The interval is a bootstrap; because a
percentile bootstrap of few pairs is too narrow, its level is expanded as in Hesterberg (2015, "What
Teachers Should Know about the Bootstrap", §3.3), and because the winner is the best of several
candidates on the very same repeats, it is Bonferroni-corrected for their number.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmopt_core.metrics.catalog import Scale, find_metric
from llmopt_core.search.configurations import Value
from llmopt_core.study.adapter import Study
from llmopt_core.study.quantiles import normal_tail, student_quantile
from llmopt_core.study.ranking import weighted_mean
from llmopt_core.study.records import (
    ConfirmPlan,
    ObjectiveDefinition,
    Outcome,
    OutcomeKind,
    Phase,
    StudyDefinition,
    TrialRecord,
)

_RESAMPLES = 10_000
_FEWEST_PAIRS = 2
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Gain:
    """One metric of the winner against the default.

    `gain`, `low` and `high` are quotients minus one for metrics on a ratio scale (0.25 = 25 % more), and
    plain differences for scores; positive is always the measured direction, not "better". `significant`
    says that the interval lies wholly on the better side; `worse` wholly on the other.
    """

    metric: str
    default_mean: float
    best_mean: float
    gain: float
    low: float
    high: float
    significant: bool
    worse: bool
    unit: str
    scale: Scale
    pairs: int


@dataclass(frozen=True)
class Confirmation:
    """The winner of the repeats: its place in the plan, its parameters by full name, its gains."""

    candidate: int
    parameters: Mapping[str, Value]
    source_trial: int
    gains: tuple[Gain, ...]
    repeats: int
    candidates: int

    @property
    def significant(self) -> bool:
        """Say whether some objective is significantly better and none is significantly worse."""
        return any(gain.significant for gain in self.gains) and not any(gain.worse for gain in self.gains)


def bootstrap_interval(pairs: Floats, *, confidence: float, seed: int = 0) -> tuple[float, float]:
    """Return the interval of the mean of `pairs` (shape (n,), n >= 2) at `confidence` (such as 0.95)."""
    count = len(pairs)
    if count < _FEWEST_PAIRS:
        raise ValueError(f"an interval needs at least {_FEWEST_PAIRS} pairs, not {count}")
    tail = normal_tail(student_quantile((1 - confidence) / 2, count - 1) * math.sqrt(count / (count - 1)))
    draws = np.random.default_rng(seed).integers(0, count, size=(_RESAMPLES, count))
    means = pairs[draws].mean(axis=1)
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def confirmation(study: Study) -> Confirmation | None:
    """Return what the repeats of `study` prove so far, or None where nothing can be said yet."""
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
    in at least two repeats together with the default and, in the mean of these, keep the constraints.
    """
    if plan is None or len(plan.candidates) < _FEWEST_PAIRS:
        return None
    runs = _runs(trials, plan)
    rivals = range(1, len(plan.candidates))
    level = 1 - (1 - confidence) / len(rivals)
    proved = {
        rival: gains
        for rival in rivals
        if _keeps(runs.get(rival, {}), definition)
        and (gains := _gains(runs.get(0, {}), runs.get(rival, {}), definition.objectives, level))
    }
    if not proved:
        return None
    winner = max(proved, key=lambda rival: _score(proved[rival], definition.objectives))
    return Confirmation(
        candidate=winner,
        parameters=plan.candidates[winner],
        source_trial=plan.source_trials[winner],
        gains=proved[winner],
        repeats=len(set(runs[0]) & set(runs[winner])),
        candidates=len(rivals),
    )


def _runs(trials: Sequence[TrialRecord], plan: ConfirmPlan) -> dict[int, dict[int, Outcome]]:
    """Return the outcomes of `plan` by place in it and repeat; those of a plan it replaced are left out."""
    runs: dict[int, dict[int, Outcome]] = {}
    for trial in trials:
        outcome = trial.outcome
        if trial.phase is not Phase.CONFIRM or outcome is None or outcome.kind is not OutcomeKind.MEASURED:
            continue
        if trial.candidate is not None and trial.repeat is not None and trial.candidate >= plan.first:
            runs.setdefault(trial.candidate - plan.first, {})[trial.repeat] = outcome
    return runs


def _keeps(rival: Mapping[int, Outcome], definition: StudyDefinition) -> bool:
    means = {
        bound.metric: float(np.mean([outcome.metrics[bound.metric] for outcome in rival.values()]))
        for bound in definition.constraints
        if rival
    }
    return all(
        bound.violation(means[bound.metric]) <= 0 for bound in definition.constraints if bound.metric in means
    )


def _gains(
    default: Mapping[int, Outcome],
    rival: Mapping[int, Outcome],
    objectives: Sequence[ObjectiveDefinition],
    confidence: float,
) -> tuple[Gain, ...]:
    repeats = sorted(set(default) & set(rival))
    if len(repeats) < _FEWEST_PAIRS:
        return ()
    old, new = [default[repeat] for repeat in repeats], [rival[repeat] for repeat in repeats]
    return tuple(_gain(objective, old, new, confidence) for objective in objectives)


def _gain(
    objective: ObjectiveDefinition, old: Sequence[Outcome], new: Sequence[Outcome], confidence: float
) -> Gain:
    metric = find_metric(objective.metric)
    before = np.array([outcome.metrics[metric.name] for outcome in old])
    after = np.array([outcome.metrics[metric.name] for outcome in new])
    pairs = np.log(after / before) if metric.scale == "ratio" else _score_pairs(metric.name, old, new)
    low, high = bootstrap_interval(pairs, confidence=confidence)
    shown = np.array([pairs.mean(), low, high])
    gain, low, high = np.expm1(shown) if metric.scale == "ratio" else shown
    better, worse = (low > 0, high < 0) if objective.direction == "maximize" else (high < 0, low > 0)
    return Gain(
        metric=metric.name,
        default_mean=float(before.mean()),
        best_mean=float(after.mean()),
        gain=float(gain),
        low=float(low),
        high=float(high),
        significant=bool(better),
        worse=bool(worse),
        unit=metric.unit,
        scale=metric.scale,
        pairs=len(pairs),
    )


def _score_pairs(name: str, old: Sequence[Outcome], new: Sequence[Outcome]) -> Floats:
    """Return one difference per item, its repeats averaged: repeats of an item are not independent.

    A metric that has no score per item (distinct-n, goodput) gives one difference per repeat.
    """
    if old[0].sample_metric != name:
        return np.array([b.metrics[name] - a.metrics[name] for a, b in zip(old, new, strict=True)])
    differences: dict[str, list[float]] = {}
    for before, after in zip(old, new, strict=True):
        for item in before.samples.keys() & after.samples.keys():
            differences.setdefault(item, []).append(after.samples[item] - before.samples[item])
    return np.array([np.mean(differences[item]) for item in sorted(differences)])


def _score(gains: Sequence[Gain], objectives: Sequence[ObjectiveDefinition]) -> float:
    signs = (1 if objective.direction == "maximize" else -1 for objective in objectives)
    return weighted_mean(
        objectives, (sign * _on_scale(gain) for sign, gain in zip(signs, gains, strict=True))
    )


def _on_scale(gain: Gain) -> float:
    return float(np.log1p(gain.gain)) if gain.scale == "ratio" else gain.gain
