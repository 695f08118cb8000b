"""What a study leaves for other programs: best.json."""

from pathlib import Path

from llmopt_core.study.results import OptimizationResult
from llmopt_core.study.wording import best_text


def write_best(result: OptimizationResult, path: Path) -> None:
    """Write the best parameters, their metrics and gains to `path` as JSON, and the headline in words."""
    path.write_text(best_text(result), encoding="utf-8")
