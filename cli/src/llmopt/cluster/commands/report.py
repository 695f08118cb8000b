"""`llmopt report` and `llmopt compare STUDY STUDY`: one study or several, here or in the cluster."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llmopt.cluster.commands.exits import say
from llmopt.cluster.commands.studies import OpenStudy, Places, with_studies
from llmopt.options import ReportFormat, Target
from llmopt.report.comparisons import comparison_of
from llmopt.report.content import Content
from llmopt.report.files import report_content
from llmopt.report.pages import (
    comparison_json,
    comparison_markdown,
    comparison_page,
    report_json,
    report_markdown,
    report_page,
)
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.errors.visible import visible
from llmopt_core.resources.status import Status
from llmopt_core.results.reading import result_of


@dataclass(frozen=True)
class _Text:
    """A report as text, and the file that it goes to unless another is named; None: it is printed."""

    text: str
    path: Path | None


def report(name: str, output: Path | None, places: Places, target: Target, *, written: ReportFormat) -> Exit:
    """Write the report of the study called `name`, to `output` where it is given."""

    def read(found: OpenStudy) -> _Text:
        result = result_of(found.study, found.resource.spec)
        content = report_content(found.study, result, found.resource.spec, found.manifest_text)
        match written:
            case ReportFormat.HTML:
                return _Text(report_page(content), _default_path(found))
            case ReportFormat.MD:
                return _Text(report_markdown(content), None)
            case ReportFormat.JSON:
                return _Text(report_json(result, content, found.study.trials()), None)

    return with_studies([name], places, target, read, lambda texts: _deliver(texts[0], output, "Report"))


def compare_studies(
    names: Sequence[str], output: Path | None, places: Places, target: Target, *, written: ReportFormat
) -> Exit:
    """Put the studies called `names` on one page, in `output` where it is given."""

    def read(found: OpenStudy) -> tuple[Content, Status]:
        result = result_of(found.study, found.resource.spec)
        content = report_content(found.study, result, found.resource.spec, found.manifest_text)
        return content, result.status

    def show(read: Sequence[tuple[Content, Status]]) -> None:
        compared = comparison_of([content for content, _ in read], [status for _, status in read])
        match written:
            case ReportFormat.HTML:
                text = _Text(comparison_page(compared), Path("comparison.html"))
            case ReportFormat.MD:
                text = _Text(comparison_markdown(compared), None)
            case ReportFormat.JSON:
                text = _Text(comparison_json(compared), None)
        _deliver(text, output, "Comparison")

    return with_studies(names, places, target, read, show)


def _deliver(written: _Text, output: Path | None, title: str) -> None:
    path = output or written.path
    if path is None:
        sys.stdout.write(visible(written.text))
        return
    path.write_text(written.text, encoding="utf-8")
    say(Console(), f"{title}: {path}")


def _default_path(found: OpenStudy) -> Path:
    if found.folder is None:
        return Path(f"{found.resource.metadata.name}-report.html")
    return found.folder.report
