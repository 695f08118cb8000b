"""One study of a resource, read from its storage as decisions and the status need it."""

from collections.abc import Iterable
from dataclasses import replace

from llmopt_core.analysis.comparison import NotABenchmark, compare
from llmopt_core.analysis.summary import summarise
from llmopt_core.api.reasons import reason_called
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.metrics.catalog import CATALOG
from llmopt_core.resources import LLMBenchmark, LLMOptimization, Resource
from llmopt_core.resources.status import OptimizationStatus
from llmopt_core.results.durations import active_seconds
from llmopt_core.results.findings import finding_of
from llmopt_core.results.progress import comparison_progress, search_progress
from llmopt_core.results.results import OptimizationResult
from llmopt_core.results.statuses import as_ended, benchmark_status, error_summary, optimization_status
from llmopt_core.storage.definitions import study_name
from llmopt_core.storage.errors import StudyNotFound
from llmopt_core.storage.records import RunnerRecord
from llmopt_core.storage.views import StudyPicture
from llmopt_operator.adapters.storages import NamespaceDatabase
from llmopt_operator.domain.observed import StudySeen
from llmopt_operator.domain.rollups import benchmark_seen, optimization_seen
from llmopt_operator.domain.winners import Verified, verified


def read_study(database: NamespaceDatabase, name: str, resource: Resource, owner: str) -> StudySeen | None:
    """Return the study `name` of a resource of `owner`, None without one; abandoned trials are freed."""
    try:
        opened = database.opened(name)
    except StudyNotFound:
        return None
    opened.reaper.sweep()
    picture = opened.study.picture()
    if picture.retention != resource.spec.study_retention:
        opened.study.retain(resource.spec.study_retention, owner)
    if isinstance(resource, LLMBenchmark):
        return _read_benchmark(picture, resource)
    return _read_optimization(picture, resource)


def result_written(study: StudyPicture, resource: LLMOptimization) -> OptimizationResult:
    """Return what is written into the ConfigMap of the best: without any text of a row."""
    status, _ = _shown(study, resource)
    end = study.ended
    if end is not None:
        reason = reason_called(end.reason) or ErrorClass.UNKNOWN
        status = as_ended(status, replace(end, reason=reason, message=""), study)
    baseline = status.baseline
    if baseline is not None:
        known = {name: value for name, value in baseline.metrics.items() if name in CATALOG}
        baseline = baseline.model_copy(update={"metrics": known})
    status = status.model_copy(update={"errors": [], "warnings": [], "baseline": baseline})
    return OptimizationResult(study_name(resource), status, engine=resource.spec.engine.name)


def _read_optimization(study: StudyPicture, resource: LLMOptimization) -> StudySeen:
    """Return the study as decisions and the status need it: there errors may say what rows say."""
    status, result = _shown(study, resource)
    failure = summarise(study).default_failure
    if failure is not None:
        status = status.model_copy(update={"baseline_failure": error_summary(failure)})
    return optimization_seen(study, status, result)


def _shown(study: StudyPicture, resource: LLMOptimization) -> tuple[OptimizationStatus, Verified]:
    """Return the status of an optimization's study, and the verified finding that it shows."""
    summary, runners = summarise(study), study.runners()
    progress = search_progress(
        study, resource.spec, summary, elapsed_seconds=active_seconds(runners), runners=_alive(runners)
    )
    result = verified(finding_of(study, summary), resource)
    return optimization_status(study, result.finding, summary, progress, unreadable=study.unreadable), result


def _read_benchmark(study: StudyPicture, resource: LLMBenchmark) -> StudySeen:
    comparison, runners = study.comparison, study.runners()
    if comparison is None:
        raise NotABenchmark(f"study {study.definition.name!r} compares no candidates")
    ended, summary = study.ended is not None, summarise(study)
    finding = compare(comparison, study.definition.objectives[0], study.trials(), ended=ended)
    progress = comparison_progress(
        study,
        summary,
        elapsed_seconds=active_seconds(runners),
        runners=_alive(runners),
        limit=resource.spec.budget.duration,
    )
    return benchmark_seen(
        study, benchmark_status(study, finding, summary, progress, unreadable=study.unreadable)
    )


def _alive(runners: Iterable[RunnerRecord]) -> int:
    return sum(runner.ended is None for runner in runners)
