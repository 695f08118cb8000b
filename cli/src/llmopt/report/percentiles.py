"""The latency percentiles of the trials that matter, with their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmopt.report.shown_trials import shown_trials
from llmopt_core.resources.status import BenchmarkStatus, OptimizationStatus
from llmopt_core.results.numbers import number
from llmopt_core.storage.records import Outcome, TrialRecord


@dataclass(frozen=True)
class PercentileRow:
    """One percentile of one latency."""

    metric: str
    value: str
    interval: str
    effective: str


@dataclass(frozen=True)
class PercentileTable:
    """The percentiles of one trial."""

    title: str
    rows: tuple[PercentileRow, ...]


def percentile_tables(
    status: OptimizationStatus | BenchmarkStatus, trials: Sequence[TrialRecord]
) -> tuple[PercentileTable, ...]:
    """Return the tables of the trials that a report shows, where they have intervals."""
    return tuple(
        PercentileTable(name, tuple(_rows(trial.outcome)))
        for name, trial in shown_trials(status, trials)
        if trial.outcome is not None and trial.outcome.spreads
    )


def _rows(outcome: Outcome) -> list[PercentileRow]:
    return [
        PercentileRow(
            metric,
            f"{number(outcome.metrics[metric])} ms",
            f"{_end(spread.low, 'no lower end')} to {_end(spread.high, 'no upper end')}",
            f"{spread.effective:.0f}",
        )
        for metric, spread in outcome.spreads.items()
        if metric in outcome.metrics
    ]


def _end(value: float | None, missing: str) -> str:
    return missing if value is None else number(value)
