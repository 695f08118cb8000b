"""The result of a benchmark on the terminal."""

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from llmopt.tables import warning_lines
from llmopt.terminal import Console
from llmopt_core.analysis.comparison import BenchmarkFinding, CandidateFinding
from llmopt_core.analysis.effects import Effect
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.results.benchmark_wording import (
    benchmark_headline,
    difference_verdict,
    how_sure,
    mean_interval_text,
    mean_text,
    value_texts,
)
from llmopt_core.results.benchmarks import BenchmarkResult
from llmopt_core.results.wording import gain_text, interval_text


def print_benchmark(console: Console, result: BenchmarkResult) -> None:
    """Print the outcome: verdict, candidates by metric, the winner's parameters, failures, what is next."""
    finding = result.finding
    console.print()
    console.print(Text(benchmark_headline(result), style="bold"), soft_wrap=True)
    for metric in finding.metrics:
        if any(metric in candidate.metrics for candidate in finding.candidates):
            console.print()
            console.print(comparison_table(finding, metric))
    console.print()
    if finding.measured:
        console.print(Text(how_sure(finding), style="dim"), soft_wrap=True)
    for line in (*_failure_lines(finding), *warning_lines(result.warnings), *_winner_lines(result)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def comparison_table(finding: BenchmarkFinding, metric: str) -> Table:
    """Return the candidates in one metric, a row each."""
    known = find_metric(metric)
    goal = finding.objective.direction if metric == finding.objective.metric else known.direction
    table = Table(box=None, pad_edge=False, header_style="dim", title_justify="left", title_style="bold")
    table.title = f"{metric} ({known.unit}, {'higher' if goal == 'maximize' else 'lower'} is better)"
    table.add_column("candidate", no_wrap=True)
    table.add_column("mean", justify="right", no_wrap=True)
    table.add_column("interval", overflow="fold")
    table.add_column("difference", justify="right", no_wrap=True)
    table.add_column("interval", overflow="fold")
    table.add_column("", overflow="fold")
    for candidate in finding.candidates:
        table.add_row(*_row(candidate, finding, metric))
    return table


def _row(candidate: CandidateFinding, finding: BenchmarkFinding, metric: str) -> Iterator[Text]:
    mean, difference = candidate.metrics.get(metric), candidate.against_baseline.get(metric)
    yield Text(candidate.name, style="bold" if candidate.name == finding.winner else "")
    yield Text(mean_text(mean))
    yield Text(mean_interval_text(mean))
    yield Text(gain_text(difference))
    yield Text(interval_text(difference))
    if candidate.name == finding.baseline:
        yield Text("baseline", style="dim")
    elif mean is None:
        yield Text("not measured", style="red")
    else:
        yield Text(difference_verdict(difference), style=_style(difference))


def _style(difference: Effect | None) -> str:
    if difference is None or not difference.significant:
        return "dim"
    return "green" if difference.better else "red"


def _failure_lines(finding: BenchmarkFinding) -> Iterator[str]:
    """Yield what kept repeats from being measured, by candidate: the classes alone would not say whose."""
    for candidate in finding.candidates:
        failure = candidate.failure
        if failure is None:
            continue
        missing = f"{candidate.repeats} of {finding.repeats} repeats measured"
        yield f"{candidate.name}: {missing}: {failure.error_class}: {failure.message}"
        if failure.suggestion:
            yield f"  -> {failure.suggestion}"


def _winner_lines(result: BenchmarkResult) -> Iterator[str]:
    if result.winner is not None:
        yield f"Parameters of {result.winner}:"
        for group, values in result.parameters.items():
            if values:
                yield f"  {group}: {value_texts(values, ' = ')}"
    if result.serve_command:
        yield f"Serve it: {result.serve_command}"
    if result.request_fields:
        yield f"  with these fields in each request: {value_texts(result.request_fields, ': ')}"
    if result.report:
        yield f"Report: {result.report}"
