"""What a benchmark found, from its status, as the result that local runs give. Pure."""

from collections.abc import Mapping
from typing import Any

from llmopt.cluster.conditions import StatusUnreadable, end_of
from llmopt.cluster.outcomes import errors_in, typed, warnings_in
from llmopt_core.analysis.comparison import BenchmarkFinding, CandidateFinding, MetricMean
from llmopt_core.metrics.catalog import Direction, find_metric
from llmopt_core.resources.benchmark import BenchmarkSpec, Candidate
from llmopt_core.resources.served import served_benchmark
from llmopt_core.resources.status import BenchmarkStatus, CandidateResult, MetricResult
from llmopt_core.results.benchmarks import BenchmarkResult
from llmopt_core.results.status_effects import effect_in
from llmopt_core.storage.definitions import objective_of
from llmopt_core.storage.records import ObjectiveDefinition

Document = Mapping[str, Any]
_PERCENT = 100


def benchmark_from(document: Document, status: BenchmarkStatus) -> BenchmarkResult:
    """Return what the benchmark `document` found so far.

    Which of the candidates could not be measured is in the verdict, and why in the errors.
    """
    end = end_of(status)
    return BenchmarkResult(
        study=str(document["metadata"]["name"]),
        ended=end.reason if end else None,
        message=end.message if end else "",
        finding=_finding(_spec_of(document), status, decided=end is not None),
        failed=end is not None and end.failed,
        errors=errors_in(status),
        warnings=warnings_in(status),
    )


def _spec_of(document: Document) -> BenchmarkSpec:
    """Return what the benchmark asks for; what is refused has found nothing that could be shown."""
    spec = served_benchmark(document)
    if spec is None:
        raise StatusUnreadable(
            f"{document['metadata']['name']}: its spec is not one that this version of llmopt can read: "
            "`llmopt validate` on its manifest says why"
        )
    return spec


def _finding(spec: BenchmarkSpec, status: BenchmarkStatus, *, decided: bool) -> BenchmarkFinding:
    objective = objective_of(spec.objective)
    baseline = spec.baseline_name
    measured = {result.candidate: result for result in status.results}
    return BenchmarkFinding(
        objective=objective,
        metrics=tuple(dict.fromkeys((objective.metric, *spec.metrics))),
        baseline=baseline,
        confidence=spec.confidence_percent / _PERCENT,
        candidates=tuple(
            _candidate(asked, spec, measured, objective, measured.get(baseline)) for asked in spec.candidates
        ),
        repeats=spec.repeats,
        finished=status.progress.finished,
        measured=status.progress.measured,
        decided=decided,
        winner=status.winner,
        level_with=(),
        verdict=status.verdict or "nothing was measured yet",
    )


def _candidate(
    asked: Candidate,
    spec: BenchmarkSpec,
    measured: Mapping[str, CandidateResult],
    objective: ObjectiveDefinition,
    baseline: CandidateResult | None,
) -> CandidateFinding:
    found = measured.get(asked.name) or CandidateResult(candidate=asked.name)
    engine, model = asked.engine or spec.engine, asked.model or spec.model
    name = engine.name if engine else ""
    effects = {
        metric: effect_in(
            told, metric, _goal(metric, objective), baseline=float(baseline.metrics[metric].mean)
        )
        for metric, told in found.against_baseline.items()
        if baseline is not None and metric in baseline.metrics
    }
    return CandidateFinding(
        name=found.candidate,
        engine=name,
        model=model.source if model else "",
        origin=str(asked.optimization_ref) if asked.optimization_ref else "",
        parameters=typed(asked.parameters, name),
        repeats=found.repeats,
        metrics={metric: _mean(each, found.repeats) for metric, each in found.metrics.items()},
        against_baseline=effects,
    )


def _mean(measured: MetricResult, repeats: int) -> MetricMean:
    span = measured.interval
    low, high = (float(span.low), float(span.high)) if span else (None, None)
    return MetricMean(float(measured.mean), low, high, repeats)


def _goal(metric: str, objective: ObjectiveDefinition) -> Direction:
    return objective.direction if metric == objective.metric else find_metric(metric).direction
