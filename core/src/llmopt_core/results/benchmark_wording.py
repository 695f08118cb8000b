"""A benchmark's outcome in words: the same in the terminal, in the report and in a resource's status."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from llmopt_core.analysis.comparison import BenchmarkFinding, MetricMean
from llmopt_core.analysis.effects import Effect
from llmopt_core.results.benchmarks import BenchmarkResult
from llmopt_core.results.wording import number, value_text, verdict


def benchmark_headline(result: BenchmarkResult) -> str:
    """Return the outcome in one honest line; what makes its numbers doubtful comes first."""
    doubts = "".join(f"{note.value}. " for note in result.finding.notes)
    text = result.verdict
    return doubts + (text if result.winner is not None else text[:1].upper() + text[1:])


def mean_text(mean: MetricMean | None) -> str:
    """Return a mean, empty where nothing was measured."""
    return "" if mean is None else number(mean.mean)


def mean_interval_text(mean: MetricMean | None) -> str:
    """Return the interval of a mean, such as `80.1 to 91.2`; empty where there is none."""
    if mean is None or mean.low is None or mean.high is None:
        return ""
    return f"{number(mean.low)} to {number(mean.high)}"


def difference_verdict(effect: Effect | None) -> str:
    """Return whether the difference counts; empty where there is none."""
    return "" if effect is None else verdict(effect)


def value_texts(values: Mapping[str, object], between: str) -> str:
    """Return parameters in one line, such as `n_parallel = 8, n_batch = 512`."""
    return ", ".join(f"{name}{between}{value_text(value)}" for name, value in values.items())


def how_sure(finding: BenchmarkFinding) -> str:
    """Return what the intervals mean."""
    percent = f"{finding.confidence:.0%}".replace("%", " %")
    together = ", right for all differences together" if len(finding.candidates) > 1 else ""
    return f"Interleaved repeats, each on the same held-out items; {percent} intervals{together}."


def benchmark_text(result: BenchmarkResult) -> str:
    """Return best.json: the verdict, the winner and how to serve it, and what was measured of all."""
    document = {
        "study": result.study,
        "ended": result.ended,
        "message": result.message,
        "failed": result.failed,
        "headline": benchmark_headline(result),
        "winner": result.winner,
        "parameters": result.parameters,
        "serve_command": result.serve_command,
        "request_fields": result.request_fields,
        "trials": result.repeats,
        **asdict(result.finding),
        "errors": [asdict(error) for error in result.errors],
        "warnings": [asdict(warning) for warning in result.warnings],
        "report": None if result.report is None else result.report.name,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
