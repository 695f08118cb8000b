"""A study's progress on the terminal: a panel that is redrawn, or one line for each change."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from llmopt.local.sessions import Audience
from llmopt.terminal import Console
from llmopt_core.results.progress import Progress
from llmopt_core.results.wording import duration, gain_text, number

_log = logging.getLogger("llmopt")
# Where there is no panel to redraw, a line that only counts is printed this seldom.
COUNTS_EVERY_SECONDS = 10.0


@contextmanager
def shown(console: Console, name: str, *, live: bool) -> Iterator[Audience]:
    """Show the progress of the study `name` on `console` while the context lasts."""
    if not live:
        printer = LinePrinter(console)
        yield Audience(progress=printer.progress, event=printer.event)
        return
    with Live(console=console, refresh_per_second=4, transient=True) as display:
        yield Audience(
            progress=lambda progress: display.update(panel(name, progress)),
            event=lambda text: _print(console, text),
        )


def told(*, show: bool) -> Audience:
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

    def progress(self, progress: Progress) -> None:
        """Print `progress` as one line unless it is not worth one."""
        news = (progress.phase, progress.best_trial, progress.errors)
        counts = (progress.finished, progress.repeats)
        due = progress.elapsed_seconds - self._said_at >= COUNTS_EVERY_SECONDS
        if news != self._news or (due and counts != self._counts):
            self._news, self._counts, self._said_at = news, counts, progress.elapsed_seconds
            self.event(line(progress))

    def event(self, text: str) -> None:
        """Print `text` as a line."""
        _print(self._console, text)


def line(progress: Progress) -> str:
    """Return `progress` as one line of text."""
    parts = [
        f"[{duration(progress.elapsed_seconds)}] {progress.phase}",
        f"{progress.finished}/{progress.budget} trials, {progress.running} running"
        if progress.budget
        else "",
        f"{progress.repeats}/{progress.repeats_planned} repeats" if _repeats(progress) else "",
        f"measuring {', '.join(progress.candidates)}" if progress.candidates else "",
        _default(progress),
        _best(progress),
        _memory(progress),
        _errors(progress),
        f"about {duration(progress.left_seconds)} left" if progress.left_seconds else "",
    ]
    return "; ".join(part for part in parts if part)


def panel(name: str, progress: Progress) -> RenderableType:
    """Return `progress` of the study `name` as a few lines with a bar."""
    done = progress.finished + progress.repeats
    total = max(1, progress.budget + progress.repeats_planned)
    head = Text.assemble((name, "bold"), "  ", (progress.phase, "cyan"))
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim")
    rows.add_column(overflow="fold")
    for label, value in _rows(progress):
        if value:
            rows.add_row(label, Text(value))
    return Group(head, ProgressBar(total=total, completed=min(done, total), width=60), rows)


def _rows(progress: Progress) -> Iterator[tuple[str, str]]:
    left = f", about {duration(progress.left_seconds)} left" if progress.left_seconds else ""
    trials = f"{progress.finished} of {progress.budget} done, {progress.running} running"
    yield "trials", trials if progress.budget else ""
    repeats = f"{progress.repeats} of {progress.repeats_planned}"
    yield "repeats", repeats if _repeats(progress) else ""
    yield "measuring", ", ".join(progress.candidates)
    yield "outcomes", ", ".join(f"{count} {kind}" for kind, count in progress.outcomes)
    yield "default", _default(progress).removeprefix("the default ")
    yield "best so far", _best(progress).removeprefix("best ")
    yield "memory", _memory(progress).removeprefix("memory ")
    yield "runners", f"{progress.runners} ({', '.join(progress.stages)})" if progress.stages else ""
    yield "errors", _errors(progress).removeprefix("errors ")
    yield "time", f"{duration(progress.elapsed_seconds)} elapsed{left}"


def _repeats(progress: Progress) -> bool:
    """Say whether repeats are what is worked on: a benchmark has nothing else."""
    return progress.phase == "confirm" or not progress.budget


def _best(progress: Progress) -> str:
    if progress.best_trial is None or progress.phase == "ended":  # then the result follows
        return ""
    compared = progress.best_trial and not progress.default_failure
    gains = ", ".join(
        f"{one.metric} {number(one.value)} ({gain_text(one)} over the default, not confirmed)"
        if compared
        else f"{one.metric} {number(one.value)}"
        for one in progress.gains
    )
    return (
        f"best trial {progress.best_trial}: {gains}" if progress.best_trial else f"best the default: {gains}"
    )


def _default(progress: Progress) -> str:
    return f"the default cannot run here: {progress.default_failure}" if progress.default_failure else ""


def _memory(progress: Progress) -> str:
    if progress.memory_mib is None:
        return ""
    total = f" of {number(progress.memory_total_mib)}" if progress.memory_total_mib else ""
    level = f" ({progress.memory_level.upper()})" if progress.memory_level else ""
    return f"memory {number(progress.memory_mib)}{total} MiB{level}"


def _errors(progress: Progress) -> str:
    counts = ", ".join(f"{name} x{count}" for name, count in progress.errors)
    return f"errors {counts}" if counts else ""
