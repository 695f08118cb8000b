"""What a study found, whatever its kind: on standard output, and written for other programs."""

import sys
from pathlib import Path

from llmopt.tables import print_result
from llmopt.terminal import Console
from llmopt_core.results.best_documents import best_text
from llmopt_core.results.results import Result


def write_best(result: Result, path: Path) -> None:
    """Write what was found to `path` as JSON, with the outcome in words."""
    path.write_text(best_text(result), encoding="utf-8")


def show_result(console: Console, result: Result, *, as_json: bool) -> None:
    """Print what was found on `console`, or as JSON, the document of best.json, on standard output."""
    if as_json:
        sys.stdout.write(best_text(result))
    else:
        print_result(console, result)
