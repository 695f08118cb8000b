"""How the candidates of a benchmark compare, as tables for its report."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmopt.report.choices import tone
from llmopt.report.marks import Mark, Span, marks
from llmopt.tables import goal_of
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.resources.status import BenchmarkStatus, CandidateResult, MetricResult
from llmopt_core.results.effect_texts import gain_text, interval_text, mean_interval_text, mean_text, verdict
from llmopt_core.results.numbers import number, value_texts
from llmopt_core.storage.records import TrialRecord
from llmopt_core.storage.repeats import current


@dataclass(frozen=True)
class CandidateRow:
    """One candidate in one metric; `tone` is good, bad or quiet."""

    name: str
    mark: Mark | None
    mean: str
    interval: str
    difference: str
    difference_interval: str
    verdict: str
    tone: str
    wins: bool


@dataclass(frozen=True)
class MetricTable:
    """All candidates in one metric."""

    metric: str
    unit: str
    goal: str
    rows: tuple[CandidateRow, ...]


@dataclass(frozen=True)
class Contestant:
    """What a candidate is, and what became of its repeats: `values` of the objective, one a repeat."""

    name: str
    serves: str
    parameters: str
    repeats: str
    failure: str
    values: tuple[str, ...]


def metric_tables(status: BenchmarkStatus) -> tuple[MetricTable, ...]:
    """Return a table for each metric that was measured of some candidate."""
    measured = {metric for candidate in status.results for metric in candidate.metrics}
    return tuple(_table(status, metric) for metric in status.metrics if metric in measured)


def contestants(status: BenchmarkStatus, trials: Sequence[TrialRecord]) -> tuple[Contestant, ...]:
    """Return what each candidate is, with the values of its repeats among `trials`."""
    repeats = current(trials)
    metric = status.objective.metric if status.objective else ""
    return tuple(
        Contestant(
            name=each.candidate,
            serves=f"{each.model} on {each.engine}" + (f" ({each.origin})" if each.origin else ""),
            parameters=value_texts(each.parameters, "="),
            repeats=f"{each.repeats} of {status.repeats}",
            failure=_failure(each),
            values=tuple(_value(repeats.get((place, repeat)), metric) for repeat in range(status.repeats)),
        )
        for place, each in enumerate(status.results)
    )


def _failure(candidate: CandidateResult) -> str:
    failure = candidate.failure
    if failure is None:
        return ""
    text = f"{failure.class_}: {failure.last_message}"
    return f"{text} - {failure.suggestion}" if failure.suggestion else text


def _table(status: BenchmarkStatus, metric: str) -> MetricTable:
    better = "higher" if goal_of(status, metric) == "maximize" else "lower"
    drawn = marks([_span(candidate.metrics.get(metric)) for candidate in status.results])
    rows = tuple(
        _row(candidate, status, metric, mark) for candidate, mark in zip(status.results, drawn, strict=True)
    )
    return MetricTable(metric, find_metric(metric).unit, f"{better} is better", rows)


def _row(candidate: CandidateResult, status: BenchmarkStatus, metric: str, mark: Mark | None) -> CandidateRow:
    mean, difference = candidate.metrics.get(metric), candidate.against_baseline.get(metric)
    counts = "baseline" if candidate.candidate == status.baseline else verdict(difference)
    return CandidateRow(
        name=candidate.candidate,
        mark=mark,
        mean=mean_text(mean),
        interval=mean_interval_text(mean),
        difference=gain_text(difference),
        difference_interval=interval_text(difference),
        verdict="not measured" if mean is None else counts,
        tone="bad" if mean is None else tone(difference),
        wins=candidate.candidate == status.winner and metric == status.metrics[0],
    )


def _span(mean: MetricResult | None) -> Span | None:
    if mean is None:
        return None
    low, high = (mean.interval.low, mean.interval.high) if mean.interval else (mean.mean, mean.mean)
    return Span(mean.mean, low, high)


def _value(trial: TrialRecord | None, metric: str) -> str:
    """Return what a repeat measured of the objective, or how it stands."""
    if trial is None or trial.outcome is None:
        return "" if trial is None else trial.state
    value = trial.outcome.metrics.get(metric)
    return trial.outcome.kind.value if value is None else number(value)
