"""What a study found, whatever its kind."""

from pathlib import Path

from llmopt_core.results.benchmark_wording import benchmark_text
from llmopt_core.results.benchmarks import BenchmarkResult, benchmark_result_of
from llmopt_core.results.optimizations import OptimizationResult, result_of
from llmopt_core.results.wording import best_text
from llmopt_core.storage.studies import Study

Result = OptimizationResult | BenchmarkResult


def read_result(study: Study, report: Path | None = None) -> Result:
    """Return what `study` has found so far; `report` is where its report lies."""
    if study.definition.comparison is not None:
        return benchmark_result_of(study, report)
    return result_of(study, report)


def write_best(result: Result, path: Path) -> None:
    """Write what was found to `path` as JSON, for other programs, with the outcome in words."""
    text = benchmark_text(result) if isinstance(result, BenchmarkResult) else best_text(result)
    path.write_text(text, encoding="utf-8")
