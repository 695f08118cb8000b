"""The result of an optimization on the terminal."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from llmopt.terminal import Console
from llmopt_core.analysis.effects import Effect
from llmopt_core.analysis.summary import WarningCount
from llmopt_core.results.optimizations import ErrorCount, OptimizationResult
from llmopt_core.results.wording import (
    advice,
    choice_lines,
    gain_text,
    headline,
    interval_text,
    number,
    parameters_title,
    reference_title,
    serve_title,
    standing_text,
    value_text,
    verdict,
)


def print_result(console: Console, result: OptimizationResult) -> None:
    """Print the outcome: headline, best against default, parameters, errors, and where to go from here."""
    console.print()
    console.print(Text(headline(result), style="bold"), soft_wrap=True)
    if result.effects:
        console.print(comparison_table(result))
    for standing in result.constraints:
        _say(console, f"Constraint {standing_text(standing)}")
    if result.confirmed:
        console.print(
            f"Means of {result.repeats} interleaved repeats on items that the search never saw; 95 % "
            "intervals that hold together for all candidates, objectives and looks.",
            style="dim",
        )
    for line in choice_lines(result):
        _say(console, line)
    if text := advice(result):
        _say(console, text)
    for line in _parameter_lines(result):
        _say(console, line)
    for line in (*error_lines(result.errors), *warning_lines(result.warnings), *_next_lines(result)):
        _say(console, line)


def error_lines(errors: Sequence[ErrorCount]) -> Iterator[str]:
    """Yield each class of failures with its last message and what to do."""
    for error in errors:
        yield f"{error.error_class} x{error.count} (trial {error.trial}): {error.message}"
        if error.suggestion:
            yield f"  -> {error.suggestion}"


def warning_lines(warnings: Sequence[WarningCount]) -> Iterator[str]:
    """Yield what is to be said of the study as a whole, and what measured trials warn of."""
    for warning in warnings:
        where = "" if warning.trial is None else f" x{warning.count} (trial {warning.trial})"
        yield f"Warning{where}: {warning.message}"


def comparison_table(result: OptimizationResult) -> Table:
    """Return best against the reference, a row for each metric."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("metric", no_wrap=True)
    for title in (reference_title(result).removeprefix("the "), "best", "gain"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("interval", overflow="fold")
    table.add_column("", overflow="fold")
    for one in result.effects:
        table.add_row(
            Text(one.metric, style="bold" if one.metric in result.objectives else "dim"),
            number(one.baseline),
            number(one.value),
            gain_text(one),
            interval_text(one),
            Text(verdict(one, objective=one.metric in result.objectives), style=_style(one)),
        )
    return table


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _style(effect: Effect) -> str:
    if effect.better:
        return "green"
    return "red" if effect.worse else "dim"


def _parameter_lines(result: OptimizationResult) -> Iterator[str]:
    if result.trial is None:
        return
    searched = [(group, values) for group, values in result.parameters.items() if values]
    title = parameters_title(result)
    yield f"{title} (trial {result.trial}):" if searched else f"{title}: the default's"
    for group, values in searched:
        yield f"  {group}: " + ", ".join(f"{name} = {value_text(value)}" for name, value in values.items())


def _next_lines(result: OptimizationResult) -> Iterator[str]:
    if result.serve_command:
        yield f"{serve_title(result)}: {result.serve_command}"
    if result.request_fields:
        fields = ", ".join(f"{name}: {value_text(value)}" for name, value in result.request_fields.items())
        yield f"  with these fields in each request: {fields}"
    if result.report:
        yield f"Report: {result.report}"
