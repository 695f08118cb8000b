"""From what a study holds to the parts of the status that it fills, and what decisions rest on."""

from collections.abc import Mapping
from typing import Any

from llmopt_core.api.conditions import ConditionType
from llmopt_core.api.reasons import reason_called
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.resources import LLMBenchmark, Resource
from llmopt_core.resources.status import BenchmarkStatus, OptimizationStatus, Progress, Status
from llmopt_core.results.durations import active_seconds
from llmopt_core.results.findings import OptimizationFinding
from llmopt_core.results.progress import most_repeats
from llmopt_core.storage.views import StudyPicture
from llmopt_operator.domain.observed import FIGURES, Problem, StudySeen, Winner
from llmopt_operator.domain.winners import Verified


def optimization_seen(study: StudyPicture, status: OptimizationStatus, result: Verified) -> StudySeen:
    """Return an optimization's study as decisions and the status need it; `status` shows the `result`."""
    return StudySeen(
        ended=study.ended,
        active_seconds=active_seconds(study.runners()),
        figures=figures_of(status),
        winner=_winner(result.finding),
        distrust=result.problem,
    )


def benchmark_seen(study: StudyPicture, status: BenchmarkStatus) -> StudySeen:
    """Return a benchmark's study as decisions and the status need it.

    Commands and request fields are texts of rows: who copies them from a status must be able to trust them.
    """
    shown = [each.model_copy(update={"serve_args": "", "request_fields": "{}"}) for each in status.results]
    figures = figures_of(status.model_copy(update={"results": shown}))
    return StudySeen(study.ended, active_seconds(study.runners()), figures)


def figures_of(status: Status) -> dict[str, Any]:
    """Return the parts of `status` that a study fills, as the API server takes them."""
    document = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {field: document[field] for field in FIGURES if document.get(field) not in (None, [], {}, "")}


def untouched(name: str, resource: Resource) -> StudySeen:
    """Return a study of which no trial has begun: it need not be read."""
    if isinstance(resource, LLMBenchmark):
        budget, repeats = len(resource.spec.candidates) * resource.spec.repeats, 0
    else:
        budget, repeats = resource.spec.budget.trials, most_repeats(resource.spec)
    progress = Progress(text=f"0/{budget}", budget=budget, confirm_planned=repeats)
    return StudySeen(
        None,
        0.0,
        {"study": name, "progress": progress.model_dump(mode="json", by_alias=True, exclude_none=True)},
    )


def unchanged(status: Mapping[str, Any]) -> StudySeen:
    """Return a running study of which `status` holds the figures still."""
    figures = {field: status[field] for field in FIGURES if field in status}
    distrust = next(
        (
            Problem(reason_called(each["reason"]) or ErrorClass.UNKNOWN, each["message"])
            for each in status.get("conditions", ())
            if each["type"] == ConditionType.RESULT_VALID
        ),
        None,
    )
    elapsed = float(status.get("progress", {}).get("elapsedSeconds", 0))
    return StudySeen(None, elapsed, figures, distrust=distrust)


def _winner(finding: OptimizationFinding) -> Winner | None:
    if finding.trial is None or finding.default_is_best:
        return None
    return Winner(finding.trial, finding.confirmed and finding.significant, finding.serve_arguments)
