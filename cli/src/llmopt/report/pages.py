"""Reports and comparisons as a page, as Markdown for a pull request, or as JSON for a program."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from llmopt.report.charts import ROLE_TITLES
from llmopt.report.comparisons import Comparison, metric_titles
from llmopt.report.content import Content
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.errors.visible import visible
from llmopt_core.installation import install_command
from llmopt_core.results.best_documents import best_document
from llmopt_core.results.numbers import number
from llmopt_core.results.results import Result
from llmopt_core.storage.records import TrialRecord

if TYPE_CHECKING:
    from jinja2 import Environment

# Further answers are folded away, up to a number; `llmopt answers` shows all.
_SHOWN_ANSWERS, _MOST_ANSWERS = 6, 40
_CAUTION = (
    "Gains and intervals are each study's own, over its own baseline. Studies ran at different times, so a"
    " small difference between two of them proves nothing: a benchmark measures them side by side."
)
# What Markdown, or HTML in it, would take for markup.
# An underscore within a word is none.
_MARKUP = re.compile(r"([\\`*{}\[\]<>|#~&]|(?<!\w)_|_(?!\w))")
_OPTION = re.compile(r"(?<!\S)-[\w-]+")
_BACKTICKS = re.compile(r"`+")


class ReportUnavailable(LlmoptError):
    """The packages that draw a report are not installed."""


def report_page(content: Content) -> str:
    """Return the report as one HTML page; raises ReportUnavailable."""
    return _rendered("report.html.j2", content=content)


def report_markdown(content: Content) -> str:
    """Return the report as Markdown; raises ReportUnavailable."""
    return _tidy(_rendered("report.md.j2", content=content))


def report_json(result: Result, content: Content, trials: Sequence[TrialRecord]) -> str:
    """Return best.json with how it was measured, what the time went into, and all trials."""
    document = {
        **best_document(result),
        "study": content.title,
        "conditions": dict((*content.served, *content.machine, *content.costs)),
        "stages": [asdict(each) for each in content.stages],
        "trials": [_trial(each) for each in trials],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _trial(trial: TrialRecord) -> dict[str, Any]:
    outcome = trial.outcome
    return {
        "number": trial.number,
        "phase": trial.phase.value,
        "outcome": outcome and outcome.kind.value,
        "parameters": trial.parameters,
        "metrics": outcome.metrics if outcome else {},
        "error": outcome.failure.error_class.value if outcome and outcome.failure else None,
    }


def comparison_page(comparison: Comparison) -> str:
    """Return the comparison as one HTML page; raises ReportUnavailable."""
    return _rendered("comparison.html.j2", **_compared(comparison))


def comparison_markdown(comparison: Comparison) -> str:
    """Return the comparison as Markdown; raises ReportUnavailable."""
    return _tidy(_rendered("comparison.md.j2", **_compared(comparison)))


def comparison_json(comparison: Comparison) -> str:
    """Return the comparison for programs: of each study its configurations, values and conditions."""
    document = {
        "studies": [
            {
                "study": content.title,
                "headline": ". ".join(content.headline),
                "notes": content.notes,
                "conditions": dict((*content.served, *content.machine)),
                "serve_command": content.cards[0].command if content.cards else "",
                "configurations": [
                    {
                        "title": entry.title,
                        "role": entry.role.value,
                        "metrics": {name: asdict(value) for name, value in entry.values.items()},
                    }
                    for entry in comparison.entries
                    if entry.study == content.title
                ],
            }
            for content in comparison.contents
        ],
        "not_alike": comparison.doubts,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _compared(comparison: Comparison) -> dict[str, Any]:
    return {"comparison": comparison, "titles": metric_titles(comparison), "caution": _CAUTION}


def _rendered(name: str, **values: Any) -> str:
    environment = _environment(escapes=".html" in name)
    return environment.get_template(name).render(
        **values,
        role_titles=ROLE_TITLES,
        shown_answers=_SHOWN_ANSWERS,
        most_answers=_MOST_ANSWERS,
        number=number,
    )


def _environment(*, escapes: bool) -> "Environment":
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - an extra's package
    except ImportError as error:
        raise ReportUnavailable(
            f"no report: a package is missing ({error}); {install_command('report')}"
        ) from error
    environment = Environment(
        loader=PackageLoader("llmopt.report", "."),
        autoescape=escapes,  # noqa: S701 - Markdown has escapes of its own
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[[str], str]] = {
        "visible": visible,
        "cell": _cell,
        "fenced": _fenced,
        "options": _options,
    }
    environment.filters.update(filters)
    return environment


def _options(text: str) -> str:
    """Return a command as HTML, in which no line ends within the name of an option: `--` is no word."""
    from markupsafe import Markup, escape  # noqa: PLC0415 - an extra's package

    return Markup(_OPTION.sub(r'<span class="option">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped


def _cell(text: str) -> str:
    """Return `text` as a cell or a line of Markdown that shows it as it is."""
    return _MARKUP.sub(r"\\\1", " ".join(visible(text).split()))


def _fenced(text: str) -> str:
    """Return `text` as a block of code, whatever backticks it holds."""
    longest = max((len(found) for found in _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{visible(text)}\n{fence}"


def _tidy(text: str) -> str:
    """Return Markdown without the empty lines that a template leaves, which end tables."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
