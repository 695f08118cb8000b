"""What a study found, on the terminal: read from its status, for both kinds."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from llmopt.terminal import Console
from llmopt_core.metrics.catalog import Direction, find_metric
from llmopt_core.resources.status import (
    BenchmarkStatus,
    CandidateResult,
    ErrorSummary,
    OptimizationStatus,
    ReportedCurve,
    ReportedEffect,
    WarningSummary,
)
from llmopt_core.results.effect_texts import gain_text, interval_text, mean_interval_text, mean_text, verdict
from llmopt_core.results.load_curves import level_text, load_text, probe_verdict, unit_of
from llmopt_core.results.numbers import number, precise, value_texts
from llmopt_core.results.results import OptimizationResult, Result
from llmopt_core.results.wording import (
    advice,
    choice_text,
    chosen,
    outcome_parts,
    parameters_title,
    proof,
    purpose,
    reference_title,
    serve_title,
    standing_text,
    variance_text,
)

_TWO = 2


def print_result(console: Console, result: Result) -> None:
    """Print the outcome: headline, numbers, choices, parameters, errors, and where to go from here."""
    status = result.status
    console.print()
    for note in status.notes:
        console.print(Text(f"{note}.", style="bold yellow"), soft_wrap=True)
    for part in outcome_parts(status):
        console.print(Text(part, style="bold"), soft_wrap=True)
    for table in result_tables(result):
        console.print(table)
    for search in status.loads:
        title = f"Highest load at which {level_text(search)}, {search.name}: {load_text(search)}"
        console.print(Text(title, style="bold"), soft_wrap=True)
        console.print(load_table(search))
    if text := proof(status):
        console.print(Text(text, style="dim"), soft_wrap=True)
    for line in (*_finding_lines(result), *_serving_lines(result)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def result_tables(result: Result) -> Iterator[Table]:
    """Yield the numbers: best against baseline, or for each metric the candidates."""
    if isinstance(result, OptimizationResult):
        if result.effects:
            yield effects_table(result.status)
        return
    for metric in result.status.metrics:
        if any(metric in candidate.metrics for candidate in result.candidates):
            yield candidates_table(result.status, metric)


def effects_table(status: OptimizationStatus) -> Table:
    """Return best against baseline, a row for each metric."""
    best = status.best
    assert best is not None  # noqa: S101 - the caller looked
    table = _table("metric", (reference_title(status).removeprefix("the "), "best", "gain"), ("interval", ""))
    objectives = {one.metric for one in best.gain}
    for one in (*best.gain, *best.others):
        wanted = one.metric in objectives
        table.add_row(
            Text(one.metric or "", style="bold" if wanted else "dim"),
            "" if one.baseline is None else precise(one.baseline),
            "" if one.value is None else precise(one.value),
            gain_text(one),
            interval_text(one),
            Text(verdict(one, objective=wanted), style=_style(one)),
        )
    return table


def load_table(search: ReportedCurve) -> Table:
    """Return the probes of a search for the highest load, the lowest first."""
    table = _table(unit_of(search), ("kept the level",), ("",))
    for probe in search.probes:
        said = probe_verdict(probe, search.attainment)
        table.add_row(
            number(probe.load),
            f"{probe.kept} of {probe.requests}",
            Text(said, style="green" if said == "kept" else "dim"),
        )
    return table


def candidates_table(status: BenchmarkStatus, metric: str) -> Table:
    """Return the candidates in one metric, a row for each."""
    table = _table("candidate", ("mean",), ("interval",), ("difference",), ("interval", ""))
    better = "higher" if goal_of(status, metric) == "maximize" else "lower"
    table.title = f"{metric} ({find_metric(metric).unit}, {better} is better)"
    for candidate in status.results:
        table.add_row(*_candidate_row(candidate, status, metric))
    return table


def goal_of(status: BenchmarkStatus, metric: str) -> Direction:
    """Return whether more or less of `metric` is better in this benchmark."""
    objective = status.objective
    is_objective = objective is not None and metric == objective.metric
    return objective.goal if objective is not None and is_objective else find_metric(metric).direction


def error_lines(errors: Sequence[ErrorSummary]) -> Iterator[str]:
    """Yield each class of failures with its last message and what to do."""
    for error in errors:
        where = "" if error.last_trial is None else f" (trial {error.last_trial})"
        yield f"{error.class_} x{error.count}{where}: {error.last_message}"
        if error.suggestion:
            yield f"  -> {error.suggestion}"


def warning_lines(warnings: Sequence[WarningSummary]) -> Iterator[str]:
    """Yield what is to be said of the study as a whole, and what measured trials warn of."""
    for warning in warnings:
        where = "" if warning.last_trial is None else f" x{warning.count} (trial {warning.last_trial})"
        yield f"Warning{where}: {warning.last_message}"


def _table(first: str, *columns: Sequence[str]) -> Table:
    """Return a table: columns of numbers and of texts in turn, after the names of the rows."""
    table = Table(box=None, pad_edge=False, header_style="dim", title_justify="left", title_style="bold")
    table.add_column(first, no_wrap=True)
    for place, titles in enumerate(columns):
        for title in titles:
            if place % _TWO:
                table.add_column(title, overflow="fold")
            else:
                table.add_column(title, justify="right", no_wrap=True)
    return table


def _candidate_row(candidate: CandidateResult, status: BenchmarkStatus, metric: str) -> Iterator[Text]:
    mean, difference = candidate.metrics.get(metric), candidate.against_baseline.get(metric)
    yield Text(candidate.candidate, style="bold" if candidate.candidate == status.winner else "")
    yield Text(mean_text(mean))
    yield Text(mean_interval_text(mean))
    yield Text(gain_text(difference))
    yield Text(interval_text(difference))
    if candidate.candidate == status.baseline:
        yield Text("baseline", style="dim")
    elif mean is None:
        yield Text("not measured", style="red")
    else:
        yield Text(verdict(difference), style=_style(difference))


def _style(effect: ReportedEffect | None) -> str:
    if effect is None or not effect.significant:
        return "dim"
    return "green" if effect.better else "red"


def _finding_lines(result: Result) -> Iterator[str]:
    """Yield what there is to choose from, how the best was chosen, and what went wrong."""
    status = result.status
    if isinstance(status, OptimizationStatus):
        for standing in status.best.constraints if status.best else ():
            yield f"Constraint {standing_text(standing)}"
        yield from _choice_lines(status)
    else:
        yield from _failure_lines(status)
    yield from (f"Variance of {variance_text(shares)}." for shares in status.variances)
    if text := advice(status):
        yield text
    if isinstance(status, OptimizationStatus) or not any(each.failure for each in status.results):
        yield from error_lines(status.errors)
    yield from warning_lines(status.warnings)


def _choice_lines(status: OptimizationStatus) -> Iterator[str]:
    if len(status.choices) >= _TWO:
        yield f"Verified over {reference_title(status)}, on items that the search never saw:"
        for choice in status.choices:
            yield f"  {purpose(choice, status)}: {choice_text(choice)}"
            yield f"    {value_texts(choice.parameters, ' = ') or 'the default parameters'}"
        yield "  The commands of all of them are in the report and in best.json."
    if text := chosen(status):
        yield text


def _failure_lines(status: BenchmarkStatus) -> Iterator[str]:
    """Yield what kept repeats from being measured, by candidate: the classes alone would not say whose."""
    for candidate in status.results:
        failure = candidate.failure
        if failure is None:
            continue
        missing = f"{candidate.repeats} of {status.repeats} repeats measured"
        yield f"{candidate.candidate}: {missing}: {failure.class_}: {failure.last_message}"
        if failure.suggestion:
            yield f"  -> {failure.suggestion}"


def _serving_lines(result: Result) -> Iterator[str]:
    yield from _parameter_lines(result)
    if result.serve_command:
        yield f"{serve_title(result.status)}: {result.serve_command}"
    if result.request_fields:
        yield f"  with these fields in each request: {value_texts(result.request_fields, ': ')}"
    if result.report:
        if result.request_messages:
            yield "  with the messages that the report shows: they hold the prompt"
        yield f"Report: {result.report}"


def _parameter_lines(result: Result) -> Iterator[str]:
    title = parameters_title(result.status)
    if isinstance(result, OptimizationResult):
        found, parameters = result.trial is not None, result.trial_parameters
        named = f"{title} (trial {result.trial})"
    else:
        found, parameters, named = result.winner is not None, result.parameters, title
    if not found:
        return
    searched = {group: values for group, values in parameters.items() if values}
    yield f"{named}:" if searched else f"{title}: those of the baseline"
    for group, values in searched.items():
        yield f"  {group}: {value_texts(values, ' = ')}"
