"""A study's progress on the terminal: a panel that is redrawn, or one line for each change."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from llmopt.local.sessions import Audience
from llmopt.terminal import Console
from llmopt_core.api.conditions import Phase
from llmopt_core.resources.status import BenchmarkStatus, OptimizationStatus, RunnerStatus, Status
from llmopt_core.results.effect_texts import gain_text
from llmopt_core.results.findings import compare
from llmopt_core.results.numbers import duration, number
from llmopt_core.results.progress import stage_of
from llmopt_core.results.status_effects import status_effect

_log = logging.getLogger("llmopt")
# The levels of memory worth a word, the worst first.
_LEVELS = ("emergency", "critical", "warning")
# Where there is no panel to redraw, a line that only counts is printed this seldom.
COUNTS_EVERY_SECONDS = 10.0
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@contextmanager
def shown(console: Console, name: str, *, live: bool) -> Iterator[Audience]:
    """Show the progress of the study `name` on `console` while the context lasts."""
    if not live:
        printer = LinePrinter(console)
        yield Audience(progress=printer.progress, event=printer.event)
        return
    with Live(console=console, refresh_per_second=4, transient=True) as display:
        yield Audience(
            progress=lambda status: display.update(panel(name, status)),
            event=lambda text: _print(console, text),
        )


def audience_of(*, show: bool) -> Audience:
    """Return the audience of the Python API: lines on standard error, or only the log's events."""
    if not show:
        return Audience(progress=lambda _: None, event=_log.info)
    printer = LinePrinter(Console(stderr=True))
    return Audience(progress=printer.progress, event=printer.event)


def _print(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


class LinePrinter:
    """Prints a look at the study when a person would want to know: news at once, mere counts now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._news: tuple[object, ...] | None = None
        self._counts: tuple[int, int] | None = None
        self._said_at = -COUNTS_EVERY_SECONDS
        self._warned: set[str] = set()

    def progress(self, status: Status) -> None:
        """Print `status` as one line unless it is not worth one."""
        self._warn(status)
        counted = status.progress
        best = status.best.trial if isinstance(status, OptimizationStatus) and status.best else None
        news = (stage_of(status), best, _errors(status))
        counts = (counted.finished, counted.confirm_finished)
        due = counted.elapsed_seconds - self._said_at >= COUNTS_EVERY_SECONDS
        if news != self._news or (due and counts != self._counts):
            self._news, self._counts, self._said_at = news, counts, counted.elapsed_seconds
            self.event(line(status))

    def _warn(self, status: Status) -> None:
        """Print each warning once, when a trial first gives it: some are worth a stop before the search."""
        for warning in status.warnings:
            kind = _NUMBER.sub("#", warning.last_message)
            if kind not in self._warned:
                self._warned.add(kind)
                self.event(f"warning: {warning.last_message}")

    def event(self, text: str) -> None:
        """Print `text` as a line."""
        _print(self._console, text)


def line(status: Status) -> str:
    """Return how far a study is as one line of text."""
    counts, trials, repeats = status.progress, _trials(status), _repeats(status)
    parts = [
        f"[{duration(counts.elapsed_seconds)}] {stage_of(status)}",
        f"{trials} trials, {counts.running} running" if trials else "",
        f"{repeats} repeats" if repeats else "",
        f"measuring {', '.join(_measured_now(status))}" if _measured_now(status) else "",
        _default(status),
        _best(status),
        _memory(status),
        _errors(status),
        f"about {duration(counts.eta_seconds)} left" if counts.eta_seconds else "",
    ]
    return "; ".join(part for part in parts if part)


def panel(name: str, status: Status) -> RenderableType:
    """Return how far the study `name` is as a few lines with a bar."""
    counts = status.progress
    done, total = counts.finished + counts.confirm_finished, max(1, counts.budget + counts.confirm_planned)
    head = Text.assemble((name, "bold"), "  ", (stage_of(status), "cyan"))
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim")
    rows.add_column(overflow="fold")
    for label, value in _rows(status):
        if value:
            rows.add_row(label, Text(value))
    return Group(head, ProgressBar(total=total, completed=min(done, total), width=60), rows)


def _rows(status: Status) -> Iterator[tuple[str, str]]:
    counts, trials, repeats = status.progress, _trials(status), _repeats(status)
    left = f", about {duration(counts.eta_seconds)} left" if counts.eta_seconds else ""
    yield "trials", f"{trials.replace('/', ' of ')} done, {counts.running} running" if trials else ""
    yield "repeats", repeats.replace("/", " of ")
    yield "measuring", ", ".join(_measured_now(status))
    repaired = f"; {counts.repaired} of them repaired" if counts.repaired else ""
    yield "outcomes", ", ".join(f"{count} {kind}" for kind, count in _outcomes(status)) + repaired
    yield "baseline", _default(status).removeprefix("the baseline ")
    yield "best so far", _best(status).removeprefix("best ")
    yield "memory", _memory(status).removeprefix("memory ")
    stages = [runner.stage for runner in _alive(status) if runner.stage]
    yield "runners", f"{len(_alive(status))} ({', '.join(stages)})" if stages else ""
    yield "errors", _errors(status).removeprefix("errors ")
    yield "warnings", "; ".join(warning.last_message for warning in status.warnings[:2])
    yield "time", f"{duration(counts.elapsed_seconds)} elapsed{left}"


def _trials(status: Status) -> str:
    """Return how many trials of a search have ended; a benchmark has repeats only."""
    counts = status.progress
    is_search = isinstance(status, OptimizationStatus) and counts.budget
    return f"{counts.finished}/{counts.budget}" if is_search else ""


def _repeats(status: Status) -> str:
    """Return how many repeats have ended, while they are what is worked on."""
    counts = status.progress
    if isinstance(status, BenchmarkStatus):
        return f"{counts.finished}/{counts.budget}"
    confirms = stage_of(status) == "verification"
    return f"{counts.confirm_finished}/{counts.confirm_planned}" if confirms else ""


def _alive(status: Status) -> list[RunnerStatus]:
    return [runner for runner in status.runners if runner.ended is None]


def _measured_now(status: Status) -> list[str]:
    return [runner.repeat for runner in _alive(status) if runner.repeat]


def _outcomes(status: Status) -> list[tuple[str, int]]:
    counts = status.progress
    named = {
        "measured": counts.measured,
        "copied": counts.copied,
        "pruned": counts.pruned,
        "infeasible": counts.infeasible,
        "invalid": counts.invalid,
        "failed": counts.failed,
    }
    return sorted(((kind, count) for kind, count in named.items() if count), key=lambda one: -one[1])


def _best(status: Status) -> str:
    """Return the best so far and what it gains, as the search measured both."""
    if isinstance(status, BenchmarkStatus) or status.best is None:
        return ""
    if status.phase in {Phase.COMPLETE, Phase.FAILED}:  # then the result follows
        return ""
    measured, default = status.best.metrics, status.baseline.metrics if status.baseline else {}
    gains = []
    for objective in status.objectives:
        metric = objective.metric
        if metric in measured:
            text = f"{metric} {number(measured[metric])}"
            if metric in default and status.best.trial:
                gain = compare(metric, default[metric], measured[metric], direction=objective.goal)
                text += f" ({gain_text(status_effect(gain))} over the baseline, not verified)"
            gains.append(text)
    name = f"trial {status.best.trial}" if status.best.trial else "the baseline"
    return f"best {name}: {', '.join(gains)}"


def _default(status: Status) -> str:
    failure = status.baseline_failure if isinstance(status, OptimizationStatus) else None
    return f"the baseline cannot run here: {failure.class_}" if failure else ""


def _memory(status: Status) -> str:
    used = sum(runner.memory_mib or 0 for runner in _alive(status))
    if not used:
        return ""
    most = max(runner.memory_total_mib or 0 for runner in _alive(status))
    levels = {runner.memory_level for runner in _alive(status)}
    level = next((each for each in _LEVELS if each in levels), "")
    total = f" of {number(most)}" if most else ""
    return f"memory {number(used)}{total} MiB{f' ({level.upper()})' if level else ''}"


def _errors(status: Status) -> str:
    counts = ", ".join(f"{error.class_} x{error.count}" for error in status.errors)
    return f"errors {counts}" if counts else ""
