"""The content of a study's report, read from its study, and the report as one HTML file."""

from dataclasses import replace
from pathlib import Path

from llmopt.report.circumstances import Spec
from llmopt.report.content import Content, Measured, content_of
from llmopt.report.pages import report_page
from llmopt_core.results.answers import AnswerComparison, NoAnswers, compare_answers, compared_sides
from llmopt_core.results.results import Result
from llmopt_core.storage.errors import StudyUnreadable
from llmopt_core.storage.studies import Study
from llmopt_core.storage.views import StudyPicture


def write_report(study: Study, result: Result, path: Path, *, spec: Spec, manifest_text: str) -> Path:
    """Write the report of `study` to `path` and return it; raises ReportUnavailable and OSError."""
    path.write_text(report_page(report_content(study, result, spec, manifest_text)), encoding="utf-8")
    return path


def report_content(study: Study, result: Result, spec: Spec, manifest_text: str) -> Content:
    """Return what the report of `study` says."""
    from llmopt_core.results.importances import importances  # noqa: PLC0415 - loads Optuna

    picture = study.picture()
    measured = Measured(
        picture.trials(),
        picture.runners(),
        picture.definition.space,
        importances(picture),
        _answers(study, picture, result),
    )
    content = content_of(result, spec, measured, manifest_text=manifest_text)
    # In a cluster a study is called by its resource's identifier.
    return replace(content, title=picture.definition.resource.rpartition("/")[2] or content.title)


def _answers(study: Study, picture: StudyPicture, result: Result) -> AnswerComparison | None:
    """Return the answers of baseline and best; a report does without those that cannot be read."""
    try:
        return compare_answers(study, compared_sides(picture, result.status))
    except (NoAnswers, StudyUnreadable):
        return None
