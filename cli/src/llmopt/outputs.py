"""What a study leaves for other programs: best.json."""

import json
from dataclasses import asdict
from pathlib import Path

from llmopt.wording import headline
from llmopt_core.study.results import OptimizationResult


def write_best(result: OptimizationResult, path: Path) -> None:
    """Write the best parameters, their metrics and gains to `path` as JSON, and the headline in words."""
    document = asdict(result) | {
        "headline": headline(result),
        "gain": result.gain,
        "interval": result.interval,
        "report": None if result.report is None else result.report.name,
    }
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
