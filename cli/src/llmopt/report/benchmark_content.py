"""What the report of a benchmark says, as plain data that the page only has to lay out."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmopt.report.machine import machine_facts
from llmopt.report.pages import Page, measuring_seconds, parameter_rows, workload_facts
from llmopt_core.analysis.comparison import BenchmarkFinding, CandidateFinding, MetricMean
from llmopt_core.analysis.effects import Effect
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.results.benchmark_wording import (
    benchmark_headline,
    difference_verdict,
    how_sure,
    mean_interval_text,
    mean_text,
    value_texts,
)
from llmopt_core.results.benchmarks import BenchmarkResult
from llmopt_core.results.wording import duration, gain_text, interval_text, number
from llmopt_core.storage.records import TrialRecord
from llmopt_core.storage.repeats import current

# Room beside the outermost intervals, as a share of what they span.
_MARGIN = 0.04


@dataclass(frozen=True)
class Mark:
    """Where a mean and its interval lie on the scale that a metric's candidates share, in percent."""

    mean: float
    low: float
    width: float


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
    """What a candidate is, and what became of its repeats."""

    name: str
    serves: str
    parameters: str
    repeats: str
    failure: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class BenchmarkContent(Page):
    """All texts of the report of a benchmark. `repeats` heads the columns of the contestants' values."""

    tables: tuple[MetricTable, ...]
    contestants: tuple[Contestant, ...]
    objective: str
    repeats: tuple[str, ...]
    winner: str
    parameters: tuple[tuple[str, str, str], ...]


def benchmark_content_of(
    result: BenchmarkResult, spec: BenchmarkSpec, trials: Sequence[TrialRecord], *, manifest_text: str
) -> BenchmarkContent:
    """Return what the report of `result` says."""
    finding = result.finding
    return BenchmarkContent(
        title=result.study,
        headline=benchmark_headline(result),
        tone="good" if result.winner is not None else "quiet",
        proof=how_sure(finding) if finding.measured else result.message,
        tables=tuple(_table(finding, metric) for metric in finding.metrics if _is_measured(finding, metric)),
        contestants=tuple(_contestant(place, finding, trials) for place in range(len(finding.candidates))),
        objective=finding.objective.metric,
        repeats=tuple(str(repeat + 1) for repeat in range(finding.repeats)),
        winner=result.winner or "",
        parameters=parameter_rows(result.parameters),
        measured=tuple(_measured(spec, finding, trials).items()),
        machine=tuple(machine_facts().items()),
        errors=tuple(vars(error) for error in result.errors),
        warnings=tuple(vars(warning) for warning in result.warnings),
        serve_title="Serve it",
        serve_command=result.serve_command or "",
        request_fields=value_texts(result.request_fields, ": "),
        manifest=manifest_text,
    )


def _is_measured(finding: BenchmarkFinding, metric: str) -> bool:
    return any(metric in candidate.metrics for candidate in finding.candidates)


def _table(finding: BenchmarkFinding, metric: str) -> MetricTable:
    known = find_metric(metric)
    goal = finding.objective.direction if metric == finding.objective.metric else known.direction
    means = [mean for candidate in finding.candidates if (mean := candidate.metrics.get(metric))]
    bottom = min(mean.mean if mean.low is None else mean.low for mean in means)
    top = max(mean.mean if mean.high is None else mean.high for mean in means)
    return MetricTable(
        metric,
        known.unit,
        "higher is better" if goal == "maximize" else "lower is better",
        tuple(_row(candidate, finding, metric, bottom, top) for candidate in finding.candidates),
    )


def _row(
    candidate: CandidateFinding, finding: BenchmarkFinding, metric: str, bottom: float, top: float
) -> CandidateRow:
    mean, difference = candidate.metrics.get(metric), candidate.against_baseline.get(metric)
    verdict = "baseline" if candidate.name == finding.baseline else difference_verdict(difference)
    return CandidateRow(
        name=candidate.name,
        mark=None if mean is None else _mark(mean, bottom, top),
        mean=mean_text(mean),
        interval=mean_interval_text(mean),
        difference=gain_text(difference),
        difference_interval=interval_text(difference),
        verdict="not measured" if mean is None else verdict,
        tone="bad" if mean is None else _tone(difference),
        wins=candidate.name == finding.winner and metric == finding.objective.metric,
    )


def _mark(mean: MetricMean, bottom: float, top: float) -> Mark:
    span = (top - bottom) * (1 + 2 * _MARGIN) or 1.0
    start = bottom - (top - bottom) * _MARGIN if top > bottom else bottom - span / 2

    def place(value: float) -> float:
        return round(100 * (value - start) / span, 2)

    low = place(mean.mean if mean.low is None else mean.low)
    high = place(mean.mean if mean.high is None else mean.high)
    return Mark(place(mean.mean), low, round(high - low, 2))


def _tone(difference: Effect | None) -> str:
    if difference is None or not difference.significant:
        return "quiet"
    return "good" if difference.better else "bad"


def _contestant(place: int, finding: BenchmarkFinding, trials: Sequence[TrialRecord]) -> Contestant:
    candidate = finding.candidates[place]
    repeats = current(trials)
    return Contestant(
        name=candidate.name,
        serves=f"{candidate.model} on {candidate.engine}"
        + (f" ({candidate.origin})" if candidate.origin else ""),
        parameters=value_texts(candidate.parameters, "="),
        repeats=f"{candidate.repeats} of {finding.repeats}",
        failure=f"{candidate.failure.error_class}: {candidate.failure.told}" if candidate.failure else "",
        values=tuple(
            _value(repeats.get((place, repeat)), finding.objective.metric)
            for repeat in range(finding.repeats)
        ),
    )


def _value(trial: TrialRecord | None, metric: str) -> str:
    """Return what a repeat measured of the objective, or how it stands."""
    if trial is None or trial.outcome is None:
        return "" if trial is None else trial.state
    value = trial.outcome.metrics.get(metric)
    return trial.outcome.kind.value if value is None else number(value)


def _measured(
    spec: BenchmarkSpec, finding: BenchmarkFinding, trials: Sequence[TrialRecord]
) -> dict[str, str]:
    return {
        "Items": f"{spec.workload.dataset.samples} held out, the same for all candidates and repeats",
        **workload_facts(spec.workload),
        "Repeats": f"{finding.measured} of {finding.planned} measured, interleaved",
        "Measuring time": duration(measuring_seconds(trials)),
    }
