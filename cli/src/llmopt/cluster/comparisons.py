"""What a benchmark found, from its status, as the result that local runs give. Pure."""

from collections.abc import Mapping
from typing import Any

from llmopt.cluster.conditions import end_of
from llmopt.cluster.outcomes import errors_in, typed, warnings_in
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.resources.status import BenchmarkStatus, CandidateResult, MetricResult
from llmopt_core.resources.status import Comparison as StatusComparison
from llmopt_core.study.benchmark_results import BenchmarkResult
from llmopt_core.study.comparison import BenchmarkFinding, CandidateFinding, Difference, MetricMean
from llmopt_core.study.records import ObjectiveDefinition

Document = Mapping[str, Any]
_CONFIDENCE_PERCENT = 95


def benchmark_from(document: Document, status: BenchmarkStatus) -> BenchmarkResult:
    """Return what the benchmark `document` found so far.

    Which of the candidates could not be measured is in the verdict, and why in the errors.
    """
    end = end_of(status)
    return BenchmarkResult(
        study=str(document["metadata"]["name"]),
        ended=end.reason if end else None,
        message=end.message if end else "",
        finding=_finding(document["spec"], status, decided=end is not None),
        failed=end is not None and end.failed,
        errors=errors_in(status),
        warnings=warnings_in(status),
    )


def _finding(spec: Document, status: BenchmarkStatus, *, decided: bool) -> BenchmarkFinding:
    objective = _objective(spec)
    baseline = str(spec.get("baseline") or spec["candidates"][0]["name"])
    measured = {result.candidate: result for result in status.results}
    return BenchmarkFinding(
        objective=objective,
        metrics=tuple(dict.fromkeys((objective.metric, *spec.get("metrics", ())))),
        baseline=baseline,
        confidence=spec.get("confidencePercent", _CONFIDENCE_PERCENT) / 100,
        candidates=tuple(
            _candidate(asked, spec, measured, objective, measured.get(baseline))
            for asked in spec["candidates"]
        ),
        repeats=int(spec.get("repeats", 0)),
        finished=status.progress.finished,
        measured=status.progress.measured,
        decided=decided,
        winner=status.winner,
        level_with=(),
        verdict=status.verdict or "nothing was measured yet",
    )


def _objective(spec: Document) -> ObjectiveDefinition:
    asked = spec["objective"]
    return ObjectiveDefinition(asked["metric"], asked.get("goal") or find_metric(asked["metric"]).direction)


def _candidate(
    asked: Document,
    spec: Document,
    measured: Mapping[str, CandidateResult],
    objective: ObjectiveDefinition,
    baseline: CandidateResult | None,
) -> CandidateFinding:
    found = measured.get(asked["name"]) or CandidateResult(candidate=asked["name"])
    engine = str((asked.get("engine") or spec.get("engine") or {}).get("name", ""))
    differences = {
        metric: _difference(metric, compared, objective, baseline.metrics[metric], found.repeats)
        for metric, compared in found.against_baseline.items()
        if baseline is not None and metric in baseline.metrics
    }
    reference = asked.get("optimizationRef") or {}
    return CandidateFinding(
        name=found.candidate,
        engine=engine,
        model=str((asked.get("model") or spec.get("model") or {}).get("source", "")),
        origin=f"{reference['name']}, rank {reference.get('rank', 1)}" if reference else "",
        parameters=typed(asked.get("parameters") or {}, engine),
        repeats=found.repeats,
        metrics={metric: _mean(each, found.repeats) for metric, each in found.metrics.items()},
        against_baseline=differences,
    )


def _mean(measured: MetricResult, repeats: int) -> MetricMean:
    span = measured.interval
    low, high = (float(span.low), float(span.high)) if span else (None, None)
    return MetricMean(float(measured.mean), low, high, repeats)


def _difference(
    metric: str,
    compared: StatusComparison,
    objective: ObjectiveDefinition,
    baseline: MetricResult,
    repeats: int,
) -> Difference:
    """Return the difference relative to the baseline on a ratio scale: a status holds it in the unit."""
    known, before = find_metric(metric), float(baseline.mean)
    goal = objective.direction if metric == objective.metric else known.direction
    unit = before if known.scale == "ratio" and before else 1.0
    span = compared.interval
    ends = (span.low, span.high) if span else (compared.difference, compared.difference)
    low, high = (float(end) / unit for end in ends)
    return Difference(
        difference=float(compared.difference) / unit,
        low=low,
        high=high,
        significant=compared.significant,
        better=compared.significant and (low > 0 if goal == "maximize" else high < 0),
        scale=known.scale,
        repeats=repeats,
        baseline_mean=before,
    )
