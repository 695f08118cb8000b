"""From what a study holds to the parts of the status that it fills: rounded, bounded, in the API's words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmopt_core.analysis.comparison import BenchmarkFinding, CandidateFinding, MetricMean
from llmopt_core.analysis.confirmation import Choice
from llmopt_core.analysis.effects import Interval
from llmopt_core.analysis.summary import ErrorCount, StudySummary
from llmopt_core.api.conditions import ConditionType
from llmopt_core.api.reasons import reason_called
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.resources import LLMBenchmark, Resource
from llmopt_core.resources.base import Part, Scalar
from llmopt_core.resources.status import (
    Best,
    CandidateResult,
    ErrorSummary,
    MetricResult,
    Progress,
    RunnerStatus,
    TrialResult,
    WarningSummary,
)
from llmopt_core.resources.status import Choice as StatusChoice
from llmopt_core.resources.status import Interval as StatusInterval
from llmopt_core.results.optimizations import OptimizationResult
from llmopt_core.results.progress import Progress as Look
from llmopt_core.results.progress import most_repeats
from llmopt_core.results.status_effects import decimal, status_effect, status_interval
from llmopt_core.results.wording import best_for, compact_duration, gain_text, headline, interval_text
from llmopt_core.search.configurations import GROUPS, Value
from llmopt_core.storage.documents import EndReason
from llmopt_core.storage.records import OutcomeKind, RunnerRecord, TrialRecord
from llmopt_operator.domain.observed import FIGURES, Problem, StudySeen, Winner
from llmopt_operator.domain.winners import Verified

_SHOWN_TOP, _SHOWN_PARETO, _SHOWN_METRICS, _SHOWN_CHOICES = 10, 20, 48, 5
_SHOWN_ERRORS, _SHOWN_WARNINGS, _SHOWN_RUNNERS = 10, 5, 32
_LONGEST_TEXT, _LONGEST_COMMAND, _LONGEST_VALUE = 1024, 4096, 1024


@dataclass(frozen=True)
class Reading:
    """One reading of an optimization's study, by the study's own words."""

    name: str
    ended: EndReason | None
    look: Look
    summary: StudySummary
    result: Verified
    ranked: tuple[TrialRecord, ...]
    runners: tuple[RunnerRecord, ...]
    active_seconds: float
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True)
class BenchmarkReading:
    """One reading of a benchmark's study, by the study's own words."""

    name: str
    ended: EndReason | None
    finding: BenchmarkFinding
    summary: StudySummary
    runners: tuple[RunnerRecord, ...]
    active_seconds: float
    left_seconds: float | None
    unreadable: tuple[str, ...] = ()


def optimization_seen(reading: Reading) -> StudySeen:
    """Return an optimization's study as decisions and the status need it."""
    summary, result = reading.summary, reading.result.result
    figures = {
        "study": reading.name,
        "progress": _dump(_progress(reading)),
        "errors": [_dump(error) for error in _errors(summary)],
        "warnings": [_dump(warning) for warning in _warnings(summary, reading.unreadable)],
        "runners": [_dump(runner) for runner in _runners(reading.runners)],
        "baseline": _dump(_trial(summary.baseline)),
        "baselineFailure": _dump(_error(summary.default_failure)) if summary.default_failure else None,
        "best": _dump(_best(reading)),
        "choices": [_dump(_choice(each, result)) for each in result.choices[:_SHOWN_CHOICES]],
        "top": [_dump(_trial(trial)) for trial in reading.ranked[:_SHOWN_TOP]],
        "pareto": [_dump(_trial(trial)) for trial in _front(reading)],
    }
    return StudySeen(
        ended=reading.ended,
        active_seconds=reading.active_seconds,
        figures={field: value for field, value in figures.items() if value not in (None, [], {})},
        winner=_winner(result),
        distrust=reading.result.problem,
    )


def benchmark_seen(reading: BenchmarkReading) -> StudySeen:
    """Return a benchmark's study as decisions and the status need it."""
    finding = reading.finding
    figures = {
        "study": reading.name,
        "progress": _dump(_repeats_progress(reading)),
        "errors": [_dump(error) for error in _errors(reading.summary)],
        "warnings": [_dump(warning) for warning in _warnings(reading.summary, reading.unreadable)],
        "runners": [_dump(runner) for runner in _runners(reading.runners)],
        "results": [_dump(_candidate(candidate)) for candidate in finding.candidates],
        "winner": finding.winner,
        "verdict": _short(finding.verdict),
    }
    return StudySeen(
        ended=reading.ended,
        active_seconds=reading.active_seconds,
        figures={field: value for field, value in figures.items() if value not in (None, [], {})},
    )


def untouched(name: str, resource: Resource) -> StudySeen:
    """Return a study of which no trial has begun: it need not be read."""
    if isinstance(resource, LLMBenchmark):
        budget, repeats = len(resource.spec.candidates) * resource.spec.repeats, 0
    else:
        budget, repeats = resource.spec.budget.trials, most_repeats(resource.spec)
    progress = Progress(text=f"0/{budget}", budget=budget, confirm_planned=repeats)
    return StudySeen(None, 0.0, {"study": name, "progress": _dump(progress)})


def unchanged(status: Mapping[str, Any]) -> StudySeen:
    """Return a running study of which `status` holds the figures still."""
    figures = {field: status[field] for field in FIGURES if field in status}
    distrust = next(
        (
            Problem(reason_called(each["reason"]) or ErrorClass.UNKNOWN, each["message"])
            for each in status.get("conditions", ())
            if each["type"] == ConditionType.RESULT_VALID
        ),
        None,
    )
    elapsed = float(status.get("progress", {}).get("elapsedSeconds", 0))
    return StudySeen(None, elapsed, figures, distrust=distrust)


def _dump(part: Part | None) -> dict[str, Any] | None:
    return None if part is None else part.model_dump(mode="json", by_alias=True, exclude_none=True)


def _progress(reading: Reading) -> Progress:
    look, counts = reading.look, reading.summary.counts
    left = None if look.left_seconds is None else round(look.left_seconds)
    return Progress(
        text=_progress_text(look),
        budget=look.budget,
        finished=look.finished,
        running=look.running,
        waiting=reading.summary.waiting,
        measured=counts.get(OutcomeKind.MEASURED, 0),
        copied=counts.get(OutcomeKind.COPIED, 0),
        pruned=counts.get(OutcomeKind.PRUNED, 0),
        infeasible=counts.get(OutcomeKind.INFEASIBLE, 0),
        invalid=counts.get(OutcomeKind.INVALID, 0),
        failed=counts.get(OutcomeKind.FAILED, 0),
        confirm_planned=look.repeats_planned,
        confirm_finished=look.repeats,
        elapsed_seconds=round(reading.active_seconds),
        eta_seconds=left,
        eta=None if left is None else compact_duration(left),
    )


def _repeats_progress(reading: BenchmarkReading) -> Progress:
    """A benchmark's trials are repeats, and they are its whole budget."""
    finding, summary = reading.finding, reading.summary
    counts = summary.confirm_counts
    left = None if reading.left_seconds is None else round(reading.left_seconds)
    return Progress(
        text=f"{finding.finished}/{finding.planned}",
        budget=finding.planned,
        finished=finding.finished,
        running=summary.confirm_running,
        waiting=summary.confirm_waiting,
        measured=finding.measured,
        infeasible=counts.get(OutcomeKind.INFEASIBLE, 0),
        invalid=counts.get(OutcomeKind.INVALID, 0),
        failed=counts.get(OutcomeKind.FAILED, 0),
        elapsed_seconds=round(reading.active_seconds),
        eta_seconds=left,
        eta=None if left is None else compact_duration(left),
    )


def _candidate(found: CandidateFinding) -> CandidateResult:
    return CandidateResult(
        candidate=found.name,
        repeats=found.repeats,
        metrics={
            name: MetricResult(mean=decimal(each.mean), interval=_mean_interval(each))
            for name, each in found.metrics.items()
        },
        against_baseline={name: status_effect(each) for name, each in found.against_baseline.items()},
    )


def _mean_interval(mean: MetricMean) -> StatusInterval | None:
    if mean.low is None or mean.high is None:
        return None
    return status_interval(Interval(mean.low, mean.high))


def _progress_text(look: Look) -> str:
    if look.repeats:
        return f"{look.finished}/{look.budget} + {look.repeats}/{look.repeats_planned}"
    return f"{look.finished}/{look.budget}"


def _errors(summary: StudySummary) -> Iterable[ErrorSummary]:
    return (_error(error) for error in summary.errors[:_SHOWN_ERRORS])


def _error(error: ErrorCount) -> ErrorSummary:
    return ErrorSummary(
        class_=error.error_class.value,
        count=error.count,
        suggestion=_short(error.last.suggestion),
        last_message=_short(error.last.message),
        last_trial=error.last_trial,
    )


def _warnings(summary: StudySummary, unreadable: Sequence[str]) -> Iterable[WarningSummary]:
    """Warn of rows that are left out first, then of what the trials warn of."""
    if unreadable:
        text = f"rows of the study that cannot be read are left out: {', '.join(unreadable)}"
        yield WarningSummary(count=len(unreadable), last_message=_short(text))
    for warning in summary.warnings[: _SHOWN_WARNINGS - bool(unreadable)]:
        yield WarningSummary(
            count=warning.count, last_message=_short(warning.message), last_trial=warning.trial
        )


def _runners(records: Sequence[RunnerRecord]) -> Iterable[RunnerStatus]:
    """The runners that are there, then the last ones that were."""
    ordered = sorted(records, key=lambda record: (record.ended is not None, record.index, record.name))
    for record in ordered[:_SHOWN_RUNNERS]:
        yield RunnerStatus(
            name=record.name,
            trial=record.trial,
            stage=record.stage[:64],
            memory_mib=None if record.memory_mib is None else round(record.memory_mib),
            memory_total_mib=None if record.memory_total_mib is None else round(record.memory_total_mib),
            ended=None if record.ended is None else record.ended[:256],
        )


def _trial(trial: TrialRecord | None) -> TrialResult | None:
    if trial is None or trial.outcome is None:
        return None
    return TrialResult(
        trial=trial.number,
        parameters=_scalars(trial.parameters),
        metrics=_metrics(trial.outcome.metrics),
    )


def _front(reading: Reading) -> tuple[TrialRecord, ...]:
    """The front, where there is more than one objective to trade."""
    objectives = reading.result.result.objective_effects
    return reading.summary.pareto[:_SHOWN_PARETO] if len(objectives) > 1 else ()


def _best(reading: Reading) -> Best | None:
    result = reading.result.result
    if result.trial is None:
        return None
    objectives = result.objective_effects
    shown = objectives or reading.look.gains  # without a default there may be nothing to compare with
    flat = {f"{group}.{name}": value for group in GROUPS for name, value in result.parameters[group].items()}
    return Best(
        trial=result.trial,
        parameters=_scalars(flat),
        metrics=_metrics(result.metrics),
        headline=_short(", ".join(f"{one.metric} {decimal(one.value)}" for one in shown)),
        summary=_short(headline(result)),
        short_gain=_short_gain(result),
        gain=[status_effect(one) for one in objectives],
        reference=result.reference,
        confirmed=result.confirmed,
        serve_args=(result.serve_command or "")[:_LONGEST_COMMAND],
    )


def _choice(choice: Choice, result: OptimizationResult) -> StatusChoice:
    return StatusChoice(
        trial=choice.source_trial,
        parameters=_scalars(choice.parameters),
        gain=[status_effect(one) for one in choice.effects],
        best_for=list(best_for(choice, result.choices)),
    )


def _winner(result: OptimizationResult) -> Winner | None:
    if result.trial is None or result.default_is_best:
        return None
    return Winner(result.trial, result.confirmed and result.significant, result.serve_arguments)


def _short_gain(result: OptimizationResult) -> str:
    if result.default_failure is not None and not result.effects:
        return "none: the default cannot run"
    if result.default_is_best or not result.effects:
        return "none"
    first = result.effects[0]
    interval = interval_text(first)
    return f"{gain_text(first)} ({interval})" if interval else f"{gain_text(first)} (unconfirmed)"


def _metrics(metrics: Mapping[str, float]) -> dict[str, str]:
    return {name: decimal(metrics[name]) for name in sorted(metrics)[:_SHOWN_METRICS]}


def _scalars(parameters: Mapping[str, Value]) -> dict[str, Scalar]:
    return {name: _scalar(value) for name, value in parameters.items()}


def _scalar(value: Value) -> Scalar:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return decimal(value)
    return value if isinstance(value, int) else str(value)[:_LONGEST_VALUE]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
