"""The report: one HTML file that needs nothing else, to open, send or keep."""

from pathlib import Path

from llmopt.report.charts import ROLE_TITLES
from llmopt.report.circumstances import Spec
from llmopt.report.content import Content, Measured, content_of
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.errors.visible import visible
from llmopt_core.results.answers import AnswerComparison, NoAnswers, compare_answers, compared_sides
from llmopt_core.results.numbers import number
from llmopt_core.results.results import Result
from llmopt_core.storage.errors import StudyUnreadable
from llmopt_core.storage.studies import Study
from llmopt_core.storage.views import StudyPicture

# Further answers are folded away.
_SHOWN_ANSWERS = 6


class ReportUnavailable(LlmoptError):
    """The packages that draw a report are not installed."""


def write_report(study: Study, result: Result, path: Path, *, spec: Spec, manifest_text: str) -> Path:
    """Write the report of `study` to `path` and return it; raises ReportUnavailable and OSError."""
    path.write_text(page_of(report_content(study, result, spec, manifest_text)), encoding="utf-8")
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
    return content_of(result, spec, measured, manifest_text=manifest_text)


def _answers(study: Study, picture: StudyPicture, result: Result) -> AnswerComparison | None:
    """Return the answers of baseline and best; a report does without those that cannot be read."""
    try:
        return compare_answers(study, compared_sides(picture, result.status))
    except (NoAnswers, StudyUnreadable):
        return None


def page_of(content: Content) -> str:
    """Return the page that shows `content`; raises ReportUnavailable."""
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - an extra's package
    except ImportError as error:
        raise ReportUnavailable(
            f"no report: a package is missing ({error}); pip install 'llmopt[report]'"
        ) from error
    environment = Environment(
        loader=PackageLoader("llmopt.report", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["visible"] = visible
    return environment.get_template("report.html.j2").render(
        content=content, role_titles=ROLE_TITLES, shown_answers=_SHOWN_ANSWERS, number=number
    )
