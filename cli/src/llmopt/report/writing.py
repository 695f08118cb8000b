"""The report: one HTML file that needs nothing else, to open, send or keep."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmopt.report.content import Content, content_of
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.results.results import Result
from llmopt_core.storage.studies import Study

TITLES = {
    "history": ("History", "Each trial as it was measured, and the best so far."),
    "importances": ("Importance of the parameters", "How much of the differences each parameter explains."),
    "front": ("Pareto front", "No configuration is better in one objective without being worse in another."),
    "slices": ("Slices", "The objective over each parameter by itself."),
    "timeline": ("Timeline", "When each trial ran and how it ended."),
}


class ReportUnavailable(LlmoptError):
    """The packages that draw a report are not installed."""


def write_report(
    study: Study,
    result: Result,
    path: Path,
    *,
    spec: OptimizationSpec | BenchmarkSpec,
    manifest_text: str,
) -> Path:
    """Write the report of `study` to `path` and return it; raises ReportUnavailable and OSError."""
    content = content_of(result, spec, study.trials(), manifest_text=manifest_text)
    drawn = {} if isinstance(spec, BenchmarkSpec) else _figures(study)
    path.write_text(page_of(content, drawn), encoding="utf-8")
    return path


def _figures(study: Study) -> Mapping[str, Any]:
    try:
        from llmopt_core.results.figures import figures  # noqa: PLC0415 - slow to load, and not always wanted

        return figures(study)
    except ImportError as error:  # Optuna looks for plotly only when it draws
        raise _unavailable(error) from error


def page_of(content: Content, figures: Mapping[str, Any]) -> str:
    """Return the page that shows `content` and `figures` (plotly's, by name); raises ReportUnavailable."""
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - an extra's package
        from plotly.offline import get_plotlyjs  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise _unavailable(error) from error
    environment = Environment(
        loader=PackageLoader("llmopt.report", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    drawn = [(*titled(name), _drawn(figure)) for name, figure in figures.items()]
    return environment.get_template("report.html.j2").render(
        content=content, figures=drawn, plotly_js=get_plotlyjs() if drawn else ""
    )


def titled(name: str) -> tuple[str, str]:
    """Return title and explanation of the figure called `name`, such as `history accuracy`."""
    kind, _, metric = name.partition(" ")
    title, text = TITLES.get(kind, (kind.capitalize(), ""))
    return (f"{title}: {metric}" if metric else title), text


def _drawn(figure: Any) -> str:
    """Return the figure as HTML that takes its width from the page."""
    figure.update_layout(
        title=None, autosize=True, width=None, margin={"l": 50, "r": 16, "t": 32, "b": 50},
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
    )  # fmt: skip
    html: str = figure.to_html(
        full_html=False, include_plotlyjs=False, config={"responsive": True, "displayModeBar": False}
    )
    return html


def _unavailable(error: ImportError) -> ReportUnavailable:
    return ReportUnavailable(f"no report: a package is missing ({error}); pip install 'llmopt[report]'")
