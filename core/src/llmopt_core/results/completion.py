"""A status from a cluster, completed by what its resource asks for.

Before the operator has looked at a study its status says nothing, and one of release 0.1.0 lacks what later
ones say: objectives, verdicts, what is reported of candidates. In it the interval of an optimization's gain
is on the scale of the metric (relative for speeds), that of a benchmark's difference in the metric's unit.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, overload

from llmopt_core.analysis.effects import Interval, difference_effect
from llmopt_core.metrics.catalog import Direction, find_metric
from llmopt_core.resources.base import Part
from llmopt_core.resources.benchmark import BenchmarkSpec, Candidate
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.resources.status import (
    BenchmarkStatus,
    Best,
    CandidateResult,
    OptimizationStatus,
    ReportedEffect,
    Status,
    StudyObjective,
)
from llmopt_core.results.findings import SHOWN_METRICS, compare
from llmopt_core.results.status_effects import status_effect
from llmopt_core.storage.definitions import objective_of
from llmopt_core.storage.records import ObjectiveDefinition

P = TypeVar("P", bound=Part)


@overload
def completed(status: OptimizationStatus, spec: object) -> OptimizationStatus: ...


@overload
def completed(status: BenchmarkStatus, spec: object) -> BenchmarkStatus: ...


def completed(status: Status, spec: object) -> Status:
    """Return `status` with what it leaves out taken from `spec`; unchanged where that cannot be read."""
    if isinstance(status, OptimizationStatus) and isinstance(spec, OptimizationSpec):
        return _with_best(_changed(status, _search_parts(status, spec)), spec)
    if isinstance(status, BenchmarkStatus) and isinstance(spec, BenchmarkSpec):
        return _changed(status, _comparison_parts(status, spec))
    return status


def _changed(part: P, changes: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> P:
    return part.model_copy(update=dict(changes))


def _search_parts(status: OptimizationStatus, spec: OptimizationSpec) -> Iterator[tuple[str, Any]]:
    if not status.progress.budget:
        yield "progress", _changed(status.progress, {"budget": spec.budget.trials})
    if not status.objectives:
        yield "objectives", [_objective(objective_of(asked)) for asked in spec.objectives]


def _objective(objective: ObjectiveDefinition) -> StudyObjective:
    return StudyObjective(metric=objective.metric, goal=objective.direction, weight=objective.weight)


def _with_best(status: OptimizationStatus, spec: OptimizationSpec) -> OptimizationStatus:
    best = status.best
    if best is None or all(effect.verdict is not None for effect in best.gain):
        return status
    goals = {each.metric: each.goal for each in status.objectives}
    gain = [_judged(one, one.metric, goals[one.metric]) for one in best.gain if one.metric in goals]
    changes = {
        "gain": gain,
        "others": list(_others(status, best, spec)),
        "repeats": spec.confirm.repeats if best.confirmed else 0,
    }
    return _changed(status, {"best": _changed(best, changes)})


def _others(status: OptimizationStatus, best: Best, spec: OptimizationSpec) -> Iterator[ReportedEffect]:
    """Yield what else was measured of the best and the default, by the search."""
    default = {} if status.baseline is None else status.baseline.metrics
    objectives = {each.metric for each in status.objectives}
    for metric in dict.fromkeys((*(bound.metric for bound in spec.constraints), *SHOWN_METRICS)):
        if metric not in objectives and metric in best.metrics and metric in default:
            yield status_effect(compare(metric, default[metric], best.metrics[metric]))


def _judged(
    effect: ReportedEffect, metric: str | None, goal: Direction, baseline: float = 0.0
) -> ReportedEffect:
    """Return an effect of release 0.1.0 with all fields; `baseline` where it does not say it itself."""
    if effect.verdict is not None or metric is None:
        return effect
    before = baseline if effect.baseline is None else effect.baseline
    ends = effect.absolute_interval
    span = None if ends is None else Interval(ends.low, ends.high)
    if span and effect.baseline is not None and find_metric(metric).scale == "ratio":
        span = span.scaled(before)
    return status_effect(difference_effect(metric, goal, before, effect.absolute, span, smallest_gain=0.0))


def _comparison_parts(status: BenchmarkStatus, spec: BenchmarkSpec) -> Iterator[tuple[str, Any]]:
    if not status.progress.budget:
        budget = len(spec.candidates) * spec.repeats
        yield "progress", _changed(status.progress, {"budget": budget})
    objective = objective_of(spec.objective)
    if status.objective is None:
        yield "objective", _objective(objective)
        yield "metrics", list(dict.fromkeys((objective.metric, *spec.metrics)))
        yield "baseline", spec.baseline_name
        yield "repeats", spec.repeats
        yield "confidence_percent", spec.confidence_percent
    yield "results", _results(status, spec, objective)


def _results(
    status: BenchmarkStatus, spec: BenchmarkSpec, objective: ObjectiveDefinition
) -> list[CandidateResult]:
    results = {each.candidate: each for each in status.results}
    baseline = results.get(spec.baseline_name, CandidateResult(candidate=spec.baseline_name))
    return [
        _candidate(
            results.get(asked.name, CandidateResult(candidate=asked.name)), asked, spec, objective, baseline
        )
        for asked in spec.candidates
    ]


def _candidate(
    result: CandidateResult,
    asked: Candidate,
    spec: BenchmarkSpec,
    objective: ObjectiveDefinition,
    baseline: CandidateResult,
) -> CandidateResult:
    engine, model = asked.engine or spec.engine, asked.model or spec.model
    effects = {
        metric: _judged(each, metric, _goal(metric, objective), baseline.metrics[metric].mean)
        for metric, each in result.against_baseline.items()
        if metric in baseline.metrics
    }
    changes = {
        "engine": result.engine or (engine.name if engine else ""),
        "model": result.model or (model.source if model else ""),
        "origin": result.origin or (str(asked.optimization_ref) if asked.optimization_ref else ""),
        "parameters": result.parameters or dict(asked.parameters),
        "against_baseline": effects,
    }
    return _changed(result, changes)


def _goal(metric: str, objective: ObjectiveDefinition) -> Direction:
    return objective.direction if metric == objective.metric else find_metric(metric).direction
