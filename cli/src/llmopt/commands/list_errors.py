"""`llmopt list --type errors`: what went wrong in all local studies, by class."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from llmopt.json_output import print_json
from llmopt.local.histories import ErrorHistory, StudyState, error_history, states
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit


def list_errors(results: Path, storage: str | None, *, as_json: bool) -> Exit:
    """Print the errors of all studies below `results`, as a table or as JSON."""
    studies = states(results, storage)
    for state in studies:
        if state.trouble:
            _say(Console(stderr=True), f"warning: {state.folder.path}: {state.trouble}")
    found = error_history(studies)
    if as_json:
        print_json(_document(studies, found))
    else:
        _print(studies, found, results)
    return Exit.FINISHED


def _document(studies: Sequence[StudyState], found: Sequence[ErrorHistory]) -> dict[str, Any]:
    return {
        "studies": len(studies),
        "trials": sum(state.trials for state in studies),
        "errors": [
            {
                "class": one.error_class.value,
                "count": one.count,
                "share": round(one.share, 4),
                "last_message": one.last_message,
                "last_seen": _time(one.last_seen).isoformat(),
                "suggestion": one.suggestion,
                "studies": list(one.studies),
                "ended_studies": list(one.ended),
            }
            for one in found
        ],
    }


def _print(studies: Sequence[StudyState], found: Sequence[ErrorHistory], results: Path) -> None:
    console = Console()
    trials = sum(state.trials for state in studies)
    where = f"{results} (studies: {len(studies)}, trials: {trials})"
    if not found:
        _say(console, f"no errors in {where}")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("class", "count", "share", "last seen"):
        table.add_column(title, no_wrap=True, justify="right" if title in {"count", "share"} else "left")
    table.add_column("last message", overflow="fold")
    for one in found:
        seen = f"{_time(one.last_seen).astimezone():%Y-%m-%d %H:%M}"
        cells = (one.error_class.value, str(one.count), f"{one.share:.1%}", seen, one.last_message)
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)
    _say(console, f"share: of all trials in {where}")
    for one in found:
        if one.ended:
            _say(console, f"{one.error_class.value} ended {', '.join(one.ended)} as a whole")
        if one.suggestion:  # a message may say itself what to do
            _say(console, f"{one.error_class.value} -> {one.suggestion}")


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
