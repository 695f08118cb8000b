"""A local study read as its status and its result: by the code that the operator uses for a resource's."""

from pathlib import Path

from llmopt_core.analysis.comparison import compare_candidates
from llmopt_core.analysis.summary import StudySummary, summarise_trials
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.resources.status import OptimizationStatus, Status
from llmopt_core.results.durations import active_seconds
from llmopt_core.results.findings import finding_of
from llmopt_core.results.progress import comparison_progress, search_progress
from llmopt_core.results.prompts import prompts_of
from llmopt_core.results.results import BenchmarkResult, OptimizationResult, Result
from llmopt_core.results.statuses import as_of_now, benchmark_status, optimization_status
from llmopt_core.storage.views import StudyView


def look(
    study: StudyView, spec: OptimizationSpec | BenchmarkSpec, *, elapsed_seconds: float, runners: int
) -> Status:
    """Return how `study` stands while it runs; `runners` is how many of our processes work on it.

    Of a benchmark it says how far it is, not yet how the candidates compare.
    """
    summary = summarise_trials(study.trials(), study.definition)
    if isinstance(spec, OptimizationSpec):
        return as_of_now(_search(study, spec, summary, elapsed_seconds, runners), study)
    progress = comparison_progress(
        study, summary, elapsed_seconds=elapsed_seconds, runners=runners, limit=spec.budget.duration
    )
    return as_of_now(benchmark_status(study, None, summary, progress), study)


def result_of(study: StudyView, spec: OptimizationSpec | BenchmarkSpec, report: Path | None = None) -> Result:
    """Return what `study` has found so far; `report` is where its report lies."""
    if isinstance(spec, OptimizationSpec):
        return search_result(study, spec, report)
    return comparison_result(study, report)


def search_result(study: StudyView, spec: OptimizationSpec, report: Path | None = None) -> OptimizationResult:
    """Return what the search of `study` has found so far."""
    summary = summarise_trials(study.trials(), study.definition)
    status = as_of_now(_search(study, spec, summary, active_seconds(study.runners()), 0), study)
    prompts = prompts_of(study.definition, study.trials())
    return OptimizationResult(study.definition.name, status, report, prompts, spec.engine.name)


def comparison_result(study: StudyView, report: Path | None = None) -> BenchmarkResult:
    """Return what the benchmark `study` has found so far; raises NotABenchmark."""
    finding = compare_candidates(study)
    summary = summarise_trials(study.trials(), study.definition)
    elapsed = active_seconds(study.runners())
    progress = comparison_progress(study, summary, elapsed_seconds=elapsed, runners=0)
    status = as_of_now(benchmark_status(study, finding, summary, progress), study)
    prompts = prompts_of(study.definition, study.trials())
    return BenchmarkResult(study.definition.name, status, report, prompts)


def _search(
    study: StudyView, spec: OptimizationSpec, summary: StudySummary, elapsed_seconds: float, runners: int
) -> OptimizationStatus:
    progress = search_progress(study, spec, summary, elapsed_seconds=elapsed_seconds, runners=runners)
    return optimization_status(study, finding_of(study, summary), summary, progress)
