"""What a study found, whatever its kind, written for other programs."""

from pathlib import Path

from llmopt_core.results.results import Result, best_text


def write_best(result: Result, path: Path) -> None:
    """Write what was found to `path` as JSON, with the outcome in words."""
    path.write_text(best_text(result), encoding="utf-8")
